"""Managed node groups."""

import pytest
from driver import Aws, refused


def test_a_node_group_from_creation_to_deletion(cluster: Aws) -> None:
    cluster.eks.create_nodegroup(**cluster.nodegroup_request())
    assert cluster.show_nodegroup()["status"] == "CREATING"
    cluster.advance(185)
    group = cluster.show_nodegroup()
    assert group["status"] == "ACTIVE"
    assert group["releaseVersion"].startswith("1.34.")
    assert (group["amiType"], group["diskSize"], group["instanceTypes"]) == ("AL2023_x86_64_STANDARD", 20, ["t3.medium"])
    assert group["resources"]["autoScalingGroups"][0]["name"].startswith("eks-general-")
    assert cluster.eks.list_nodegroups(clusterName="prod")["nodegroups"] == ["general"]
    cluster.eks.delete_nodegroup(clusterName="prod", nodegroupName="general")
    assert cluster.show_nodegroup()["status"] == "DELETING"
    cluster.advance(185)
    with refused("ResourceNotFoundException") as error:
        cluster.show_nodegroup()
    assert error.message == "No node group found for name: general."


def test_it_leaves_network_interfaces_behind(cluster: Aws) -> None:
    cluster.make_nodegroup()
    cluster.eks.delete_nodegroup(clusterName="prod", nodegroupName="general")
    cluster.advance(185)
    filters = [{"Name": "tag:cluster.k8s.amazonaws.com/name", "Values": ["prod"]}]
    left = cluster.ec2.describe_network_interfaces(Filters=filters)["NetworkInterfaces"]
    assert len(left) == 2
    tags = {tag["Key"]: tag["Value"] for tag in left[0]["TagSet"]}
    assert left[0]["Status"] == "available"
    assert tags["eks:eni:owner"] == "amazon-vpc-cni"
    assert tags["node.k8s.amazonaws.com/instance_id"].startswith("i-")
    with refused("DependencyViolation"):
        cluster.ec2.delete_subnet(SubnetId=left[0]["SubnetId"])
    cluster.eks.delete_cluster(name="prod")
    cluster.advance(545)
    assert cluster.leaks()["ec2"] == ["network-interface", "network-interface", "security-group"]


def test_without_leftovers_nothing_stays(cluster: Aws) -> None:
    cluster.make_nodegroup()
    cluster.eks.delete_nodegroup(clusterName="prod", nodegroupName="general")
    cluster.advance(185)
    filters = [{"Name": "tag:node.k8s.amazonaws.com/instance_id", "Values": ["*"]}]
    for interface in cluster.ec2.describe_network_interfaces(Filters=filters)["NetworkInterfaces"]:
        cluster.ec2.delete_network_interface(NetworkInterfaceId=interface["NetworkInterfaceId"])
    cluster.eks.delete_cluster(name="prod")
    cluster.advance(545)
    assert "ec2" not in cluster.leaks()


def test_the_cluster_must_be_active(aws: Aws) -> None:
    aws.eks.create_cluster(**aws.cluster_request())
    request = aws.nodegroup_request()
    with refused("InvalidRequestException") as error:
        aws.eks.create_nodegroup(**request)
    assert error.message == "Cluster is not in ACTIVE status"


def test_the_node_role_must_trust_ec2(cluster: Aws) -> None:
    with refused("InvalidParameterException") as error:
        cluster.eks.create_nodegroup(**cluster.nodegroup_request(nodeRole=cluster.cluster_role))
    assert error.message == (
        "Following required service principals [ec2.amazonaws.com] were not found in the trust relationships of "
        f"nodeRole {cluster.cluster_role}"
    )


def test_names_in_use(cluster: Aws) -> None:
    cluster.make_nodegroup()
    with refused("ResourceInUseException") as error:
        cluster.eks.create_nodegroup(**cluster.nodegroup_request())
    assert error.message == "NodeGroup already exists with name general and cluster name prod"


def test_release_versions_must_fit(cluster: Aws) -> None:
    request = cluster.nodegroup_request(version="1.33", releaseVersion="1.34.3-20250103")
    with refused("InvalidParameterException") as error:
        cluster.eks.create_nodegroup(**request)
    assert error.message == "Requested release version 1.34.3-20250103 is not valid for kubernetes version 1.33."


def test_launch_template_by_id_and_name(cluster: Aws) -> None:
    template = cluster.template()
    with refused("InvalidParameterException") as error:
        cluster.eks.create_nodegroup(**cluster.nodegroup_request(launchTemplate={"id": template, "name": "nodes"}))
    assert error.message == "Either provide launch template ID or launch template name in the request."
    with refused("InvalidParameterException"):
        cluster.eks.create_nodegroup(**cluster.nodegroup_request(launchTemplate={"id": template}, diskSize=50))
    with refused("InvalidParameterException") as error:
        cluster.eks.create_nodegroup(**cluster.nodegroup_request(launchTemplate={"name": "nothing"}))
    assert "InvalidLaunchTemplateName.NotFoundException" in error.message
    group = cluster.make_nodegroup(launchTemplate={"name": "nodes"})
    assert group["launchTemplate"] == {"id": template, "name": "nodes", "version": "1"}
    assert "diskSize" not in group


@pytest.mark.parametrize(
    "data",
    [
        {"IamInstanceProfile": {"Name": "x"}},
        {"InstanceMarketOptions": {"MarketType": "spot"}},
        {"HibernationOptions": {"Configured": True}},
        {"NetworkInterfaces": [{"DeviceIndex": 0, "SubnetId": "subnet-1"}]},
    ],
)
def test_forbidden_members_of_a_launch_template(cluster: Aws, data: dict) -> None:
    cluster.template(data)
    with refused("InvalidRequestException") as error:
        cluster.eks.create_nodegroup(**cluster.nodegroup_request(launchTemplate={"name": "nodes"}))
    assert error.message.startswith("Launch template should not specify")


def test_image_and_instance_type_in_one_place_only(cluster: Aws) -> None:
    cluster.template({"ImageId": "ami-1", "InstanceType": "m7i.large"})
    template = {"name": "nodes"}
    with refused("InvalidRequestException"):
        cluster.eks.create_nodegroup(**cluster.nodegroup_request(launchTemplate=template, version="1.34"))
    with refused("InvalidParameterException"):
        cluster.eks.create_nodegroup(**cluster.nodegroup_request(launchTemplate=template, instanceTypes=["m7i.large"]))
    group = cluster.make_nodegroup(launchTemplate=template)
    assert group["amiType"] == "CUSTOM"
    assert "instanceTypes" not in group


def test_a_deleted_launch_template_degrades_the_group(cluster: Aws) -> None:
    template = cluster.template()
    cluster.make_nodegroup(launchTemplate={"id": template})
    cluster.ec2.delete_launch_template(LaunchTemplateId=template)
    cluster.advance(35)
    group = cluster.show_nodegroup()
    assert group["status"] == "DEGRADED"
    assert group["health"]["issues"][0]["code"] == "Ec2LaunchTemplateNotFound"


def test_a_deleted_node_role_degrades_the_group(cluster: Aws) -> None:
    cluster.make_nodegroup()
    cluster.iam.detach_role_policy(RoleName="node", PolicyArn="arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy")
    cluster.iam.delete_role(RoleName="node")
    cluster.advance(35)
    assert cluster.show_nodegroup()["health"]["issues"][0]["code"] == "IamNodeRoleNotFound"


def test_a_group_that_fails(cluster: Aws) -> None:
    cluster.script("nodegroup/prod/gen", "fail")
    cluster.eks.create_nodegroup(**cluster.nodegroup_request())
    cluster.advance(300)
    assert cluster.show_nodegroup()["status"] == "CREATING"
    cluster.advance(910)
    group = cluster.show_nodegroup()
    assert group["status"] == "CREATE_FAILED"
    issue = group["health"]["issues"][0]
    assert (issue["code"], issue["message"]) == ("NodeCreationFailure", "Instances failed to join the kubernetes cluster")


def test_a_deletion_that_fails(cluster: Aws) -> None:
    cluster.make_nodegroup()
    script = cluster.script("nodegroup/prod/general", "delete_fail")
    cluster.eks.delete_nodegroup(clusterName="prod", nodegroupName="general")
    cluster.advance(185)
    group = cluster.show_nodegroup()
    assert (group["status"], group["health"]["issues"][0]["code"]) == ("DELETE_FAILED", "Ec2SecurityGroupDeletionFailure")
    cluster.control("DELETE", "scripts", id=script)
    cluster.eks.delete_nodegroup(clusterName="prod", nodegroupName="general")
    cluster.advance(181)
    assert cluster.eks.list_nodegroups(clusterName="prod")["nodegroups"] == ["general"]
    cluster.advance(4)
    assert cluster.eks.list_nodegroups(clusterName="prod")["nodegroups"] == []


def test_a_degraded_group_recovers(cluster: Aws) -> None:
    cluster.make_nodegroup()
    cluster.script("nodegroup/prod/", "degrade", [{"code": "AccessDenied", "message": "x", "resourceIds": ["i-1"]}])
    assert cluster.show_nodegroup()["status"] == "DEGRADED"
    cluster.control("DELETE", "scripts")
    assert cluster.show_nodegroup()["status"] == "ACTIVE"


def test_stuck_groups(cluster: Aws) -> None:
    cluster.script("nodegroup/prod/general", "stuck")
    assert cluster.make_nodegroup()["status"] == "CREATING"
    cluster.control("DELETE", "scripts")
    cluster.advance(6)
    assert cluster.show_nodegroup()["status"] == "ACTIVE"


def test_configuration_updates(cluster: Aws) -> None:
    cluster.make_nodegroup(labels={"a": "1", "b": "2"}, taints=[{"key": "k", "effect": "NO_SCHEDULE"}])
    update = cluster.eks.update_nodegroup_config(
        clusterName="prod",
        nodegroupName="general",
        scalingConfig={"maxSize": 9},
        labels={"addOrUpdateLabels": {"c": "3"}, "removeLabels": ["a"]},
        taints={"removeTaints": [{"key": "k", "effect": "NO_SCHEDULE"}]},
        updateConfig={"maxUnavailablePercentage": 33},
    )["update"]
    with refused("ResourceInUseException") as error:
        cluster.eks.update_nodegroup_config(clusterName="prod", nodegroupName="general", scalingConfig={"maxSize": 8})
    assert error.message == "Nodegroup cannot be updated as it is currently not in Active State"
    cluster.advance(70)
    group = cluster.show_nodegroup()
    assert group["scalingConfig"] == {"minSize": 2, "maxSize": 9, "desiredSize": 2}
    assert group["labels"] == {"b": "2", "c": "3"}
    assert group["taints"] == []
    assert group["updateConfig"] == {"maxUnavailablePercentage": 33}
    shown = cluster.eks.describe_update(name="prod", nodegroupName="general", updateId=update["id"])["update"]
    assert shown["status"] == "Successful"


def test_reserved_labels_and_sizes(cluster: Aws) -> None:
    with refused("InvalidParameterException") as error:
        cluster.eks.create_nodegroup(**cluster.nodegroup_request(labels={"node-role.kubernetes.io/x": "y"}))
    assert error.message.startswith("Label cannot contain reserved prefixes")
    with refused("InvalidParameterException") as error:
        sizes = {"minSize": 3, "maxSize": 4, "desiredSize": 2}
        cluster.eks.create_nodegroup(**cluster.nodegroup_request(scalingConfig=sizes))
    assert error.message == "Minimum capacity can't be greater than desired size"


def test_version_updates_follow_the_cluster(cluster: Aws) -> None:
    cluster.make_nodegroup(version="1.33")
    cluster.eks.update_nodegroup_version(clusterName="prod", nodegroupName="general")
    cluster.advance(310)
    assert cluster.show_nodegroup()["version"] == "1.34"
    with refused("InvalidParameterException"):
        cluster.eks.update_nodegroup_version(clusterName="prod", nodegroupName="general", version="1.35")
    with refused("InvalidParameterException"):
        cluster.eks.update_nodegroup_version(
            clusterName="prod", nodegroupName="general", version="1.34", releaseVersion="1.33.1-20260101"
        )


def test_a_new_template_version_rolls_the_group(cluster: Aws) -> None:
    template = cluster.template()
    cluster.make_nodegroup(launchTemplate={"id": template, "version": "1"})
    cluster.ec2.create_launch_template_version(LaunchTemplateId=template, LaunchTemplateData={"EbsOptimized": False})
    cluster.eks.update_nodegroup_version(
        clusterName="prod", nodegroupName="general", launchTemplate={"id": template, "version": "2"}
    )
    cluster.advance(310)
    assert cluster.show_nodegroup()["launchTemplate"]["version"] == "2"


def test_the_node_role_gets_an_access_entry(cluster: Aws) -> None:
    cluster.make_nodegroup()
    entry = cluster.eks.describe_access_entry(clusterName="prod", principalArn=cluster.node_role)["accessEntry"]
    assert entry["type"] == "EC2_LINUX"
    with refused("ResourceInUseException") as error:
        cluster.eks.create_access_entry(clusterName="prod", principalArn=cluster.node_role)
    assert error.message == "The specified access entry resource is already in use on this cluster."
