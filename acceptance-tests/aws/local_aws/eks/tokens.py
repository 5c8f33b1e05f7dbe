"""Idempotency tokens: the same request again gets the same answer, another one is refused."""

from __future__ import annotations

import copy
import hashlib
import json
from typing import Any

from local_aws.eks.errors import EksError, invalid_parameter
from local_aws.eks.scene import OPERATIONS, Scene

# What shows the present state of what a request made; others repeat their first answer.
_SHOWN_BY: dict[str, tuple[str, dict[str, str]]] = {
    "CreateCluster": ("DescribeCluster", {"name": "name"}),
    "CreateNodegroup": ("DescribeNodegroup", {"clusterName": "clusterName", "nodegroupName": "nodegroupName"}),
    "CreateAddon": ("DescribeAddon", {"clusterName": "clusterName", "addonName": "addonName"}),
    "CreateAccessEntry": ("DescribeAccessEntry", {"clusterName": "clusterName", "principalArn": "principalArn"}),
}


def answer(scene: Scene, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """Runs an operation under its token, if it carries one."""
    token = parameters.get("clientRequestToken")
    if not token:
        return OPERATIONS[operation](scene, parameters)
    key = (operation, token)
    digest = hashlib.sha256(json.dumps(parameters, sort_keys=True).encode()).hexdigest()
    known = scene.eks.tokens.get(key)
    if known is not None:
        again = _again(scene, operation, parameters, known[1])
        if again is not None:
            if known[0] != digest:
                raise invalid_parameter("The client request token was already used with different request parameters")
            return again
    result = OPERATIONS[operation](scene, parameters)
    scene.eks.tokens[key] = (digest, copy.deepcopy(result))
    return result


def _again(scene: Scene, operation: str, parameters: dict[str, Any], first: dict[str, Any]) -> dict[str, Any] | None:
    """The answer to a repeated request; None when what it made has gone, which ends the token."""
    if operation in _SHOWN_BY:
        describe, names = _SHOWN_BY[operation]
        made = next(iter(first.values()))
        wanted = {name: made[member] for name, member in names.items()}
    elif operation == "CreatePodIdentityAssociation":
        describe = "DescribePodIdentityAssociation"
        wanted = {name: first["association"][name] for name in ("clusterName", "associationId")}
    elif "update" in first:
        describe = "DescribeUpdate"
        wanted = {name: parameters[name] for name in ("nodegroupName", "addonName") if name in parameters}
        wanted |= {"name": parameters.get("clusterName", parameters.get("name")), "updateId": first["update"]["id"]}
    else:
        return copy.deepcopy(first)
    try:
        return OPERATIONS[describe](scene, wanted)
    except EksError:
        return None
