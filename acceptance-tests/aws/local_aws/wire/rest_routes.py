"""From method and path to an operation, by the URIs of botocore's REST models."""

from __future__ import annotations

import functools
import re

from local_aws.wire import models


@functools.cache
def _routes(service: str) -> list[tuple[str, re.Pattern[str], str]]:
    model = models.service_model(service)
    if model is None or not model.metadata.get("protocol", "").startswith("rest"):
        return []
    found = []
    for name in model.operation_names:
        http = model.operation_model(name).http
        uri = http["requestUri"].split("?")[0]
        # Python knows no group names with dashes, and {Key+} swallows slashes.
        pattern = re.sub(r"\\\{(\w+)\\\+\\\}", r"(?P<\1>.+)", re.escape(uri))
        pattern = re.sub(r"\\\{([\w]+)\\\}", r"(?P<\1>[^/]+)", pattern)
        pattern = re.sub(r"\\\{[^}]*\\\}", r"[^/]+", pattern)
        # Some clients leave the slashes of an ARN as they are.
        pattern = pattern.replace("(?P<resourceArn>[^/]+)", "(?P<resourceArn>.+)")
        found.append((uri.count("{"), http["method"], re.compile(f"^{pattern}/?$"), name))
    found.sort(key=lambda route: route[0])
    return [(method, pattern, name) for _, method, pattern, name in found]


def match_route(service: str, method: str, path: str) -> tuple[str, dict[str, str]] | None:
    for route_method, pattern, name in _routes(service):
        if route_method == method and (found := pattern.match(path)):
            return name, found.groupdict()
    return None
