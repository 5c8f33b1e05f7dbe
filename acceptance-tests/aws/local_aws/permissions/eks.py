"""What calls to EKS need."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl

from local_aws.cloud import CloudError
from local_aws.eks.scene import Scene
from local_aws.permissions.needs import action_of, finder, request_tags, resource_tags
from local_aws.permissions.others import needs_of_key
from local_aws.permissions.policies import Need
from local_aws.wire.call import Call

# Identifiers that EKS makes up; policies have a wildcard in their place.
_ANY_UUID = "00000000-0000-0000-0000-000000000000"
# The Service Authorization Reference names no resource for these.
_WITHOUT_RESOURCE = (
    "CreateCluster",
    "ListClusters",
    "DescribeAddonConfiguration",
    "DescribeAddonVersions",
    "DescribeClusterVersions",
)
_SERVICE_LINKED = {
    "CreateCluster": ("eks.amazonaws.com", "AWSServiceRoleForAmazonEKS"),
    "CreateNodegroup": ("eks-nodegroup.amazonaws.com", "AWSServiceRoleForAmazonEKSNodegroup"),
}


@finder("eks")
def eks(scene: Scene, call: Call) -> list[Need]:
    body = _body(call)
    tags = body.get("tags") or {}
    resource = "*" if call.operation in _WITHOUT_RESOURCE else _resource(scene, call)
    context = request_tags(tags) | resource_tags(_present_tags(scene, call))
    needs = [Need(action_of(call), resource, context)]
    if call.operation.startswith("Create") and tags:
        needs.append(Need("eks:TagResource", _made(scene, call, body), request_tags(tags)))
    return needs + _passed(scene, call, body) + _keys(scene, call, body) + _service_linked_role(scene, call)


def _body(call: Call) -> dict[str, Any]:
    try:
        body = json.loads(call.request.body) if call.request.body else {}
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _entry(scene: Scene, cluster: str, principal: str) -> str:
    parts = principal.split(":", 5)
    kind, _, name = parts[-1].partition("/")
    account = parts[4] if len(parts) == 6 else scene.account.id
    return scene.arn(f"access-entry/{cluster}/{kind}/{account}/{name}/{_ANY_UUID}")


def _resource(scene: Scene, call: Call) -> str:
    path, query = call.parameters, dict(parse_qsl(call.request.query))
    if "resourceArn" in path:
        return path["resourceArn"]
    cluster = path.get("name", "")
    if group := path.get("nodegroupName") or query.get("nodegroupName"):
        return scene.arn(f"nodegroup/{cluster}/{group}/{_ANY_UUID}")
    if addon := path.get("addonName") or query.get("addonName"):
        return scene.arn(f"addon/{cluster}/{addon}/{_ANY_UUID}")
    if principal := path.get("principalArn"):
        return _entry(scene, cluster, principal)
    if association := path.get("associationId"):
        return scene.arn(f"podidentityassociation/{cluster}/{association}")
    return scene.arn(f"cluster/{cluster}") if cluster else "*"


def _made(scene: Scene, call: Call, body: dict[str, Any]) -> str:
    cluster = call.parameters.get("name", "")
    if call.operation == "CreateNodegroup":
        return scene.arn(f"nodegroup/{cluster}/{body.get('nodegroupName')}/{_ANY_UUID}")
    if call.operation == "CreateAddon":
        return scene.arn(f"addon/{cluster}/{body.get('addonName')}/{_ANY_UUID}")
    if call.operation == "CreateAccessEntry":
        return _entry(scene, cluster, body.get("principalArn", ""))
    if call.operation == "CreatePodIdentityAssociation":
        return scene.arn(f"podidentityassociation/{cluster}/{_ANY_UUID}")
    return scene.arn(f"cluster/{body.get('name', '')}")


def _present_tags(scene: Scene, call: Call) -> dict[str, str]:
    found = scene.eks.clusters.get(call.parameters.get("name", ""))
    return (found.view.get("tags") or {}) if found else {}


def _passed(scene: Scene, call: Call, body: dict[str, Any]) -> list[Need]:
    def passing(role: str, service: str) -> Need:
        return Need("iam:PassRole", role, {"iam:PassedToService": service})

    needs = []
    if call.operation == "CreateCluster":
        needs.append(passing(body.get("roleArn", ""), "eks.amazonaws.com"))
    if call.operation == "CreateNodegroup":
        needs.append(passing(body.get("nodeRole", ""), "eks.amazonaws.com"))
        needs += _nodes(scene, body.get("launchTemplate") or {})
    if call.operation == "CreateAccessEntry" and body.get("type", "STANDARD") in ("EC2_LINUX", "EC2_WINDOWS"):
        needs.append(passing(body.get("principalArn", ""), "ec2.amazonaws.com"))
    cluster = scene.arn(f"cluster/{call.parameters.get('name', '')}")
    if call.operation == "CreatePodIdentityAssociation":
        needs.append(passing(body.get("roleArn", ""), "pods.eks.amazonaws.com"))
    if call.operation in ("CreateAddon", "UpdateAddon"):
        for association in body.get("podIdentityAssociations") or []:
            needs.append(Need("eks:CreatePodIdentityAssociation", cluster))
            needs.append(passing(association.get("roleArn", ""), "pods.eks.amazonaws.com"))
    if call.operation == "DeleteAddon":
        found = scene.eks.clusters.get(call.parameters.get("name", ""))
        addon = found.addons.get(call.parameters.get("addonName", "")) if found else None
        for identifier in addon.associations.values() if addon else []:
            association = scene.arn(f"podidentityassociation/{call.parameters['name']}/{identifier}")
            needs.append(Need("eks:DeletePodIdentityAssociation", association))
    return needs


def _nodes(scene: Scene, template: dict[str, Any]) -> list[Need]:
    """EKS tries with the caller's permissions whether instances can be started."""
    if not template:
        return []
    arn = f"arn:{scene.partition}:ec2:{scene.region}:{scene.account.id}"
    context = {"ec2:LaunchTemplate": f"{arn}:launch-template/{template.get('id') or 'lt-0'}"}
    return [
        Need("ec2:RunInstances", f"{arn}:instance/*", context),
        Need("ec2:CreateTags", f"{arn}:instance/*", {"ec2:CreateAction": "RunInstances"}),
    ]


def _keys(scene: Scene, call: Call, body: dict[str, Any]) -> list[Need]:
    if call.operation not in ("CreateCluster", "AssociateEncryptionConfig"):
        return []
    arns = [config.get("provider", {}).get("keyArn", "") for config in body.get("encryptionConfig") or []]
    actions = ("kms:DescribeKey", "kms:CreateGrant")
    return [need for arn in arns for action in actions for need in needs_of_key(scene, action, arn)]


def _service_linked_role(scene: Scene, call: Call) -> list[Need]:
    if call.operation not in _SERVICE_LINKED:
        return []
    service, role = _SERVICE_LINKED[call.operation]
    try:
        scene.cloud.call("iam", "GetRole", RoleName=role)
    except CloudError:
        arn = f"arn:{scene.partition}:iam::{scene.account.id}:role/aws-service-role/{service}/{role}"
        return [Need("iam:CreateServiceLinkedRole", arn, {"iam:AWSServiceName": service})]
    return []
