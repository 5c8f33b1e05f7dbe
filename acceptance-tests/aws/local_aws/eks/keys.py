"""Whether EKS may use a KMS key: its existence, its policy, and how long ago that changed."""

from __future__ import annotations

import json
from typing import Any

from local_aws.cloud import CloudError
from local_aws.eks.errors import invalid_parameter, invalid_request
from local_aws.eks.scene import Scene
from local_aws.eks.surroundings import as_list


def require_key(scene: Scene, key: str, role: str, **fields: Any) -> str:
    """The ARN of the key (which may be given as an alias), or the error EKS answers."""
    try:
        metadata = scene.cloud.call("kms", "DescribeKey", KeyId=key)["KeyMetadata"]
    except CloudError as error:
        raise invalid_parameter(f"Invalid KMS key ARN {key}: {error.message}", **fields) from None
    arn = metadata["Arn"]
    if metadata["KeyState"] != "Enabled":
        raise invalid_parameter(f"KMS key {arn} is not enabled: its state is {metadata['KeyState']}", **fields)
    if metadata.get("KeySpec", "SYMMETRIC_DEFAULT") != "SYMMETRIC_DEFAULT":
        raise invalid_parameter(f"KMS key {arn} is not a symmetric key", **fields)
    statements = _statements(scene, arn)
    if not _allowed(statements, {_root(scene), scene.principal}):
        raise invalid_request("User not authorized to perform kms:CreateGrant", **fields)
    changed = scene.account.world.keys_changed.get(arn, 0)
    if _denied(statements, role) or scene.now < changed + scene.duration("kms_propagation"):
        raise invalid_parameter(f"Access denied to KMS key {arn} due to explicit deny policy or revoked grant", **fields)
    return arn


def role_is_shut_out(scene: Scene, key: str, role: str) -> bool:
    try:
        statements = _statements(scene, key)
    except CloudError:
        return True
    return _denied(statements, role) or not _allowed(statements, {_root(scene), role})


def _root(scene: Scene) -> str:
    return f"arn:{scene.partition}:iam::{scene.account.id}:root"


def _statements(scene: Scene, key: str) -> list[dict[str, Any]]:
    policy = scene.cloud.call("kms", "GetKeyPolicy", KeyId=key, PolicyName="default")["Policy"]
    return as_list(json.loads(policy).get("Statement", []))


def _names(statement: dict[str, Any], principals: set[str]) -> bool:
    named = statement.get("Principal")
    if named == "*":
        return True
    values = as_list(named.get("AWS", [])) if isinstance(named, dict) else []
    accounts = {principal.split(":")[4] for principal in principals if principal.endswith(":root")}
    return bool({"*", *principals, *accounts} & set(values))


def _grants(statement: dict[str, Any]) -> bool:
    return bool({"kms:*", "*", "kms:CreateGrant", "kms:Create*"} & set(as_list(statement.get("Action", []))))


def _allowed(statements: list[dict[str, Any]], principals: set[str]) -> bool:
    return any(s.get("Effect") == "Allow" and _names(s, principals) and _grants(s) for s in statements)


def _denied(statements: list[dict[str, Any]], role: str) -> bool:
    return any(s.get("Effect") == "Deny" and _names(s, {role}) and not s.get("Condition") for s in statements)


def key_state_changed(scene: Scene, arn: str, issue: str | None) -> None:
    """Clusters that are encrypted with a key suffer with it."""
    for cluster in scene.eks.clusters.values():
        if any(setup["provider"]["keyArn"] == arn for setup in cluster.view.get("encryptionConfig", [])):
            message = f"The KMS key {arn} of the cluster cannot be used"
            found = [{"code": issue, "message": message, "resourceIds": [arn]}] if issue else []
            cluster.view["health"] = {"issues": found}
