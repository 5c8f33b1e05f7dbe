"""moto in this process.

The only file that knows moto's inside, and only to start it quickly and to copy or forget an
account; whatever the EKS model wants to know it asks over the wire.
"""

from __future__ import annotations

import copy
import functools
import io
import os
import re
import sys
import threading
from typing import Any
from urllib.parse import unquote

# Before moto is imported. Images are not loaded: no test launches instances, and they cost
# 0.2 s per account and region.
os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "true"
os.environ["MOTO_EC2_LOAD_DEFAULT_AMIS"] = "false"
os.environ.pop("MOTO_ACCOUNT_ID", None)

import moto.core.responses
from moto.core.base_backend import BackendDict
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from local_aws.wire.message import Request, Response

# moto lists the methods of a class anew for every request.
moto.core.responses.method_names_from_class = functools.cache(moto.core.responses.method_names_from_class)

_SIGNED_FOR = re.compile(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/aws4_request")
# Service-linked roles whose names do not follow from the service, as moto assumes.
_SERVICE_LINKED_ROLES = {
    "eks": "AmazonEKS",
    "eks-nodegroup": "AmazonEKSNodegroup",
    "eks-fargate": "AmazonEKSForFargate",
    "spot": "EC2Spot",
    "elasticloadbalancing": "ElasticLoadBalancing",
}
# Services whose backend follows from the signing name alone.
_PLAIN = {"iam", "ec2", "kms", "logs", "sts", "ecr", "ssm", "sqs", "events", "monitoring", "secretsmanager"}


class _QuietStream:
    def write(self, text: str) -> None:
        sys.stderr.write(text)

    def flush(self) -> None:
        pass


class MotoBackend:
    def __init__(self) -> None:
        self._dispatcher = DomainDispatcherApplication(create_backend_app)
        # The dispatcher looks through moto's directories for every request.
        self._applications: dict[str, Any] = {}
        self._policies = _SharedManagedPolicies()

    def warm_up(self) -> None:
        """Imports what every scenario needs, so that the first call is not slow."""
        import moto.ec2.models
        import moto.iam.models
        import moto.kms.models
        import moto.logs.models  # noqa: F401

        self._policies.install()

    def send(self, request: Request, account: str) -> Response:
        if "/iam/" in request.headers.get("authorization", ""):
            self._policies.install()
        if "/ecr/" in request.headers.get("authorization", ""):
            _widen_repository_names()
        status, headers = "500 none", []

        def start(answer_status: str, answer_headers: list[tuple[str, str]], _exc: Any = None) -> None:
            nonlocal status, headers
            status, headers = answer_status, answer_headers

        environ = _environ(request, account)
        answer = self._application(request, environ)(environ, start)
        try:
            body = b"".join(answer)
        finally:
            if hasattr(answer, "close"):
                answer.close()
        return Response(int(status.split()[0]), dict(headers), body)

    def _application(self, request: Request, environ: dict[str, Any]) -> Any:
        signed = _SIGNED_FOR.search(request.headers.get("authorization", ""))
        service = signed.group(1) if signed else ""
        if service not in _PLAIN:
            return self._dispatcher
        if service not in self._applications:
            self._applications[service] = self._dispatcher.get_application(environ)
        return self._applications[service]

    def snapshot(self, account: str) -> dict[str, dict[str, Any]]:
        # One copy for all services, so that what they share stays shared.
        return copy.deepcopy(
            {
                service.service_name: dict(service[account].items())
                for service in list(BackendDict._instances)
                if account in list(service.keys())
            }
        )

    def restore(self, account: str, state: dict[str, dict[str, Any]]) -> None:
        self.reset(account)
        fresh = copy.deepcopy(state)
        for service in list(BackendDict._instances):
            for region, backend in fresh.get(service.service_name, {}).items():
                service[account][region] = backend

    def reset(self, account: str) -> None:
        for service in list(BackendDict._instances):
            service.pop(account, None)


@functools.cache
def _widen_repository_names() -> None:
    """moto takes one separator between two words; ECR's model takes `__` and many `-`, too."""
    from moto.ecr import models

    separated = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
    models.ECR_REPOSITORY_NAME_PATTERN = rf"{separated}(?:/{separated})*"


class _SharedManagedPolicies:
    """AWS's 1,500 managed policies, parsed once instead of once per account (0.3 s)."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._installed = False
        self._prototypes: list[Any] = []

    def install(self) -> None:
        if self._installed:
            return
        with self._lock:
            if self._installed:
                return
            from moto.iam import models

            original = models.IAMBackend._init_aws_policies
            shared = self

            def quickly(backend: Any) -> list[Any]:
                if backend.partition != "aws":
                    return original(backend)
                if not shared._prototypes:
                    shared._prototypes = original(backend)
                return [copy.copy(policy) for policy in shared._prototypes]

            models.SERVICE_NAME_CONVERSION.update(_SERVICE_LINKED_ROLES)
            models.IAMBackend._init_aws_policies = quickly
            # Copies of an account share what never changes in these policies.
            models.AWSManagedPolicy.__deepcopy__ = lambda policy, _memo: copy.copy(policy)
            self._installed = True


def _environ(request: Request, account: str) -> dict[str, Any]:
    host = request.headers.get("host", "127.0.0.1")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote(request.path, "latin-1"),
        "RAW_URI": request.path + (f"?{request.query}" if request.query else ""),
        "REQUEST_URI": request.path + (f"?{request.query}" if request.query else ""),
        "QUERY_STRING": request.query,
        "SERVER_NAME": host.partition(":")[0],
        "SERVER_PORT": host.partition(":")[2] or "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_LENGTH": str(len(request.body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.errors": _QuietStream(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "wsgi.input_terminated": True,
    }
    for name, value in request.headers.items():
        key = name.upper().replace("-", "_")
        if key == "CONTENT_TYPE":
            environ["CONTENT_TYPE"] = value
        elif key != "CONTENT_LENGTH":
            environ[f"HTTP_{key}"] = value
    environ["HTTP_X_MOTO_ACCOUNT_ID"] = account
    return environ
