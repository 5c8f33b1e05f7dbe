"""What each call needs: its own action, and what AWS checks beside it.

Source: Service Authorization Reference (resources, condition keys and dependent actions of each action).
"""

from __future__ import annotations

from collections.abc import Callable

from local_aws.eks.scene import Scene
from local_aws.permissions.policies import Context, Need
from local_aws.wire.call import Call

Finder = Callable[[Scene, Call], list[Need]]
_FINDERS: dict[str, Finder] = {}
# The name in policies where it is not the one in signatures.
_PREFIXES = {"monitoring": "cloudwatch"}


def finder(service: str) -> Callable[[Finder], Finder]:
    def register(function: Finder) -> Finder:
        _FINDERS[service] = function
        return function

    return register


def action_of(call: Call) -> str:
    return f"{_PREFIXES.get(call.service, call.service)}:{call.operation}"


def needs_of(scene: Scene, call: Call) -> list[Need]:
    """Empty for what AWS allows everybody."""
    if call.service == "sts" and call.operation == "GetCallerIdentity":
        return []
    find = _FINDERS.get(call.service)
    return find(scene, call) if find else [Need(action_of(call))]


def request_tags(tags: dict[str, str]) -> Context:
    context: Context = {f"aws:RequestTag/{key}": value for key, value in tags.items()}
    if tags:
        context["aws:TagKeys"] = tuple(tags)
    return context


def resource_tags(tags: dict[str, str]) -> Context:
    return {f"aws:ResourceTag/{key}": value for key, value in tags.items()}
