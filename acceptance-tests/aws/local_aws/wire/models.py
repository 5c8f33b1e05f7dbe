"""botocore's official service models, loaded once."""

from __future__ import annotations

import functools
import threading

import botocore.loaders
from botocore.model import OperationModel, ServiceModel

_loader = botocore.loaders.Loader()
_lock = threading.Lock()

# How a credential scope names a service, where botocore's directory has another name.
DIRECTORY = {"monitoring": "cloudwatch", "elasticloadbalancing": "elbv2"}


@functools.cache
def _load(directory: str) -> ServiceModel | None:
    try:
        return ServiceModel(_loader.load_service_model(directory, "service-2"), directory)
    except botocore.loaders.UnknownServiceError:
        return None


def service_model(service: str) -> ServiceModel | None:
    """The model of a service by its signing name, or None if AWS has no such service."""
    with _lock:
        return _load(DIRECTORY.get(service, service))


def operation_model(service: str, operation: str) -> OperationModel | None:
    model = service_model(service)
    if model is None or operation not in model.operation_names:
        return None
    return model.operation_model(operation)


def protocol(model: ServiceModel) -> str:
    """The protocol in which this process talks to a backend; moto knows no CBOR."""
    offered = model.metadata.get("protocols") or [model.metadata["protocol"]]
    for known in ("json", "query", "ec2", "rest-json", "rest-xml"):
        if known in offered:
            return known
    return offered[0]
