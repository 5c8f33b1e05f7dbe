"""Calls to AWS services over the wire, by botocore's own serializers and parsers.

Used by the EKS model, which asks IAM, EC2, KMS and Logs what exists, and by the control
endpoint `call`. No botocore client is created: that costs tens of milliseconds each.
"""

from __future__ import annotations

import functools
import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import botocore.parsers
import botocore.serialize
import botocore.validate
from botocore.awsrequest import HeadersDict

from local_aws.wire import models
from local_aws.wire.message import Request, Response

Send = Callable[[Request], Response]


class CloudError(Exception):
    """A service answered with an error."""

    def __init__(self, code: str, message: str, status: int) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.status = code, message, status


@functools.cache
def _serializer(protocol: str) -> Any:
    return botocore.serialize.create_serializer(protocol, include_validation=False)


@functools.cache
def _parser(protocol: str) -> Any:
    return botocore.parsers.create_parser(protocol)


class Cloud:
    """One account in one region, as its administrator sees it."""

    def __init__(self, send: Send, account: str, region: str, extra_headers: dict[str, str] | None = None) -> None:
        self._send, self.account, self.region = send, account, region
        self._extra_headers = extra_headers or {}

    def call(self, service: str, operation: str, /, **parameters: Any) -> dict[str, Any]:
        model = models.operation_model(service, operation)
        if model is None:
            raise CloudError("UnknownOperation", f"botocore knows no {service}:{operation}", 400)
        if model.input_shape is not None:
            for member in model.idempotent_members:
                parameters.setdefault(member, str(uuid.uuid4()))
            report = botocore.validate.ParamValidator().validate(parameters, model.input_shape)
            if report.has_errors():
                raise CloudError("ParamValidation", report.generate_report(), 400)
        protocol = models.protocol(model.service_model)
        response = self._send(self._request(service, protocol, parameters, model))
        if response.reset:
            raise CloudError("ConnectionReset", "the connection was reset", 0)
        parsed = _parser(protocol).parse(
            {"status_code": response.status, "headers": HeadersDict(response.headers), "body": response.body},
            model.output_shape,
        )
        if response.status >= 300:
            error = parsed.get("Error", {})
            raise CloudError(error.get("Code", "Unknown"), error.get("Message", ""), response.status)
        parsed.pop("ResponseMetadata", None)
        return parsed

    def _request(self, service: str, protocol: str, parameters: dict[str, Any], model: Any) -> Request:
        serialized = _serializer(protocol).serialize_to_request(parameters, model)
        body, query = serialized["body"], serialized.get("query_string") or {}
        if isinstance(body, dict):
            body = urlencode(body)
        if isinstance(body, str):
            body = body.encode()
        if not isinstance(query, str):
            query = urlencode(query, doseq=True)
        path, _, path_query = serialized["url_path"].partition("?")
        headers = {name.lower(): str(value) for name, value in serialized["headers"].items()}
        headers["host"] = f"{service}.{self.region}.amazonaws.com"
        headers["authorization"] = (
            f"AWS4-HMAC-SHA256 Credential=AKIA0000{self.account}/20260101/{self.region}/{service}/aws4_request, "
            "SignedHeaders=host, Signature=none"
        )
        headers |= self._extra_headers
        query = "&".join(part for part in (path_query, query) if part)
        return Request(serialized["method"], path or "/", query, headers, body or b"")
