"""IAM: policy documents that make no sense, young principals, policies with versions."""

from __future__ import annotations

import json
import re
from typing import Any

from local_aws.cloud import CloudError
from local_aws.eks.nodegroups import foundations_changed
from local_aws.eks.surroundings import as_list, find_role, role_is_effective
from local_aws.shims.passage import Passage, shim
from local_aws.wire.message import Response

_SERVICE = re.compile(r"^[a-z0-9][a-z0-9.-]*\.(amazonaws\.com(\.cn)?|aws)$")
_ROLE_NAME = re.compile(r"^[\w+=,.@-]{1,64}$", re.ASCII)


def _trust_problem(passage: Passage, text: str) -> str | None:
    try:
        document = json.loads(text)
        statements = as_list(document["Statement"])
    except (ValueError, KeyError, TypeError):
        return "This policy contains invalid Json"
    for statement in statements:
        if not isinstance(statement, dict) or statement.get("Effect") not in ("Allow", "Deny"):
            return "Syntax errors in policy."
        if "Resource" in statement:
            return "Has prohibited field Resource"
        if "Principal" not in statement and "NotPrincipal" not in statement:
            return "Missing required field Principal"
        actions = as_list(statement.get("Action", []))
        if not actions:
            return "Missing required field Action"
        if any(action != "*" and not str(action).startswith("sts:") for action in actions):
            return "AssumeRole policy may only specify STS AssumeRole actions."
        named = statement.get("Principal", {})
        if named != "*" and (problem := _principal_problem(passage, named)):
            return problem
    return None


def _principal_problem(passage: Passage, named: Any) -> str | None:
    if not isinstance(named, dict):
        return "Syntax errors in policy."
    for service in as_list(named.get("Service", [])):
        if not _SERVICE.match(service):
            return f'Invalid principal in policy: "SERVICE":"{service}"'
    for principal in as_list(named.get("AWS", [])):
        parts = principal.split(":", 5)
        is_own_role = (
            len(parts) == 6 and parts[2] == "iam" and parts[4] == passage.scene.account.id and parts[5].startswith("role/")
        )
        if is_own_role and (find_role(passage.scene, principal) is None or not role_is_effective(passage.scene, principal)):
            return f'Invalid principal in policy: "AWS":"{principal}"'
    return None


@shim("iam", "CreateRole", "UpdateAssumeRolePolicy")
def write_trust_policy(passage: Passage) -> Response:
    create = passage.call.operation == "CreateRole"
    name = passage.parameters.get("RoleName", "")
    if create and not _ROLE_NAME.match(name):
        return passage.refuse(
            "ValidationError",
            f"1 validation error detected: Value '{name}' at 'roleName' failed to satisfy constraint: "
            "Member must satisfy regular expression pattern: [\\w+=,.@-]+ and have length less than or equal to 64",
        )
    text = passage.parameters.get("AssumeRolePolicyDocument" if create else "PolicyDocument", "")
    problem = _trust_problem(passage, text)
    if problem:
        return passage.refuse("MalformedPolicyDocument", problem)
    if len(text) > 4096:
        return passage.refuse("LimitExceeded", "Cannot exceed quota for ACLSizePerRole: 2048", 409)
    response = passage.forward()
    if response.status < 300:
        passage.scene.account.world.roles_changed[name] = passage.scene.now
    return response


@shim("iam", "DeletePolicy")
def delete_policy(passage: Passage) -> Response:
    arn = passage.parameters.get("PolicyArn", "")
    try:
        versions = passage.scene.cloud.call("iam", "ListPolicyVersions", PolicyArn=arn)["Versions"]
        policy = passage.scene.cloud.call("iam", "GetPolicy", PolicyArn=arn)["Policy"]
    except CloudError:
        return passage.forward()
    if policy.get("AttachmentCount", 0) > 0:
        return passage.refuse("DeleteConflict", "Cannot delete a policy attached to entities.", 409)
    if len(versions) > 1:
        return passage.refuse(
            "DeleteConflict", "This policy has more than one version. Before you delete a policy, you must delete the "
            "policy's versions. The default version is deleted with the policy.", 409
        )  # fmt: skip
    return passage.forward()


@shim("iam", "DeleteRole")
def delete_role(passage: Passage) -> Response:
    response = passage.forward()
    if response.status < 300:
        foundations_changed(passage.scene)
    return response


@shim("iam", "CreateServiceLinkedRole")
def create_service_linked_role(passage: Passage) -> Response:
    response = passage.forward()
    if b"<Code>EntityAlreadyExists<" in response.body:
        return passage.refuse("InvalidInput", "Service role name has been taken in this account, please try a different suffix.")
    return response
