"""The record of every call of one account."""

from __future__ import annotations

import hashlib
import re
import threading
import time
from typing import Any

from local_aws.wire.call import Call
from local_aws.wire.message import Response

_XML_CODE = re.compile(rb"<Code>([^<]*)</Code>")
_JSON_CODE = re.compile(rb'"__type"\s*:\s*"(?:[^"#]*#)?([^"]*)"')


def error_code(response: Response) -> str | None:
    if response.reset:
        return "reset"
    if response.status < 400:
        return None
    for name, value in response.headers.items():
        if name.lower() == "x-amzn-errortype":
            return value.split(":")[0].rsplit("#", 1)[-1]
    found = _XML_CODE.search(response.body) or _JSON_CODE.search(response.body)
    return found.group(1).decode() if found else "Unknown"


def _digest(call: Call) -> str:
    """The same for calls that ask the same thing."""
    request = call.request
    asked = "\0".join((call.service, call.region, call.operation, request.method, request.path, request.query)).encode()
    return hashlib.sha256(asked + b"\0" + request.body).hexdigest()[:16]


class Journal:
    def __init__(self) -> None:
        self._calls: list[dict[str, Any]] = []
        self._lock = threading.Lock()

    def begin(self, call: Call, virtual_time: float) -> dict[str, Any]:
        entry = {
            "n": 0,
            "account": call.account,
            "region": call.region,
            "time": time.time(),
            "virtual_time": virtual_time,
            "service": call.service,
            "operation": call.operation,
            "resource": call.resource,
            "outcome": None,
            "caller": call.caller,
            "access_key": call.access_key,
            "fault": None,
            "mutating": call.mutating,
            "request": _digest(call),
        }
        with self._lock:
            entry["n"] = call.number = len(self._calls) + 1
            self._calls.append(entry)
        return entry

    @staticmethod
    def end(entry: dict[str, Any], response: Response) -> None:
        entry["outcome"] = {"status": response.status, "code": error_code(response)}

    @property
    def last(self) -> int:
        return len(self._calls)

    def since(self, number: int) -> list[dict[str, Any]]:
        with self._lock:
            return [dict(entry) for entry in self._calls[max(number, 0) :]]
