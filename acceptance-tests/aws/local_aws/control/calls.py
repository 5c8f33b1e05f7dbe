"""AWS calls on behalf of a test: through the same gateway, marked in the journal."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Any

from local_aws.account import Account
from local_aws.cloud import Cloud, CloudError
from local_aws.gateway import Gateway
from local_aws.wire.call import read_call
from local_aws.wire.message import Request, Response


def call_for_test(gateway: Gateway, account: Account, region: str, order: dict[str, Any]) -> dict[str, Any]:
    def send(request: Request) -> Response:
        call = read_call(request)
        call.caller = "test"
        return gateway.run(call)

    try:
        result = Cloud(send, account.id, region).call(order["service"], order["operation"], **order.get("parameters", {}))
    except CloudError as error:
        return {"error": {"code": error.code, "message": error.message, "status": error.status}}
    return {"result": _plain(result)}


def _plain(value: Any) -> Any:
    """Only what JSON has: times become seconds since the epoch, bytes base64."""
    if isinstance(value, dict):
        return {str(name): _plain(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_plain(member) for member in value]
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value
