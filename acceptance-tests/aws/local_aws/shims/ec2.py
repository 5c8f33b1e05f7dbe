"""EC2: what network interfaces hold in place."""

from __future__ import annotations

from local_aws.shims.passage import Passage, shim
from local_aws.wire.message import Response


def _interfaces(passage: Passage, filter_name: str, value: str) -> bool:
    answer = passage.scene.cloud.call("ec2", "DescribeNetworkInterfaces", Filters=[{"Name": filter_name, "Values": [value]}])
    return bool(answer["NetworkInterfaces"])


@shim("ec2", "DeleteSubnet")
def delete_subnet(passage: Passage) -> Response:
    subnet = passage.parameters.get("SubnetId", "")
    if _interfaces(passage, "subnet-id", subnet):
        return passage.refuse("DependencyViolation", f"The subnet '{subnet}' has dependencies and cannot be deleted.")
    return passage.forward()


@shim("ec2", "DeleteSecurityGroup")
def delete_security_group(passage: Passage) -> Response:
    group = passage.parameters.get("GroupId", "")
    if group and _interfaces(passage, "group-id", group):
        return passage.refuse("DependencyViolation", f"resource {group} has a dependent object")
    return passage.forward()
