"""Answers and errors in the shape of each AWS protocol."""

from __future__ import annotations

import json
import uuid
from typing import Any
from xml.sax.saxutils import escape

from local_aws.wire.call import Call
from local_aws.wire.cbor import CONTENT_TYPE
from local_aws.wire.message import Response


def json_response(body: Any, status: int = 200, content_type: str = "application/json") -> Response:
    return Response(
        status,
        {"content-type": content_type, "x-amzn-requestid": str(uuid.uuid4())},
        json.dumps(body, default=str).encode(),
    )


def error_response(call: Call, code: str, message: str, status: int, fields: dict[str, Any] | None = None) -> Response:
    request_id = str(uuid.uuid4())
    if call.protocol == "query":
        kind = "Receiver" if status >= 500 else "Sender"
        namespace = {"iam": "https://iam.amazonaws.com/doc/2010-05-08/", "sts": "https://sts.amazonaws.com/doc/2011-06-15/"}
        xmlns = namespace.get(call.service, f"https://{call.service}.amazonaws.com/doc/")
        body = (
            f'<ErrorResponse xmlns="{xmlns}"><Error><Type>{kind}</Type><Code>{escape(code)}</Code>'
            f"<Message>{escape(message)}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>"
        )
        return Response(status, {"content-type": "text/xml", "x-amzn-requestid": request_id}, body.encode())
    if call.protocol == "ec2":
        body = (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            f"<Response><Errors><Error><Code>{escape(code)}</Code><Message>{escape(message)}</Message></Error></Errors>"
            f"<RequestID>{request_id}</RequestID></Response>"
        )
        return Response(status, {"content-type": "text/xml;charset=UTF-8", "x-amzn-requestid": request_id}, body.encode())
    if call.protocol == "json":
        body = json.dumps({"__type": code, "message": message, **(fields or {})})
        headers = {"content-type": "application/x-amz-json-1.1", "x-amzn-requestid": request_id, "x-amzn-errortype": code}
        return Response(status, headers, body.encode())
    if call.protocol == "cbor":
        return cbor_response(_cbor_map({"__type": code, "message": message}), status, request_id)
    body = json.dumps({"message": message, **(fields or {})})
    headers = {"content-type": "application/json", "x-amzn-requestid": request_id, "x-amzn-errortype": code}
    return Response(status, headers, body.encode())


def cbor_response(body: bytes, status: int = 200, request_id: str = "") -> Response:
    headers = {"content-type": CONTENT_TYPE, "smithy-protocol": "rpc-v2-cbor"}
    return Response(status, headers | {"x-amzn-requestid": request_id or str(uuid.uuid4())}, body)


def not_implemented(call: Call) -> Response:
    name = f"{call.service or 'unknown'}:{call.operation or call.request.method + ' ' + call.request.path}"
    return error_response(
        call,
        "NotImplemented",
        f"The local AWS does not implement {name}",
        501,
        {"service": call.service, "operation": call.operation},
    )


def _cbor_map(values: dict[str, str]) -> bytes:
    """A CBOR map of short strings: all an error needs."""

    def text(value: str) -> bytes:
        raw = value.encode()
        if len(raw) < 24:
            return bytes([0x60 + len(raw)]) + raw
        if len(raw) < 256:
            return bytes([0x78, len(raw)]) + raw
        return bytes([0x79]) + len(raw).to_bytes(2, "big") + raw

    return bytes([0xA0 + len(values)]) + b"".join(text(name) + text(value) for name, value in values.items())


# The services' own words for what can go wrong with any call: (code, message, status).
_GENERAL_ERRORS = {
    "error500": {
        "eks": ("ServerException", "Internal server error", 500),
        "query": ("ServiceFailure", "The request processing has failed because of an unknown error.", 500),
        "ec2": ("InternalError", "An internal error has occurred", 500),
        "kms": ("KMSInternalException", "The request was rejected because an internal exception occurred.", 500),
        "json": ("InternalFailure", "The request processing has failed because of an unknown error.", 500),
    },
    "throttle": {
        "eks": ("ThrottlingException", "Rate exceeded", 429),
        "query": ("Throttling", "Rate exceeded", 400),
        "ec2": ("RequestLimitExceeded", "Request limit exceeded.", 503),
        "json": ("ThrottlingException", "Rate exceeded", 400),
    },
    "expired_token": {
        "eks": ("ExpiredTokenException", "The security token included in the request is expired", 403),
        "query": ("ExpiredToken", "The security token included in the request is expired", 403),
        "ec2": ("ExpiredToken", "The security token included in the request is expired", 403),
        "json": ("ExpiredTokenException", "The security token included in the request is expired", 400),
    },
    "access_denied": {
        "eks": ("AccessDeniedException", None, 403),
        "query": ("AccessDenied", None, 403),
        "ec2": ("UnauthorizedOperation", None, 403),
        "json": ("AccessDeniedException", None, 400),
    },
}


# How policies name a service, where its signing name is another one.
_IAM_PREFIX = {"monitoring": "cloudwatch"}


def general_error(call: Call, kind: str) -> tuple[str, str, int]:
    table = _GENERAL_ERRORS[kind]
    protocol = {"rest-json": "eks", "cbor": "json"}.get(call.protocol, call.protocol)
    code, message, status = table.get(call.service) or table.get(protocol) or table["json"]
    if message is None:
        resource = call.resource if call.resource.startswith("arn:") else None
        action = f"{_IAM_PREFIX.get(call.service, call.service)}:{call.operation}"
        return denied(call, action, resource)
    return code, message, status


def denied(call: Call, action: str, resource: str | None) -> tuple[str, str, int]:
    """In the words of each service; the action may be one that is checked beside the call itself."""
    table = _GENERAL_ERRORS["access_denied"]
    protocol = {"rest-json": "eks", "cbor": "json"}.get(call.protocol, call.protocol)
    code, _, status = table.get(call.service) or table.get(protocol) or table["json"]
    message = (
        f"User: {call.principal_arn} is not authorized to perform: {action}"
        + (f" on resource: {resource}" if resource else "")
        + " because no identity-based policy allows the action"
    )
    if call.protocol == "ec2":
        message = f"You are not authorized to perform this operation. {message}"
    return code, message, status
