"""Access entries and the access policies associated with them."""

from __future__ import annotations

import uuid
from typing import Any

from local_aws.eks import lookup
from local_aws.eks.errors import in_use, invalid_parameter, invalid_request
from local_aws.eks.records import Cluster, Part
from local_aws.eks.requests import page
from local_aws.eks.scene import Scene, operation
from local_aws.eks.surroundings import find_role, role_is_effective
from local_aws.eks.tags import require_tags

_POLICIES = {
    "AmazonEKSClusterAdminPolicy", "AmazonEKSAdminPolicy", "AmazonEKSEditPolicy", "AmazonEKSViewPolicy",
    "AmazonEKSAdminViewPolicy", "AmazonEKSSecretReaderPolicy", "AmazonEKSAutoNodePolicy",
    *(f"AmazonEKS{kind}{scope}Policy" for kind in ("BlockStorage", "Compute", "LoadBalancing", "Networking")
      for scope in ("", "Cluster")),
}  # fmt: skip
_CLUSTER_ONLY = {"AmazonEKSClusterAdminPolicy"}
_TYPES = {"STANDARD", "EC2_LINUX", "EC2_WINDOWS", "FARGATE_LINUX", "HYBRID_LINUX", "EC2", "HYPERPOD_LINUX"}
_RESERVED_USERNAMES = ("system:", "eks:", "aws:", "amazon:", "iam:")


def _require_mode(cluster: Cluster) -> None:
    if cluster.view["accessConfig"]["authenticationMode"] == "CONFIG_MAP":
        raise invalid_request(
            "The cluster's authentication mode must be set to one of [API, API_AND_CONFIG_MAP] to perform this operation.",
            clusterName=cluster.name,
        )


def _cluster(scene: Scene, name: str, ready: bool = False) -> Cluster:
    cluster = lookup.ready_cluster(scene, name) if ready else lookup.cluster(scene, name)
    _require_mode(cluster)
    return cluster


def _require_principal(scene: Scene, cluster: Cluster, arn: str) -> None:
    """Roles and users; roles of this account must exist and have spread."""
    fields = {"clusterName": cluster.name}
    invalid = invalid_parameter("The specified principalArn is invalid: invalid principal.", **fields)
    parts = arn.split(":", 5)
    if len(parts) != 6 or parts[2] != "iam" or not parts[5].startswith(("role/", "user/")):
        raise invalid
    if parts[5].startswith("role/aws-service-role/"):
        raise invalid_parameter(
            "The caller is not allowed to modify access entries with a principalArn value of a Service Linked Role", **fields
        )
    is_own_role = parts[4] == scene.account.id and parts[5].startswith("role/")
    if is_own_role and (find_role(scene, arn) is None or not role_is_effective(scene, arn)):
        raise invalid


def _add(scene: Scene, cluster: Cluster, arn: str, kind: str, request: dict[str, Any]) -> Part:
    account, rest = arn.split(":", 5)[4:6]
    sort, name = rest.split("/", 1)[0], rest.rpartition("/")[2]
    username = request.get("username")
    if not username:
        if kind in ("EC2_LINUX", "EC2_WINDOWS", "EC2"):
            username = "system:node:{{EC2PrivateDNSName}}"
        elif kind in ("FARGATE_LINUX", "HYBRID_LINUX", "HYPERPOD_LINUX"):
            username = "system:node:{{SessionName}}"
        elif sort == "role":
            username = f"arn:{scene.partition}:sts::{account}:assumed-role/{name}/{{{{SessionName}}}}"
        else:
            username = arn
    groups = {
        "EC2_LINUX": ["system:nodes"],
        "EC2_WINDOWS": ["system:nodes", "eks:kube-proxy-windows"],
        "FARGATE_LINUX": ["system:nodes"],
    }
    view = {
        "clusterName": cluster.name,
        "principalArn": arn,
        "kubernetesGroups": request.get("kubernetesGroups") or groups.get(kind, []),
        "accessEntryArn": scene.arn(f"access-entry/{cluster.name}/{sort}/{account}/{name}/{uuid.uuid4()}"),
        "createdAt": scene.timestamp(),
        "modifiedAt": scene.timestamp(),
        "tags": dict(request.get("tags", {})),
        "username": username,
        "type": kind,
    }
    return cluster.entries.put(arn, Part(view, scene.now), scene.listed_after())


def add_node_role(scene: Scene, cluster: Cluster, role: str, ami_type: str) -> None:
    """EKS lets the nodes of a managed node group in by itself."""
    if cluster.view["accessConfig"]["authenticationMode"] != "CONFIG_MAP" and role not in cluster.entries:
        _add(scene, cluster, role, "EC2_WINDOWS" if ami_type.startswith("WINDOWS") else "EC2_LINUX", {})


def add_creator(scene: Scene, cluster: Cluster, principal: str) -> None:
    entry = _add(scene, cluster, principal, "STANDARD", {})
    arn = f"arn:{scene.partition}:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"
    entry.policies[arn] = _association(scene, arn, {"type": "cluster", "namespaces": []})


@operation
def create_access_entry(scene: Scene, parameters: dict[str, Any]) -> dict[str, Any]:
    cluster = _cluster(scene, parameters["clusterName"], ready=True)
    arn, kind = parameters["principalArn"], parameters.get("type", "STANDARD")
    fields = {"clusterName": cluster.name}
    if arn in cluster.entries:
        raise in_use("The specified access entry resource is already in use on this cluster.", **fields)
    require_tags(parameters.get("tags", {}))
    if kind not in _TYPES:
        raise invalid_parameter(f"The specified type is invalid: {kind}", **fields)
    if kind != "STANDARD" and (parameters.get("username") or parameters.get("kubernetesGroups")):
        raise _standard_only(cluster)
    _require_username(parameters.get("username"), fields)
    _require_principal(scene, cluster, arn)
    return {"accessEntry": _add(scene, cluster, arn, kind, parameters).view}


def _standard_only(cluster: Cluster) -> Exception:
    return invalid_parameter(
        'This operation can only be performed on Access Entries with a type of "STANDARD".', clusterName=cluster.name
    )


def _require_username(username: str | None, fields: dict[str, Any]) -> None:
    if username and username.startswith(_RESERVED_USERNAMES):
        raise invalid_parameter(f"The username must not begin with one of {', '.join(_RESERVED_USERNAMES)}", **fields)
    if username and "{{SessionName}}" in username and ":" not in username.split("{{SessionName}}")[0]:
        raise invalid_parameter("The username must contain a colon before {{SessionName}}", **fields)


@operation
def describe_access_entry(scene: Scene, parameters: dict[str, Any]) -> dict[str, Any]:
    cluster = _cluster(scene, parameters["clusterName"])
    return {"accessEntry": lookup.entry(cluster, parameters["principalArn"]).view}


@operation
def list_access_entries(scene: Scene, parameters: dict[str, Any]) -> dict[str, Any]:
    cluster = _cluster(scene, parameters["clusterName"])
    wanted = parameters.get("associatedPolicyArn")
    found = [
        arn
        for arn in cluster.entries.listed(scene.now)
        if wanted is None or (arn in cluster.entries and wanted in cluster.entries[arn].policies)
    ]
    shown, token = page(found, parameters)
    return {"accessEntries": shown, "nextToken": token}


@operation
def update_access_entry(scene: Scene, parameters: dict[str, Any]) -> dict[str, Any]:
    cluster = _cluster(scene, parameters["clusterName"], ready=True)
    entry = lookup.entry(cluster, parameters["principalArn"])
    if entry.view["type"] != "STANDARD":
        raise _standard_only(cluster)
    _require_username(parameters.get("username"), {"clusterName": cluster.name})
    for member in ("kubernetesGroups", "username"):
        if member in parameters:
            entry.view[member] = parameters[member]
    entry.view["modifiedAt"] = scene.timestamp()
    return {"accessEntry": entry.view}


@operation
def delete_access_entry(scene: Scene, parameters: dict[str, Any]) -> dict[str, Any]:
    cluster = _cluster(scene, parameters["clusterName"])
    lookup.entry(cluster, parameters["principalArn"])
    cluster.entries.take(parameters["principalArn"], scene.listed_after())
    return {}


def _policy_name(scene: Scene, arn: str) -> str | None:
    start = f"arn:{scene.partition}:eks::aws:cluster-access-policy/"
    name = arn.removeprefix(start)
    return name if arn.startswith(start) and name in _POLICIES else None


def _association(scene: Scene, arn: str, scope: dict[str, Any], made: float | None = None) -> dict[str, Any]:
    return {
        "policyArn": arn,
        "accessScope": {"type": scope.get("type", "cluster"), "namespaces": scope.get("namespaces", [])},
        "associatedAt": made or scene.timestamp(),
        "modifiedAt": scene.timestamp(),
    }


@operation
def associate_access_policy(scene: Scene, parameters: dict[str, Any]) -> dict[str, Any]:
    cluster = _cluster(scene, parameters["clusterName"], ready=True)
    principal, arn, scope = parameters["principalArn"], parameters["policyArn"], parameters["accessScope"]
    fields = {"clusterName": cluster.name}
    entry = lookup.entry(cluster, principal)
    if scene.now < entry.created + scene.duration("entry_propagation"):
        # The part of EKS that keeps associations has not seen the entry yet.
        hidden = Cluster(cluster.view, cluster.created)
        lookup.entry(hidden, principal)
    if entry.view["type"] not in ("STANDARD", "EC2"):
        raise _standard_only(cluster)
    name = _policy_name(scene, arn)
    if name is None:
        raise invalid_parameter("The policyArn parameter format is not valid", **fields)
    if scope.get("type") == "namespace" and not scope.get("namespaces"):
        raise invalid_parameter("The namespaces list must not be empty for the access scope type namespace", **fields)
    if scope.get("type", "cluster") == "cluster" and scope.get("namespaces"):
        raise invalid_parameter("Namespaces cannot be specified for the access scope type cluster", **fields)
    if name in _CLUSTER_ONLY and scope.get("type") == "namespace":
        raise invalid_parameter(f"The access policy {name} can only be associated with the access scope type cluster", **fields)
    before = entry.policies.get(arn)
    entry.policies[arn] = _association(scene, arn, scope, before["associatedAt"] if before else None)
    return {"clusterName": cluster.name, "principalArn": principal, "associatedAccessPolicy": entry.policies[arn]}


@operation
def disassociate_access_policy(scene: Scene, parameters: dict[str, Any]) -> dict[str, Any]:
    cluster = _cluster(scene, parameters["clusterName"], ready=True)
    entry = lookup.entry(cluster, parameters["principalArn"])
    entry.policies.pop(parameters["policyArn"], None)
    return {}


@operation
def list_associated_access_policies(scene: Scene, parameters: dict[str, Any]) -> dict[str, Any]:
    cluster = _cluster(scene, parameters["clusterName"])
    entry = lookup.entry(cluster, parameters["principalArn"])
    shown, token = page(list(entry.policies.values()), parameters)
    return {
        "clusterName": cluster.name,
        "principalArn": parameters["principalArn"],
        "associatedAccessPolicies": shown,
        "nextToken": token,
    }
