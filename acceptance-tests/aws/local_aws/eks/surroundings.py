"""What EKS sees and makes in the services around it, asked over the wire."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote

from local_aws.cloud import CloudError
from local_aws.eks.errors import EksError, invalid_parameter
from local_aws.eks.scene import Scene

# Zones in which EKS places no control plane (user guide, network-reqs).
REFUSED_ZONE_IDS = {"use1-az3", "usw1-az2", "cac1-az3"}


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def find_role(scene: Scene, arn: str) -> dict[str, Any] | None:
    """The role with exactly this ARN, as IAM's control plane shows it."""
    try:
        role = scene.cloud.call("iam", "GetRole", RoleName=arn.rpartition("/")[2])["Role"]
    except CloudError:
        return None
    return role if role["Arn"] == arn else None


def role_is_effective(scene: Scene, arn: str) -> bool:
    """Whether a change of the role has reached the services that use it."""
    changed = scene.account.world.roles_changed.get(arn.rpartition("/")[2], 0)
    return scene.now >= changed + scene.duration("iam_propagation")


def trusts(role: dict[str, Any], principal: str) -> bool:
    document = role["AssumeRolePolicyDocument"]
    if isinstance(document, str):
        document = json.loads(unquote(document))
    for statement in as_list(document.get("Statement", [])):
        named = statement.get("Principal", {})
        services = as_list(named.get("Service", [])) if isinstance(named, dict) else []
        actions = as_list(statement.get("Action", []))
        if statement.get("Effect") == "Allow" and principal in services and {"sts:AssumeRole", "sts:*", "*"} & set(actions):
            return True
    return False


def require_cluster_role(scene: Scene, arn: str, **fields: Any) -> None:
    role = find_role(scene, arn)
    if role is None or not trusts(role, "eks.amazonaws.com") or not role_is_effective(scene, arn):
        raise invalid_parameter(
            f"Role with arn: {arn}, could not be assumed because it does not exist or the trusted entity is not correct",
            **fields,
        )
    name = role["RoleName"]
    if (
        not scene.cloud.call("iam", "ListAttachedRolePolicies", RoleName=name)["AttachedPolicies"]
        and not scene.cloud.call("iam", "ListRolePolicies", RoleName=name)["PolicyNames"]
    ):
        policy = f"arn:{scene.partition}:iam::aws:policy/AmazonEKSClusterPolicy"
        raise invalid_parameter(
            "The provided role doesn't have the Amazon EKS Managed Policies associated with it. "
            f"Please ensure the following policies [{policy}] are attached",
            **fields,
        )


def require_node_role(scene: Scene, arn: str, **fields: Any) -> None:
    principal = "ec2.amazonaws.com.cn" if scene.partition == "aws-cn" else "ec2.amazonaws.com"
    role = find_role(scene, arn)
    if role is None or not trusts(role, principal) or not role_is_effective(scene, arn):
        raise invalid_parameter(
            f"Following required service principals [{principal}] were not found in the trust relationships of nodeRole {arn}",
            **fields,
        )


def subnets(scene: Scene, ids: list[str], **fields: Any) -> list[dict[str, Any]]:
    try:
        return scene.cloud.call("ec2", "DescribeSubnets", SubnetIds=ids)["Subnets"]
    except CloudError as error:
        raise invalid_parameter(
            f"{error.message} (Service: AmazonEC2; Status Code: {error.status}; Error Code: {error.code})", **fields
        ) from None


def subnets_exist(scene: Scene, ids: list[str]) -> bool:
    try:
        return bool(scene.cloud.call("ec2", "DescribeSubnets", SubnetIds=ids)["Subnets"])
    except CloudError:
        return False


def control_plane_subnets(scene: Scene, ids: list[str], **fields: Any) -> list[dict[str, Any]]:
    if not ids:
        raise invalid_parameter("subnetIds must not be empty", **fields)
    found = subnets(scene, ids, **fields)
    if len({subnet["VpcId"] for subnet in found}) > 1:
        raise invalid_parameter("Subnets specified must belong to the same VPC", **fields)
    refused = [subnet for subnet in found if subnet.get("AvailabilityZoneId") in REFUSED_ZONE_IDS]
    if refused:
        zones = scene.cloud.call("ec2", "DescribeAvailabilityZones")["AvailabilityZones"]
        valid = [zone["ZoneName"] for zone in zones if zone["ZoneId"] not in REFUSED_ZONE_IDS]
        raise EksError(
            "UnsupportedAvailabilityZoneException",
            f"Cannot create cluster '{fields.get('clusterName')}' because {refused[0]['AvailabilityZone']}, the targeted "
            "availability zone, does not currently have sufficient capacity to support the cluster. Retry and choose "
            f"from these availability zones: {', '.join(valid)}",
            validZones=valid,
            **fields,
        )
    if len({subnet["AvailabilityZone"] for subnet in found}) < 2:
        raise invalid_parameter("Subnets specified must be in at least two different AZs", **fields)
    return found


def require_security_groups(scene: Scene, ids: list[str], **fields: Any) -> None:
    if len(ids) > 4:
        raise invalid_parameter("securityGroupIds: at most 4 security groups can be specified", **fields)
    if not ids:
        return
    try:
        scene.cloud.call("ec2", "DescribeSecurityGroups", GroupIds=ids)
    except CloudError as error:
        raise invalid_parameter(
            f"{error.message} (Service: AmazonEC2; Status Code: {error.status}; Error Code: {error.code})", **fields
        ) from None


def make_cluster_security_group(scene: Scene, cluster: str, vpc: str) -> str:
    name = f"eks-cluster-sg-{cluster}-{scene.random_id(9)}"
    tags = {"Name": name, "aws:eks:cluster-name": cluster, f"kubernetes.io/cluster/{cluster}": "owned"}
    return scene.cloud.call(
        "ec2",
        "CreateSecurityGroup",
        GroupName=name,
        Description="EKS created security group applied to ENI that is attached to EKS Control Plane master nodes, "
        "as well as any managed workloads.",
        VpcId=vpc,
        TagSpecifications=[{"ResourceType": "security-group", "Tags": tag_list(tags)}],
    )["GroupId"]


def make_interface(scene: Scene, subnet: str, group: str, description: str, tags: dict[str, str] | None = None) -> str | None:
    parameters: dict[str, Any] = {"SubnetId": subnet, "Groups": [group], "Description": description}
    if tags:
        parameters["TagSpecifications"] = [{"ResourceType": "network-interface", "Tags": tag_list(tags)}]
    try:
        answer = scene.cloud.call("ec2", "CreateNetworkInterface", **parameters)
    except CloudError:
        # The subnet or the group is gone: nothing can be left there.
        return None
    return answer["NetworkInterface"]["NetworkInterfaceId"]


def delete_interface(scene: Scene, interface: str) -> None:
    try:
        scene.cloud.call("ec2", "DeleteNetworkInterface", NetworkInterfaceId=interface)
    except CloudError:
        pass


def interfaces_using(scene: Scene, group: str) -> list[str]:
    answer = scene.cloud.call("ec2", "DescribeNetworkInterfaces", Filters=[{"Name": "group-id", "Values": [group]}])
    return [interface["NetworkInterfaceId"] for interface in answer["NetworkInterfaces"]]


def delete_security_group(scene: Scene, group: str) -> None:
    try:
        scene.cloud.call("ec2", "DeleteSecurityGroup", GroupId=group)
    except CloudError:
        pass


def log_group_name(cluster: str) -> str:
    return f"/aws/eks/{cluster}/cluster"


def ensure_log_group(scene: Scene, cluster: str) -> None:
    try:
        scene.cloud.call("logs", "CreateLogGroup", logGroupName=log_group_name(cluster))
    except CloudError as error:
        if error.code != "ResourceAlreadyExistsException":
            raise


def launch_template(scene: Scene, wanted: dict[str, str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The template and the data of the wanted version; raises CloudError."""
    key = {"LaunchTemplateIds": [wanted["id"]]} if "id" in wanted else {"LaunchTemplateNames": [wanted["name"]]}
    template = scene.cloud.call("ec2", "DescribeLaunchTemplates", **key)["LaunchTemplates"][0]
    versions = scene.cloud.call(
        "ec2",
        "DescribeLaunchTemplateVersions",
        LaunchTemplateId=template["LaunchTemplateId"],
        Versions=[wanted.get("version", "$Default")],
    )["LaunchTemplateVersions"]
    if not versions:
        raise CloudError("InvalidLaunchTemplateId.VersionNotFound", "Could not find the specified version", 400)
    return template, versions[0]


def tag_list(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": name, "Value": value} for name, value in tags.items()]
