"""Pod Identity associations."""

from __future__ import annotations

from typing import Any

from local_aws.eks import lookup
from local_aws.eks.errors import in_use, invalid_parameter, invalid_request
from local_aws.eks.records import Cluster, Part
from local_aws.eks.requests import page
from local_aws.eks.scene import Scene, operation
from local_aws.eks.surroundings import find_role, role_is_effective, trusts
from local_aws.eks.tags import require_tags


def require_role(scene: Scene, arn: str, **fields: Any) -> None:
    role = find_role(scene, arn)
    if role is None or not role_is_effective(scene, arn):
        raise invalid_parameter("Role provided in the request does not exist.", **fields)
    if not trusts(role, "pods.eks.amazonaws.com"):
        raise invalid_parameter(
            "Trust policy of role provided in the request does not allow pods.eks.amazonaws.com to assume it.", **fields
        )


def require_free(cluster: Cluster, namespace: str, service_account: str, **fields: Any) -> None:
    for identifier, part in cluster.associations.items():
        if (part.view["namespace"], part.view["serviceAccount"]) == (namespace, service_account):
            raise in_use(f"Association already exists: {identifier}", **fields)


def add(scene: Scene, cluster: Cluster, request: dict[str, Any], owner: str | None = None) -> str:
    identifier = f"a-{scene.random_id(17)}"
    target = request.get("targetRoleArn")
    view = {
        "clusterName": cluster.name,
        "namespace": request["namespace"],
        "serviceAccount": request["serviceAccount"],
        "roleArn": request["roleArn"],
        "associationArn": scene.arn(f"podidentityassociation/{cluster.name}/{identifier}"),
        "associationId": identifier,
        "tags": dict(request.get("tags", {})),
        "createdAt": scene.timestamp(),
        "modifiedAt": scene.timestamp(),
        "ownerArn": owner,
        "disableSessionTags": request.get("disableSessionTags", False),
        "targetRoleArn": target,
        "externalId": scene.random_id(32) if target else None,
        "policy": request.get("policy"),
    }
    part = Part({member: value for member, value in view.items() if value is not None}, scene.now)
    cluster.associations.put(identifier, part, scene.listed_after())
    return identifier


def remove(scene: Scene, cluster: Cluster, identifier: str) -> None:
    if identifier in cluster.associations:
        cluster.associations.take(identifier, scene.listed_after())


@operation
def create_pod_identity_association(scene: Scene, parameters: dict[str, Any]) -> dict[str, Any]:
    cluster = lookup.ready_cluster(scene, parameters["clusterName"])
    fields = {"clusterName": cluster.name}
    require_tags(parameters.get("tags", {}))
    require_free(cluster, parameters["namespace"], parameters["serviceAccount"], **fields)
    require_role(scene, parameters["roleArn"], **fields)
    _require_policy(parameters, fields)
    return {"association": cluster.associations[add(scene, cluster, parameters)].view}


def _require_policy(setup: dict[str, Any], fields: dict[str, Any]) -> None:
    if setup.get("policy") and not setup.get("disableSessionTags"):
        raise invalid_parameter("disableSessionTags must be true when a policy is specified", **fields)


@operation
def describe_pod_identity_association(scene: Scene, parameters: dict[str, Any]) -> dict[str, Any]:
    cluster = lookup.cluster(scene, parameters["clusterName"])
    return {"association": lookup.association(cluster, parameters["associationId"]).view}


@operation
def list_pod_identity_associations(scene: Scene, parameters: dict[str, Any]) -> dict[str, Any]:
    cluster = lookup.cluster(scene, parameters["clusterName"])
    listed = set(cluster.associations.listed(scene.now))
    members = ("clusterName", "namespace", "serviceAccount", "associationArn", "associationId", "ownerArn")
    found = [
        {member: part.view.get(member) for member in members}
        for identifier, part in cluster.associations.items()
        if identifier in listed
        and part.view["namespace"] == parameters.get("namespace", part.view["namespace"])
        and part.view["serviceAccount"] == parameters.get("serviceAccount", part.view["serviceAccount"])
    ]
    shown, token = page(found, parameters)
    return {"associations": shown, "nextToken": token}


@operation
def update_pod_identity_association(scene: Scene, parameters: dict[str, Any]) -> dict[str, Any]:
    cluster = lookup.ready_cluster(scene, parameters["clusterName"])
    part = lookup.association(cluster, parameters["associationId"])
    fields = {"clusterName": cluster.name}
    members = ("roleArn", "targetRoleArn", "disableSessionTags", "policy")
    changes = {
        member: parameters[member] for member in members if member in parameters and parameters[member] != part.view.get(member)
    }
    if not changes:
        raise invalid_request("At least one member of the association must be changed", **fields)
    if "roleArn" in changes:
        require_role(scene, changes["roleArn"], **fields)
    _require_policy({**part.view, **changes}, fields)
    part.view.update(changes)
    part.view["modifiedAt"] = scene.timestamp()
    if changes.get("targetRoleArn"):
        part.view["externalId"] = scene.random_id(32)
    # An empty string takes target role and policy away.
    for member in ("targetRoleArn", "policy"):
        if part.view.get(member) == "":
            del part.view[member]
            if member == "targetRoleArn":
                part.view.pop("externalId", None)
    return {"association": part.view}


@operation
def delete_pod_identity_association(scene: Scene, parameters: dict[str, Any]) -> dict[str, Any]:
    cluster = lookup.cluster(scene, parameters["clusterName"])
    part = lookup.association(cluster, parameters["associationId"])
    owner = part.view.get("ownerArn")
    if owner:
        raise invalid_request(
            f"Association {parameters['associationId']} is owned by {owner} and can only be deleted through it",
            clusterName=cluster.name,
        )
    remove(scene, cluster, parameters["associationId"])
    return {"association": part.view}
