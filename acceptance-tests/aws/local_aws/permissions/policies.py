"""Policy documents: what they allow. Only Allow statements, and the operators the published policies use.

Source: IAM user guide, reference_policies_evaluation-logic and reference_policies_elements_condition_operators.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

# A tag, a service or an ARN; several values only for the keys of tags.
Context = dict[str, str | tuple[str, ...]]


class PolicyMistake(ValueError):
    """A policy document that this evaluator cannot judge."""


@dataclass(frozen=True)
class Need:
    """An action on a resource. Resource None: what it is about is not modelled, so the action alone decides."""

    action: str
    resource: str | None = None
    context: Context = field(default_factory=dict)


def _as_list(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


def _pattern(text: str, ignore_case: bool = False) -> re.Pattern[str]:
    words = re.escape(text).replace(r"\*", ".*").replace(r"\?", ".")
    return re.compile(words, re.DOTALL | (re.IGNORECASE if ignore_case else 0))


def _equals(expected: str, value: str) -> bool:
    return expected == value


def _like(expected: str, value: str) -> bool:
    return _pattern(expected).fullmatch(value) is not None


_OPERATORS = {"StringEquals": _equals, "StringLike": _like, "ArnEquals": _like, "ArnLike": _like}
_FOR_ALL = "ForAllValues:"


class Statement:
    def __init__(self, document: dict[str, Any]) -> None:
        unknown = set(document) - {"Sid", "Effect", "Action", "Resource", "Condition"}
        if unknown or document.get("Effect") != "Allow":
            raise PolicyMistake(f"only Allow statements of actions on resources are understood, not {document}")
        self._actions = [_pattern(action, ignore_case=True) for action in _as_list(document["Action"])]
        self._resources = [_pattern(resource) for resource in _as_list(document["Resource"])]
        self._conditions = [
            (operator, key, _as_list(values))
            for operator, keys in document.get("Condition", {}).items()
            for key, values in keys.items()
        ]
        for operator, _, _ in self._conditions:
            if operator != "Null" and operator.removeprefix(_FOR_ALL) not in _OPERATORS:
                raise PolicyMistake(f"the condition operator {operator} is not understood")

    def allows(self, need: Need) -> bool:
        if not any(action.fullmatch(need.action) for action in self._actions):
            return False
        if need.resource is None:
            return True
        return any(resource.fullmatch(need.resource) for resource in self._resources) and all(
            self._holds(need.context, *condition) for condition in self._conditions
        )

    @staticmethod
    def _holds(context: Context, operator: str, key: str, values: list[str]) -> bool:
        found = context.get(key)
        if operator == "Null":
            return values == [str(found is None).lower()]
        present = () if found is None else found if isinstance(found, tuple) else (found,)
        holds = _OPERATORS[operator.removeprefix(_FOR_ALL)]
        fits = [any(holds(expected, value) for expected in values) for value in present]
        # AWS takes ForAllValues as true of nothing.
        return all(fits) and (bool(fits) or operator.startswith(_FOR_ALL))


class Policies:
    """All documents of one principal."""

    def __init__(self, documents: list[dict[str, Any]]) -> None:
        self._statements = [Statement(statement) for document in documents for statement in _statements(document)]

    def first_refused(self, needs: list[Need]) -> Need | None:
        for need in needs:
            if not any(statement.allows(need) for statement in self._statements):
                return need
        return None


def _statements(document: dict[str, Any]) -> list[dict[str, Any]]:
    statements = document["Statement"]
    return statements if isinstance(statements, list) else [statements]
