"""The errors of the EKS API."""

from __future__ import annotations

from typing import Any


class EksError(Exception):
    def __init__(self, code: str, message: str, **fields: Any) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message = code, message
        self.fields = {name: value for name, value in fields.items() if value is not None}


def invalid_parameter(message: str, **fields: Any) -> EksError:
    return EksError("InvalidParameterException", message, **fields)


def invalid_request(message: str, **fields: Any) -> EksError:
    return EksError("InvalidRequestException", message, **fields)


def in_use(message: str, **fields: Any) -> EksError:
    return EksError("ResourceInUseException", message, **fields)


def not_found(message: str, **fields: Any) -> EksError:
    return EksError("ResourceNotFoundException", message, **fields)
