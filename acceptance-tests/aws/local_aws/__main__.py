"""Starts the local AWS; see README.md."""

from __future__ import annotations

import argparse
import gc
import json
import os
import signal
import sys
import threading
from pathlib import Path

from local_aws.account import Accounts
from local_aws.control import kubernetes  # noqa: F401  (importing it registers it)
from local_aws.control.endpoints import Control
from local_aws.gateway import Backend, Gateway
from local_aws.wire.http_server import Server
from local_aws.wire.message import Request, Response


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="local_aws", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free port")
    parser.add_argument("--port-file", type=Path, help="also write the port number to this file")
    parser.add_argument("--scale", type=float, default=600, help="virtual seconds per real second")
    parser.add_argument("--exit-with-parent", action="store_true", help="end when standard input is closed")
    parser.add_argument("--backend", help="URL that serves every service but EKS, instead of moto inside")
    return parser.parse_args()


def _backend(url: str | None) -> Backend:
    if url:
        from local_aws.backends.remote import RemoteBackend

        return RemoteBackend(url)
    from local_aws.backends.moto_inside import MotoBackend

    backend = MotoBackend()
    # In the background: whoever waits for the server need not wait for EC2's tables.
    threading.Thread(target=backend.warm_up, daemon=True).start()
    return backend


def _end_with_standard_input() -> None:
    while sys.stdin.buffer.read(4096):
        pass
    os._exit(0)


def main() -> None:
    arguments = _arguments()
    gateway = Gateway(Accounts(arguments.scale), _backend(arguments.backend))
    control = Control(gateway)

    def application(request: Request) -> Response:
        if request.path.startswith("/_local/"):
            return control.handle(request)
        return gateway.handle(request)

    server = Server(arguments.port, application)
    if arguments.exit_with_parent:
        # Ctrl-C reaches the whole process group; the parent decides when this ends.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        threading.Thread(target=_end_with_standard_input, daemon=True).start()
    if arguments.port_file:
        arguments.port_file.write_text(str(server.server_address[1]))
    print(json.dumps({"url": server.url}), flush=True)
    # What was made by now stays for good, and accounts are large: looking through all of it again and again would
    # take more time than the calls.
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)
    try:
        server.serve_forever(poll_interval=0.1)
    except KeyboardInterrupt:
        server.server_close()


if __name__ == "__main__":
    main()
