"""A call on its way to the backend."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from local_aws.eks.scene import Scene
from local_aws.wire.answers import error_response
from local_aws.wire.call import Call
from local_aws.wire.message import Request, Response


class Passage:
    def __init__(self, call: Call, scene: Scene, send: Callable[[Request], Response]) -> None:
        self.call, self.scene, self._send = call, scene, send

    @property
    def parameters(self) -> dict[str, Any]:
        return self.call.parameters

    def forward(self) -> Response:
        return self._send(self.call.request)

    def forward_json(self, **changed: Any) -> Response:
        """The same call with other members (JSON protocols only)."""
        body = json.dumps({**self.parameters, **changed}).encode()
        headers = {**self.call.request.headers, "content-length": str(len(body))}
        return self._send(replace(self.call.request, body=body, headers=headers))

    def forward_form(self, form: dict[str, Any]) -> Response:
        """The same call with other members (query protocols only)."""
        body = urlencode(form).encode()
        headers = {**self.call.request.headers, "content-length": str(len(body))}
        return self._send(replace(self.call.request, body=body, query="", headers=headers))

    def refuse(self, code: str, message: str, status: int = 400) -> Response:
        return error_response(self.call, code, message, status)


Shim = Callable[[Passage], Response]
SHIMS: dict[tuple[str, str], Shim] = {}


def shim(service: str, *operations: str) -> Callable[[Shim], Shim]:
    def register(function: Shim) -> Shim:
        for operation in operations:
            SHIMS[service, operation] = function
        return function

    return register


def json_answer(body: dict[str, Any]) -> Response:
    return Response(200, {"content-type": "application/x-amz-json-1.1"}, json.dumps(body).encode())
