"""One HTTP request and one HTTP answer, free of any web framework."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field


def _connected() -> bool:
    return True


@dataclass
class Request:
    method: str
    # As on the wire: ARNs in EKS paths carry %2F, which must not be decoded before routing.
    path: str
    query: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    # Whether the caller still waits; a held call asks this.
    connected: Callable[[], bool] = _connected


@dataclass
class Response:
    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    # True: no answer, the TCP connection is reset instead.
    reset: bool = False


RESET = Response(0, reset=True)
