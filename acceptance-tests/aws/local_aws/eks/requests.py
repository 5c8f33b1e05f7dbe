"""Requests in, answers out: parsing and validation by botocore's model of EKS."""

from __future__ import annotations

import base64
import functools
import json
import re
import threading
from typing import Any
from urllib.parse import parse_qs

import botocore.validate
from botocore.model import OperationModel, Shape

from local_aws.eks.errors import invalid_parameter
from local_aws.wire import models
from local_aws.wire.call import Call

# Answers that break the model, and failures of this program.
violations: list[dict[str, Any]] = []
_violations_lock = threading.Lock()


@functools.cache
def operation_model(operation: str) -> OperationModel | None:
    return models.operation_model("eks", operation)


def parse(call: Call) -> dict[str, Any]:
    """The parameters of a call, or InvalidParameterException."""
    model = operation_model(call.operation)
    shape = model.input_shape
    if shape is None:
        return {}
    query = parse_qs(call.request.query, keep_blank_values=True)
    parameters: dict[str, Any] = {}
    body_names: dict[str, str] = {}
    for member, member_shape in shape.members.items():
        location = member_shape.serialization.get("location")
        name = member_shape.serialization.get("name", member)
        if location == "uri":
            if name in call.parameters:
                parameters[member] = call.parameters[name]
        elif location == "querystring":
            if name in query:
                parameters[member] = _from_query(member_shape, query[name])
        elif location is None:
            body_names[name] = member
    for name, value in _body(call).items():
        if name not in body_names:
            raise invalid_parameter(f"Unknown parameter in input: {name}")
        if value is not None:
            parameters[body_names[name]] = value
    problems = problems_of(shape, parameters)
    if problems:
        raise invalid_parameter("; ".join(problems))
    return parameters


def _body(call: Call) -> dict[str, Any]:
    if not call.request.body:
        return {}
    try:
        body = json.loads(call.request.body)
    except ValueError:
        raise invalid_parameter("The request body is not valid JSON") from None
    if not isinstance(body, dict):
        raise invalid_parameter("The request body is not a JSON object")
    return body


def _from_query(shape: Shape, values: list[str]) -> Any:
    if shape.type_name == "list":
        return values
    if shape.type_name == "integer":
        if not re.fullmatch(r"-?\d+", values[0]):
            raise invalid_parameter(f"not an integer: {values[0]}")
        return int(values[0])
    if shape.type_name == "boolean":
        return values[0] == "true"
    return values[0]


def render(operation: str, answer: dict[str, Any]) -> dict[str, Any]:
    """The answer as the model shows it; what breaks the model is recorded."""
    shape = operation_model(operation).output_shape
    if shape is None:
        return {}
    pruned = _prune(shape, answer)
    problems = problems_of(shape, pruned)
    if problems:
        record_violation(operation, problems)
    return pruned


def record_violation(operation: str, problems: list[str]) -> None:
    with _violations_lock:
        violations.append({"operation": operation, "problems": problems})


def _prune(shape: Shape, value: Any) -> Any:
    if shape.type_name == "structure" and isinstance(value, dict):
        # Unknown members stay, so that the validation finds them.
        return {
            name: _prune(shape.members[name], member) if name in shape.members else member
            for name, member in value.items()
            if member is not None
        }
    if shape.type_name == "list" and isinstance(value, list):
        return [_prune(shape.member, member) for member in value]
    return value


def problems_of(shape: Shape, value: Any) -> list[str]:
    report = botocore.validate.ParamValidator().validate(value, shape)
    problems = [report.generate_report()] if report.has_errors() else []
    if not problems:
        _limits(shape, value, "", problems)
    return problems


def _limits(shape: Shape, value: Any, path: str, problems: list[str]) -> None:
    """What botocore leaves to the service: maxima, patterns, enums, unknown members."""
    kind = shape.type_name
    if kind == "structure":
        for name, member in value.items():
            if name in shape.members:
                _limits(shape.members[name], member, f"{path}.{name}", problems)
            else:
                problems.append(f"{path}: unknown member {name}")
    elif kind == "list":
        if len(value) > shape.metadata.get("max", len(value)):
            problems.append(f"{path}: more than {shape.metadata['max']} items")
        for index, member in enumerate(value):
            _limits(shape.member, member, f"{path}[{index}]", problems)
    elif kind == "map":
        for name, member in value.items():
            _limits(shape.key, name, f"{path}.key", problems)
            _limits(shape.value, member, f"{path}.{name}", problems)
    elif kind == "integer":
        if value > shape.metadata.get("max", value):
            problems.append(f"{path}: greater than {shape.metadata['max']}")
    elif kind == "string":
        if len(value) > shape.metadata.get("max", len(value)):
            problems.append(f"{path}: longer than {shape.metadata['max']} characters")
        pattern = shape.metadata.get("pattern")
        if pattern and not re.match(pattern, value):
            problems.append(f"{path}: {value!r} does not satisfy the pattern {pattern}")
        if shape.enum and value not in shape.enum:
            problems.append(f"{path}: {value!r} is not one of {', '.join(shape.enum)}")


def page(items: list[Any], parameters: dict[str, Any], default: int = 100) -> tuple[list[Any], str | None]:
    """One page of a list and the token of the next."""
    start = 0
    if parameters.get("nextToken"):
        try:
            start = int(base64.b64decode(parameters["nextToken"], validate=True))
        except ValueError:
            raise invalid_parameter("Invalid nextToken") from None
    end = start + parameters.get("maxResults", default)
    token = base64.b64encode(str(end).encode()).decode() if end < len(items) else None
    return items[start:end], token
