"""Another endpoint as the backend."""

from __future__ import annotations

import http.client
import threading
from typing import Any
from urllib.parse import urlsplit

from local_aws.wire.message import Request, Response

_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "expect"}


class RemoteBackend:
    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._secure, self._host = parts.scheme == "https", parts.netloc
        # One connection per thread: http.client is not made for sharing.
        self._local = threading.local()

    def _connection(self) -> http.client.HTTPConnection:
        if not hasattr(self._local, "connection"):
            kind = http.client.HTTPSConnection if self._secure else http.client.HTTPConnection
            self._local.connection = kind(self._host, timeout=60)
        return self._local.connection

    def send(self, request: Request, account: str) -> Response:
        headers = {name: value for name, value in request.headers.items() if name not in _HOP_BY_HOP}
        headers["x-moto-account-id"] = account
        target = request.path + (f"?{request.query}" if request.query else "")
        connection = self._connection()
        try:
            connection.request(request.method, target, request.body, headers)
            answer = connection.getresponse()
            body = answer.read()
        except (http.client.HTTPException, OSError):
            connection.close()
            raise
        return Response(
            answer.status, {name: value for name, value in answer.getheaders() if name.lower() not in _HOP_BY_HOP}, body
        )

    def snapshot(self, account: str) -> Any:
        raise NotImplementedError("a remote backend cannot be copied")

    def restore(self, account: str, state: Any) -> None:
        raise NotImplementedError("a remote backend cannot be copied")

    def reset(self, account: str) -> None:
        raise NotImplementedError("a remote backend cannot be reset")
