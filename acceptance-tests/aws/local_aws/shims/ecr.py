"""ECR repositories: keys, lifecycle policies, pages."""

from __future__ import annotations

import json
import uuid
from typing import Any

from local_aws.cloud import CloudError
from local_aws.shims.passage import Passage, json_answer, shim
from local_aws.wire.message import Response

_PAGE = 100
_LONGEST_LIFECYCLE_POLICY = 30720
_SHORTEST_LIFECYCLE_POLICY = 100
_MOST_TAGS = 50


def _managed_key(passage: Passage) -> str:
    """The key `aws/ecr`, which AWS makes when the first repository needs it."""
    scene = passage.scene
    keys = scene.account.world.managed_keys
    if (scene.region, "ecr") not in keys:
        keys[scene.region, "ecr"] = f"arn:{scene.partition}:kms:{scene.region}:{scene.account.id}:key/{uuid.uuid4()}"
    return keys[scene.region, "ecr"]


def _usable_key(passage: Passage, key: str) -> str | None:
    try:
        metadata = passage.scene.cloud.call("kms", "DescribeKey", KeyId=key)["KeyMetadata"]
    except CloudError:
        return None
    return metadata["Arn"] if metadata["KeyState"] == "Enabled" else None


@shim("ecr", "CreateRepository")
def create_repository(passage: Passage) -> Response:
    tags = passage.parameters.get("tags") or []
    if refusal := _refuse_tags(passage, tags):
        return refusal
    encryption = dict(passage.parameters.get("encryptionConfiguration") or {"encryptionType": "AES256"})
    if encryption["encryptionType"] in ("KMS", "KMS_DSSE"):
        named = encryption.get("kmsKey")
        arn = _usable_key(passage, named) if named else _managed_key(passage)
        if arn is None:
            return passage.refuse("KmsException", f"Invalid KMS key: {named}")
        encryption["kmsKey"] = arn
    return passage.forward_json(encryptionConfiguration=encryption)


def _refuse_tags(passage: Passage, tags: list[dict[str, str]]) -> Response | None:
    if any(tag["Key"].lower().startswith("aws:") for tag in tags):
        return passage.refuse("InvalidTagParameterException", "Tag keys beginning with aws: are reserved")
    if len(tags) > _MOST_TAGS:
        return passage.refuse("TooManyTagsException", f"A repository has at most {_MOST_TAGS} tags")
    return None


@shim("ecr", "TagResource")
def tag_resource(passage: Passage) -> Response:
    return _refuse_tags(passage, passage.parameters.get("tags") or []) or passage.forward()


@shim("ecr", "DescribeRepositories")
def describe_repositories(passage: Passage) -> Response:
    response = passage.forward()
    if response.status >= 300 or passage.parameters.get("repositoryNames"):
        return response
    body = json.loads(response.body)
    start = int(passage.parameters.get("nextToken") or 0)
    end = start + min(int(passage.parameters.get("maxResults") or _PAGE), 1000)
    page: dict[str, Any] = {"repositories": body["repositories"][start:end]}
    if end < len(body["repositories"]):
        page["nextToken"] = str(end)
    return json_answer(page)


@shim("ecr", "PutImageScanningConfiguration")
def put_image_scanning(passage: Passage) -> Response:
    """SDKs leave out what is false, and the backend would keep what was there."""
    scanning = passage.parameters.get("imageScanningConfiguration") or {}
    return passage.forward_json(imageScanningConfiguration={"scanOnPush": False, **scanning})


@shim("ecr", "PutLifecyclePolicy")
def put_lifecycle_policy(passage: Passage) -> Response:
    text = passage.parameters.get("lifecyclePolicyText", "")
    if not _SHORTEST_LIFECYCLE_POLICY <= len(text) <= _LONGEST_LIFECYCLE_POLICY:
        return _invalid_lifecycle(passage, f"length {len(text)} is not between 100 and 30720")
    try:
        rules = json.loads(text)["rules"]
        priorities = [rule["rulePriority"] for rule in rules]
        of_any = [rule["rulePriority"] for rule in rules if rule["selection"]["tagStatus"] == "any"]
    except (ValueError, KeyError, TypeError):
        return _invalid_lifecycle(passage, "the text is no lifecycle policy")
    if len(set(priorities)) < len(priorities) or min(priorities, default=1) < 1:
        return _invalid_lifecycle(passage, "every rule has a priority of its own, from 1")
    if of_any and of_any != [max(priorities)]:
        return _invalid_lifecycle(passage, "a rule about any image has the highest priority number")
    return passage.forward()


def _invalid_lifecycle(passage: Passage, text: str) -> Response:
    message = f"Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: '{text}'"
    return passage.refuse("InvalidParameterException", message)


@shim("kms", "DescribeKey")
def describe_key(passage: Passage) -> Response:
    """Keys that AWS manages are not in the backend."""
    scene, key = passage.scene, passage.parameters.get("KeyId", "")
    for (region, service), arn in scene.account.world.managed_keys.items():
        if region == scene.region and key in (arn, arn.rpartition("/")[2], f"alias/aws/{service}"):
            return json_answer({"KeyMetadata": _managed_metadata(scene.account.id, arn, service)})
    return passage.forward()


def _managed_metadata(account: str, arn: str, service: str) -> dict[str, Any]:
    return {
        "AWSAccountId": account,
        "KeyId": arn.rpartition("/")[2],
        "Arn": arn,
        "Enabled": True,
        "Description": f"Default key that protects my {service.upper()} data when no other key is defined",
        "KeyUsage": "ENCRYPT_DECRYPT",
        "KeyState": "Enabled",
        "Origin": "AWS_KMS",
        "KeyManager": "AWS",
        "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT",
        "KeySpec": "SYMMETRIC_DEFAULT",
        "MultiRegion": False,
    }
