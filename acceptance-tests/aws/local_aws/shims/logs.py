"""CloudWatch Logs: keys, classes and protection of log groups, and groups that EKS makes again."""

from __future__ import annotations

import json
import re
from fnmatch import fnmatchcase
from typing import Any

from local_aws.cloud import CloudError
from local_aws.eks.surroundings import as_list
from local_aws.shims.passage import Passage, json_answer, shim
from local_aws.wire.message import Response

_CONTROL_PLANE_GROUP = re.compile(r"^/aws/eks/([^/]+)/cluster$")
_CLASSES = ("STANDARD", "INFREQUENT_ACCESS", "ESSENTIALS", "DELIVERY")


def _kept(passage: Passage, name: str) -> dict[str, Any]:
    """What this front knows of a group beyond what the backend keeps."""
    return passage.scene.account.world.log_groups.setdefault((passage.scene.region, name), {})


def _name(parameters: dict[str, Any]) -> str:
    name = parameters.get("logGroupName") or parameters.get("resourceIdentifier") or parameters.get("logGroupIdentifier", "")
    return name.split(":log-group:")[-1].removesuffix(":*") if name.startswith("arn:") else name


def _refuse_key(passage: Passage, key: str, name: str) -> Response | None:
    scene = passage.scene
    group = f"arn:{scene.partition}:logs:{scene.region}:{scene.account.id}:log-group:{name}"
    refusal = passage.refuse(
        "AccessDeniedException",
        f"The specified KMS key does not exist or is not allowed to be used with Arn '{group}'",
    )
    if not key.startswith("arn:"):
        return passage.refuse("InvalidParameterException", f"Invalid kmsKeyId: {key}")
    try:
        metadata = scene.cloud.call("kms", "DescribeKey", KeyId=key)["KeyMetadata"]
        policy = scene.cloud.call("kms", "GetKeyPolicy", KeyId=key, PolicyName="default")["Policy"]
    except CloudError:
        return refusal
    services = [
        service
        for statement in as_list(json.loads(policy).get("Statement", []))
        if statement.get("Effect") == "Allow" and isinstance(statement.get("Principal"), dict)
        if _speaks_of(statement, group)
        for service in as_list(statement["Principal"].get("Service", []))
    ]
    allowed = any(service.startswith((f"logs.{scene.region}.", "logs.amazonaws.")) for service in services)
    changed = scene.account.world.keys_changed.get(metadata["Arn"], 0)
    young = scene.now < changed + scene.duration("kms_propagation")
    return refusal if young or not allowed or metadata["KeyState"] != "Enabled" else None


def _speaks_of(statement: dict[str, Any], group: str) -> bool:
    """Whether the condition of a statement, if it has one, lets the logs service encrypt this group."""
    condition = statement.get("Condition", {})
    wanted = [
        as_list(values)
        for operator in ("ArnLike", "ArnEquals", "StringLike", "StringEquals")
        for name, values in condition.get(operator, {}).items()
        if name.lower() == "kms:encryptioncontext:aws:logs:arn"
    ]
    return all(any(fnmatchcase(group, pattern) for pattern in patterns) for patterns in wanted)


@shim("logs", "CreateLogGroup")
def create_log_group(passage: Passage) -> Response:
    parameters, name = passage.parameters, _name(passage.parameters)
    group_class = parameters.get("logGroupClass", "STANDARD")
    if group_class not in _CLASSES:
        return passage.refuse("InvalidParameterException", f"Invalid logGroupClass: {group_class}")
    if parameters.get("kmsKeyId") and (refusal := _refuse_key(passage, parameters["kmsKeyId"], name)):
        return refusal
    response = passage.forward()
    if response.status < 300:
        kept = _kept(passage, name)
        kept.clear()
        kept |= {
            "logGroupClass": group_class,
            "deletionProtectionEnabled": parameters.get("deletionProtectionEnabled", False),
        }
        if parameters.get("kmsKeyId"):
            kept["kmsKeyId"] = parameters["kmsKeyId"]
    return response


@shim("logs", "DeleteLogGroup")
def delete_log_group(passage: Passage) -> Response:
    name, scene = _name(passage.parameters), passage.scene
    if _kept(passage, name).get("deletionProtectionEnabled"):
        return passage.refuse("ValidationException", f"Cannot delete log group {name}: deletion protection is enabled")
    _drop_tags(passage, name)
    response = passage.forward()
    if response.status < 300:
        scene.account.world.log_groups.pop((scene.region, name), None)
        scene.account.world.metric_filters.pop((scene.region, name), None)
        found = _CONTROL_PLANE_GROUP.match(name)
        if found:
            scene.later("log_group_returns", "log_group_comes_back", cluster=found.group(1))
    return response


def _drop_tags(passage: Passage, name: str) -> None:
    """The backend keeps tags by ARN: a group made later under the same name would inherit them."""
    scene = passage.scene
    arn = f"arn:{scene.partition}:logs:{scene.region}:{scene.account.id}:log-group:{name}"
    try:
        tags = scene.cloud.call("logs", "ListTagsForResource", resourceArn=arn)["tags"]
    except CloudError:
        return
    if tags:
        scene.cloud.call("logs", "UntagResource", resourceArn=arn, tagKeys=list(tags))


@shim("logs", "DescribeLogGroups")
def describe_log_groups(passage: Passage) -> Response:
    response = passage.forward()
    if response.status >= 300:
        return response
    body = json.loads(response.body)
    for group in body.get("logGroups", []):
        kept = _kept(passage, group["logGroupName"])
        group.setdefault("logGroupClass", "STANDARD")
        group |= kept
        if "kmsKeyId" in group and group["kmsKeyId"] is None:
            del group["kmsKeyId"]
    return json_answer(body)


def require_group(passage: Passage, name: str) -> Response | None:
    groups = passage.scene.cloud.call("logs", "DescribeLogGroups", logGroupNamePrefix=name)["logGroups"]
    if any(group["logGroupName"] == name for group in groups):
        return None
    return passage.refuse("ResourceNotFoundException", "The specified log group does not exist.")


@shim("logs", "AssociateKmsKey")
def associate_kms_key(passage: Passage) -> Response:
    name = _name(passage.parameters)
    key = passage.parameters.get("kmsKeyId", "")
    refusal = require_group(passage, name) or _refuse_key(passage, key, name)
    if refusal:
        return refusal
    _kept(passage, name)["kmsKeyId"] = key
    return json_answer({})


@shim("logs", "DisassociateKmsKey")
def disassociate_kms_key(passage: Passage) -> Response:
    name = _name(passage.parameters)
    refusal = require_group(passage, name)
    if refusal:
        return refusal
    _kept(passage, name)["kmsKeyId"] = None
    return json_answer({})


@shim("logs", "PutLogGroupDeletionProtection")
def put_deletion_protection(passage: Passage) -> Response:
    name = _name(passage.parameters)
    refusal = require_group(passage, name)
    if refusal:
        return refusal
    _kept(passage, name)["deletionProtectionEnabled"] = passage.parameters.get("deletionProtectionEnabled", False)
    return json_answer({})
