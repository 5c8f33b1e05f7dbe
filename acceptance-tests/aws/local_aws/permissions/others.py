"""What calls to IAM, KMS, CloudWatch Logs, EC2 and ECR need."""

from __future__ import annotations

from typing import Any

from local_aws.cloud import CloudError
from local_aws.eks.scene import Scene
from local_aws.permissions.needs import action_of, finder, request_tags, resource_tags
from local_aws.permissions.policies import Context, Need
from local_aws.wire.call import Call


def _arn(scene: Scene, service: str, rest: str) -> str:
    return f"arn:{scene.partition}:{service}:{scene.region}:{scene.account.id}:{rest}"


def _listed_tags(parameters: dict[str, Any], start: str) -> dict[str, str]:
    """Tags of the query protocols: `<start>1.Key`, `<start>1.Value`, …"""
    tags, number = {}, 1
    while key := parameters.get(f"{start}{number}.Key"):
        tags[key] = parameters.get(f"{start}{number}.Value", "")
        number += 1
    return tags


@finder("iam")
def iam(scene: Scene, call: Call) -> list[Need]:
    name = call.parameters.get("RoleName")
    if not name:
        return [Need(action_of(call), "*")]
    path = call.parameters.get("Path") or "/"
    tags = _listed_tags(call.parameters, "Tags.member.")
    context = request_tags(tags)
    if policy := call.parameters.get("PolicyArn"):
        context["iam:PolicyARN"] = policy
    role = f"arn:{scene.partition}:iam::{scene.account.id}:role{path}{name}"
    if call.operation != "CreateRole":
        try:
            role = scene.cloud.call("iam", "GetRole", RoleName=name)["Role"]["Arn"]
        except CloudError:
            # Whose role it would be cannot be told, as its path is not known.
            return [Need(action_of(call))]
    needs = [Need(action_of(call), role, context)]
    if call.operation == "CreateRole" and tags:
        needs.append(Need("iam:TagRole", role, context))
    return needs


def needs_of_key(scene: Scene, action: str, identifier: str, context: Context | None = None) -> list[Need]:
    """None for a key that does not exist: the call itself says so."""
    try:
        key = scene.cloud.call("kms", "DescribeKey", KeyId=identifier)["KeyMetadata"]
        tags = scene.cloud.call("kms", "ListResourceTags", KeyId=key["KeyId"]).get("Tags", [])
    except CloudError:
        return []
    tags = resource_tags({tag["TagKey"]: tag["TagValue"] for tag in tags})
    return [Need(action, key["Arn"], tags | (context or {}))]


@finder("kms")
def kms(scene: Scene, call: Call) -> list[Need]:
    action, parameters = action_of(call), call.parameters
    asked = request_tags({tag["TagKey"]: tag["TagValue"] for tag in parameters.get("Tags") or []})
    if call.operation == "CreateKey":
        needs = [Need(action, "*", asked)]
        if asked:
            needs.append(Need("kms:TagResource", _arn(scene, "kms", "key/new"), asked))
        return needs
    if call.operation in ("ListKeys", "ListAliases"):
        return [Need(action, "*")]
    needs = []
    alias = parameters.get("AliasName")
    if alias:
        needs.append(Need(action, _arn(scene, "kms", alias)))
    # An alias is moved from one key to another: both must allow it.
    identifiers = [parameters.get("TargetKeyId"), parameters.get("KeyId"), alias]
    for identifier in filter(None, identifiers):
        needs += needs_of_key(scene, action, identifier, asked)
    return needs or [Need(action)]


@finder("logs")
def logs(scene: Scene, call: Call) -> list[Need]:
    action, parameters = action_of(call), call.parameters
    if call.operation == "DescribeLogGroups":
        return [Need(action, "*")]
    group = parameters.get("resourceArn")
    if not group and (name := parameters.get("logGroupName")):
        group = _arn(scene, "logs", f"log-group:{name}")
    if not group:
        return [Need(action)]
    tags = request_tags(parameters.get("tags") or {})
    needs = [Need(action, group, tags)]
    if call.operation == "CreateLogGroup" and tags:
        needs.append(Need("logs:TagResource", group, tags))
    return needs


_EC2_KINDS = {"lt": "launch-template", "eni": "network-interface", "subnet": "subnet"}


def _ec2_resource(scene: Scene, identifier: str) -> tuple[str, Context]:
    kind = _EC2_KINDS.get(identifier.split("-")[0], "unknown")
    filters = [{"Name": "resource-id", "Values": [identifier]}]
    tags = scene.cloud.call("ec2", "DescribeTags", Filters=filters)["Tags"]
    return _arn(scene, "ec2", f"{kind}/{identifier}"), resource_tags({tag["Key"]: tag["Value"] for tag in tags})


@finder("ec2")
def ec2(scene: Scene, call: Call) -> list[Need]:
    action, parameters = action_of(call), call.parameters
    if call.operation.startswith("Describe"):
        return [Need(action, "*")]
    if call.operation == "CreateLaunchTemplate":
        template = _arn(scene, "ec2", "launch-template/lt-0")
        tags = request_tags(_listed_tags(parameters, "TagSpecification.1.Tag."))
        needs = [Need(action, template, tags)]
        if tags:
            needs.append(Need("ec2:CreateTags", template, tags | {"ec2:CreateAction": call.operation}))
        return needs
    identifiers = [parameters.get(name) for name in ("LaunchTemplateId", "NetworkInterfaceId", "ResourceId.1")]
    if name := parameters.get("LaunchTemplateName"):
        try:
            found = scene.cloud.call("ec2", "DescribeLaunchTemplates", LaunchTemplateNames=[name])["LaunchTemplates"]
        except CloudError:
            found = []
        identifiers += [template["LaunchTemplateId"] for template in found]
    asked = request_tags(_listed_tags(parameters, "Tag."))
    resources = [_ec2_resource(scene, identifier) for identifier in identifiers if identifier]
    return [Need(action, resource, tags | asked) for resource, tags in resources] or [Need(action)]


@finder("ecr")
def ecr(scene: Scene, call: Call) -> list[Need]:
    name = call.parameters.get("repositoryName")
    resource = call.parameters.get("resourceArn") or (_arn(scene, "ecr", f"repository/{name}") if name else None)
    tags = {tag["Key"]: tag["Value"] for tag in call.parameters.get("tags") or []}
    present: Context = {}
    if resource:
        try:
            found = scene.cloud.call("ecr", "ListTagsForResource", resourceArn=resource)["tags"]
        except CloudError:
            found = []
        present = resource_tags({tag["Key"]: tag["Value"] for tag in found})
    needs = [Need(action_of(call), resource, present | request_tags(tags))]
    if call.operation == "CreateRepository" and tags:
        needs.append(Need("ecr:TagResource", resource, request_tags(tags)))
    return needs
