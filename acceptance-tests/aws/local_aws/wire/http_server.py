"""A small threaded HTTP/1.1 server.

Written for three things the usual development servers do not do together: raw request URIs,
keep-alive with TCP_NODELAY, and a TCP reset on demand.
"""

from __future__ import annotations

import contextlib
import select
import socket
import socketserver
import ssl
import struct
import sys
import traceback
from collections.abc import Callable
from http.client import responses as REASONS

from local_aws.wire.message import Request, Response

MAX_HEADERS = 200
# Longer than any test: a connection closed while a client reuses it would look like a fault.
IDLE_SECONDS = 3600


class BadRequest(Exception):
    """What arrived is not HTTP that this server understands."""


class Connection(socketserver.StreamRequestHandler):
    disable_nagle_algorithm = True
    timeout = IDLE_SECONDS
    rbufsize = 65536

    def handle(self) -> None:
        # A client that goes away is no event; resets are even ordered by tests.
        with contextlib.suppress(OSError):
            while self._serve_one():
                pass

    def finish(self) -> None:
        with contextlib.suppress(OSError):
            super().finish()

    def _serve_one(self) -> bool:
        try:
            request = self._read()
        except BadRequest as error:
            self._write(Response(400, {}, str(error).encode()), keep=False, head=False)
            return False
        if request is None:
            return False
        keep = request.headers.get("connection", "").lower() != "close"
        try:
            response = self.server.application(request)
        except Exception:
            traceback.print_exc(file=sys.stderr)
            response = Response(500, {"content-type": "text/plain"}, traceback.format_exc().encode())
        if response.reset:
            self._reset()
            return False
        self._write(response, keep=keep, head=request.method == "HEAD")
        return keep

    def _read(self) -> Request | None:
        line = self.rfile.readline(65537)
        if not line:
            return None
        parts = line.decode("latin-1").split()
        if len(parts) != 3 or not parts[2].startswith("HTTP/1."):
            raise BadRequest("not an HTTP/1.1 request line")
        method, target, _ = parts
        headers: dict[str, str] = {}
        for _ in range(MAX_HEADERS):
            line = self.rfile.readline(65537)
            if line in (b"\r\n", b"\n", b""):
                break
            name, colon, value = line.decode("latin-1").partition(":")
            if not colon:
                raise BadRequest("a header without a colon")
            headers[name.strip().lower()] = value.strip()
        else:
            raise BadRequest("too many headers")
        if headers.get("expect", "").lower() == "100-continue":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        path, _, query = target.partition("?")
        return Request(method, path, query, headers, self._read_body(headers), self._connected)

    def _read_body(self, headers: dict[str, str]) -> bytes:
        if headers.get("transfer-encoding", "").lower() == "chunked":
            chunks = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                chunks.append(self.rfile.read(size))
                self.rfile.readline()
            while self.rfile.readline() not in (b"\r\n", b"\n", b""):
                pass
            return b"".join(chunks)
        length = int(headers.get("content-length") or 0)
        return self.rfile.read(length) if length else b""

    def _connected(self) -> bool:
        try:
            readable, _, _ = select.select([self.connection], [], [], 0)
            return not readable or bool(self.connection.recv(1, socket.MSG_PEEK))
        except OSError:
            return False

    def _write(self, response: Response, keep: bool, head: bool) -> None:
        lines = [f"HTTP/1.1 {response.status} {REASONS.get(response.status, 'Unknown')}"]
        lines += [
            f"{name}: {value}"
            for name, value in response.headers.items()
            if name.lower() not in ("content-length", "connection", "transfer-encoding")
        ]
        lines.append(f"content-length: {len(response.body)}")
        lines.append(f"connection: {'keep-alive' if keep else 'close'}")
        start = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
        # One write: with TCP_NODELAY two writes would be two packets.
        self.wfile.write(start if head else start + response.body)

    def _reset(self) -> None:
        # SO_LINGER with zero seconds makes close() send RST, but only once the last
        # reference to the socket (rfile holds one) is gone.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.rfile.close()
        self.wfile.close()
        self.connection.close()


class Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, port: int, application: Callable[[Request], Response], certificate: tuple[str, str] | None = None) -> None:
        """With paths of a certificate and its key it speaks TLS."""
        self.application, self._scheme = application, "https" if certificate else "http"
        super().__init__(("127.0.0.1", port), Connection)
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            # Shaking hands is the work of the connection's thread: nobody else waits for it.
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self.server_address[1]}"

    def shutdown_request(self, request: socket.socket) -> None:
        # The base class shuts down before closing, which would send FIN where a test ordered RST.
        with contextlib.suppress(OSError):
            if request.fileno() >= 0:
                request.shutdown(socket.SHUT_WR)
        self.close_request(request)

    def handle_error(self, request: socket.socket, client_address: tuple) -> None:
        if not isinstance(sys.exc_info()[1], OSError):
            traceback.print_exc(file=sys.stderr)
