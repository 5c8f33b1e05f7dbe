"""KMS: keys named by ARN, and how long ago keys changed."""

from __future__ import annotations

import json

from local_aws.eks.keys import key_state_changed
from local_aws.shims.passage import Passage, json_answer, shim
from local_aws.wire.message import Response


def _bare(key: str) -> str:
    """moto wants the bare key id; AWS takes it and the ARN."""
    return key.rpartition("/")[2] if key.startswith("arn:") else key


@shim("kms", "ScheduleKeyDeletion", "CancelKeyDeletion")
def by_arn(passage: Passage) -> Response:
    """AWS answers the ARN, and the state."""
    key = passage.parameters.get("KeyId", "")
    window = passage.parameters.get("PendingWindowInDays", 30)
    if not 7 <= window <= 30:
        return passage.refuse("ValidationException", "PendingWindowInDays must be between 7 and 30")
    response = passage.forward_json(KeyId=_bare(key))
    if response.status >= 300:
        return response
    body = json.loads(response.body)
    if not str(body.get("KeyId", "")).startswith("arn:"):
        scene = passage.scene
        body["KeyId"] = f"arn:{scene.partition}:kms:{scene.region}:{scene.account.id}:key/{body['KeyId']}"
    pending = passage.call.operation == "ScheduleKeyDeletion"
    key_state_changed(passage.scene, body["KeyId"], "KmsKeyMarkedForDeletion" if pending else None)
    if pending:
        body |= {"KeyState": "PendingDeletion", "PendingWindowInDays": window}
    return json_answer(body)


@shim("kms", "CreateKey")
def create_key(passage: Passage) -> Response:
    response = passage.forward()
    if response.status < 300:
        arn = json.loads(response.body)["KeyMetadata"]["Arn"]
        passage.scene.account.world.keys_changed[arn] = passage.scene.now
    return response


@shim("kms", "PutKeyPolicy")
def put_key_policy(passage: Passage) -> Response:
    response = passage.forward_json(PolicyName=passage.parameters.get("PolicyName", "default"))
    if response.status < 300:
        scene = passage.scene
        key = scene.cloud.call("kms", "DescribeKey", KeyId=passage.parameters["KeyId"])["KeyMetadata"]["Arn"]
        scene.account.world.keys_changed[key] = scene.now
    return response


@shim("kms", "GetKeyPolicy")
def get_key_policy(passage: Passage) -> Response:
    return passage.forward_json(PolicyName=passage.parameters.get("PolicyName", "default"))


@shim("kms", "DisableKey", "EnableKey")
def switch_key(passage: Passage) -> Response:
    response = passage.forward_json(KeyId=_bare(passage.parameters.get("KeyId", "")))
    if response.status < 300:
        key = passage.scene.cloud.call("kms", "DescribeKey", KeyId=passage.parameters["KeyId"])["KeyMetadata"]["Arn"]
        key_state_changed(passage.scene, key, "KmsKeyDisabled" if passage.call.operation == "DisableKey" else None)
    return response
