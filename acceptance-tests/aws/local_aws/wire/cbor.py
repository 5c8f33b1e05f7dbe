"""CBOR, as the Rust SDK speaks it to CloudWatch: by botocore's own reader and writer."""

from __future__ import annotations

from functools import cache
from typing import Any

import botocore.parsers
import botocore.serialize
from botocore.model import Shape

_PROTOCOL = "smithy-rpc-v2-cbor"
CONTENT_TYPE = "application/cbor"


@cache
def _reader() -> Any:
    return botocore.parsers.create_parser(_PROTOCOL)


@cache
def _writer() -> Any:
    return botocore.serialize.create_serializer(_PROTOCOL, include_validation=False)


def read(body: bytes) -> dict[str, Any]:
    """The members of a request; none where the body is no CBOR map."""
    if not body:
        return {}
    try:
        value = _reader().parse_data_item(_reader().get_peekable_stream_from_bytes(body))
    except (ValueError, botocore.parsers.ResponseParserError):
        return {}
    return value if isinstance(value, dict) else {}


def write(value: dict[str, Any], shape: Shape | None) -> bytes:
    """An answer; without a shape an empty map."""
    if shape is None:
        return b"\xa0"
    body = bytearray()
    _writer()._serialize_data_item(body, value, shape)
    return bytes(body)
