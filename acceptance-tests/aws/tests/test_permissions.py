"""Policies are enforced, and the published ones are sound in the eyes of linters with their own tables."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import parliament
import pytest
from botocore.exceptions import ClientError
from driver import Aws
from policy_sentry.querying.actions import get_action_data

GUIDE = Path(__file__).parents[3] / "docs" / "guides" / "permissions.md"


def _documents() -> list[dict[str, Any]]:
    return [json.loads(block) for block in re.findall(r"```json\n(.*?)\n```", GUIDE.read_text(), re.DOTALL)]


def _statements() -> list[dict[str, Any]]:
    return [statement for document in _documents() for statement in document["Statement"]]


def _of_all(action: str, member: str) -> set[str]:
    service, name = action.split(":")
    found = get_action_data(service, name)
    assert found, f"there is no action {action}"
    values = [entry[member] for entry in found[service]]
    return set(values) if isinstance(values[0], str) else {value for group in values for value in group}


def _could_match(pattern: str, arn_format: str) -> bool:
    """Whether a pattern of ours can be about a resource of that form."""
    ours, theirs = pattern.split(":", 5), arn_format.split(":", 5)
    if len(ours) < 6 or len(theirs) < 6 or ours[2] != theirs[2]:
        return False
    kind = re.split(r"[/:]", theirs[5])[0]
    return "$" in kind or re.split(r"[/:*]", ours[5])[0] == kind


def test_every_published_action_exists_and_is_about_a_resource_of_its_statement():
    for statement in _statements():
        for action in statement["Action"]:
            forms = _of_all(action, "resource_arn_format")
            for resource in statement["Resource"]:
                fits = "*" in forms if resource == "*" else any(_could_match(resource, form) for form in forms)
                other_actions = [other for other in statement["Action"] if other != action]
                needed_by_another = any(
                    _could_match(resource, form) for other in other_actions for form in _of_all(other, "resource_arn_format")
                )
                assert fits or needed_by_another, (action, resource)
            if statement["Resource"] != ["*"]:
                resources = statement["Resource"]
                assert any(_could_match(resource, form) for resource in resources for form in forms), action


def test_nothing_stands_on_every_resource_that_could_be_narrower():
    for statement in _statements():
        for action in statement["Action"]:
            if statement["Resource"] == ["*"]:
                forms = _of_all(action, "resource_arn_format")
                narrowed = "Condition" in statement
                assert forms == {"*"} or narrowed, f"{action} supports {forms - {'*'}}"


def test_no_action_has_a_wildcard_and_no_role_is_passed_to_anybody():
    for statement in _statements():
        assert not any("*" in action for action in statement["Action"])
        if "iam:PassRole" in statement["Action"]:
            assert "iam:PassedToService" in statement["Condition"]["StringEquals"]
            assert all(":role/" in resource for resource in statement["Resource"])


def _is_met_elsewhere(mismatch: dict[str, str]) -> bool:
    """An alias needs its own resource and its key, under different conditions: the linter looks at one statement."""
    resources = [
        resource for statement in _statements() if mismatch["action"] in statement["Action"] for resource in statement["Resource"]
    ]
    return any(_could_match(resource, mismatch["required_format"]) for resource in resources)


def test_a_linter_finds_nothing():
    for document in _documents():
        for finding in parliament.analyze_policy_string(json.dumps(document)).findings:
            mismatches = finding.detail if finding.issue == "RESOURCE_MISMATCH" else []
            is_met = mismatches and all(_is_met_elsewhere(mismatch) for mismatch in mismatches)
            assert is_met, (finding.issue, finding.detail, finding.location)


def _allow(aws: Aws, *actions: str, resource: str = "*", **condition: Any) -> None:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": resource}
    if condition:
        statement["Condition"] = condition["condition"]
    aws.control("POST", "policies", documents=[{"Version": "2012-10-17", "Statement": [statement]}])


def test_what_no_policy_allows_is_denied_in_the_words_of_the_service(aws: Aws):
    _allow(aws, "iam:ListRoles")
    assert "Roles" in aws.client("iam").list_roles()
    for service, operation, code in [
        ("eks", "list_clusters", "AccessDeniedException"),
        ("kms", "list_keys", "AccessDeniedException"),
        ("ec2", "describe_launch_templates", "UnauthorizedOperation"),
    ]:
        with pytest.raises(ClientError) as refused:
            getattr(aws.client(service), operation)()
        assert refused.value.response["Error"]["Code"] == code
        assert "is not authorized to perform" in refused.value.response["Error"]["Message"]


def test_everybody_may_ask_who_they_are(aws: Aws):
    aws.control("POST", "policies", documents=[])
    assert aws.client("sts").get_caller_identity()["Account"] == aws.account


def test_without_policies_everything_is_allowed_again(aws: Aws):
    aws.control("POST", "policies", documents=[])
    aws.control("POST", "policies", documents=None)
    assert aws.client("eks").list_clusters()["clusters"] == []


def test_a_resource_outside_of_the_pattern_is_denied(cluster: Aws):
    _allow(cluster, "eks:DescribeCluster", resource=f"arn:aws:eks:*:{cluster.account}:cluster/prod")
    assert cluster.client("eks").describe_cluster(name="prod")
    with pytest.raises(ClientError, match="cluster/other"):
        cluster.client("eks").describe_cluster(name="other")


def test_tags_of_a_key_decide(aws: Aws):
    kms = aws.client("kms")
    tags = [{"TagKey": "team", "TagValue": "a"}]
    ours = kms.create_key(Tags=tags)["KeyMetadata"]["KeyId"]
    theirs = kms.create_key()["KeyMetadata"]["KeyId"]
    _allow(aws, "kms:EnableKeyRotation", condition={"StringEquals": {"aws:ResourceTag/team": "a"}})
    kms.enable_key_rotation(KeyId=ours)
    with pytest.raises(ClientError, match="kms:EnableKeyRotation"):
        kms.enable_key_rotation(KeyId=theirs)


def test_a_role_is_passed_only_to_the_services_named(aws: Aws):
    _allow(aws, "eks:CreateCluster")
    with pytest.raises(ClientError, match="iam:PassRole"):
        aws.client("eks").create_cluster(
            name="prod", roleArn=f"arn:aws:iam::{aws.account}:role/any", resourcesVpcConfig={"subnetIds": ["subnet-1"]}
        )
