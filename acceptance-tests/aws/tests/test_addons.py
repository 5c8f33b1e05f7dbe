"""Add-ons."""

import json

import pytest
from driver import Aws, refused


def test_daemon_sets_need_no_nodes(cluster: Aws) -> None:
    addon = cluster.make_addon("vpc-cni")
    assert addon["status"] == "ACTIVE"
    assert addon["addonVersion"] == "v1.21.1-eksbuild.1"
    assert cluster.eks.list_addons(clusterName="prod")["addons"] == ["vpc-cni"]


def test_deployments_wait_for_nodes(cluster: Aws) -> None:
    addon = cluster.make_addon("coredns")
    assert addon["status"] == "DEGRADED"
    assert addon["health"]["issues"][0]["code"] == "InsufficientNumberOfReplicas"
    cluster.make_nodegroup()
    cluster.advance(35)
    addon = cluster.show_addon("coredns")
    assert (addon["status"], addon["health"]["issues"]) == ("ACTIVE", [])


def test_tainted_nodes_do_not_help(cluster: Aws) -> None:
    cluster.make_nodegroup(taints=[{"key": "gpu", "value": "true", "effect": "NO_SCHEDULE"}])
    assert cluster.make_addon("coredns")["status"] == "DEGRADED"


def test_self_managed_copies_are_in_the_way(aws: Aws) -> None:
    aws.make_cluster(bootstrapSelfManagedAddons=True)
    addon = aws.make_addon("vpc-cni")
    assert addon["status"] == "CREATE_FAILED"
    assert addon["health"]["issues"][0]["code"] == "ConfigurationConflict"
    assert aws.make_addon("kube-proxy", resolveConflicts="OVERWRITE")["status"] == "ACTIVE"


def test_names_versions_and_values(cluster: Aws) -> None:
    with refused("InvalidParameterException") as error:
        cluster.eks.create_addon(clusterName="prod", addonName="nothing")
    assert error.message == "Addon specified is not supported"
    with refused("InvalidParameterException") as error:
        cluster.eks.create_addon(clusterName="prod", addonName="kube-proxy", addonVersion="v1.36.0-eksbuild.2")
    assert "Addon version specified is not supported" in error.message
    values = json.dumps({"env": {"WARM_IP_TARGET": 2}, "wrong": 1})
    with refused("InvalidParameterException") as error:
        cluster.eks.create_addon(clusterName="prod", addonName="vpc-cni", configurationValues=values)
    assert "Json schema validation failed" in error.message
    assert "$.wrong: is not defined in the schema" in error.message
    assert "$.env.WARM_IP_TARGET" in error.message
    cluster.make_addon("vpc-cni", configurationValues='{"enableNetworkPolicy": "true"}')
    with refused("ResourceInUseException") as error:
        cluster.eks.create_addon(clusterName="prod", addonName="vpc-cni")
    assert error.message == "Addon already exists."
    with refused("ResourceNotFoundException") as error:
        cluster.show_addon("coredns")
    assert error.message == "No addon: coredns found in cluster: prod"


def test_identities_are_made_inline(cluster: Aws) -> None:
    identity = [{"serviceAccount": "aws-node", "roleArn": cluster.pod_role}]
    addon = cluster.make_addon("vpc-cni", podIdentityAssociations=identity)
    arn = addon["podIdentityAssociations"][0]
    identifier = arn.rpartition("/")[2]
    made = cluster.eks.describe_pod_identity_association(clusterName="prod", associationId=identifier)["association"]
    assert (made["namespace"], made["serviceAccount"]) == ("kube-system", "aws-node")
    assert made["ownerArn"] == addon["addonArn"]
    with refused("InvalidRequestException"):
        cluster.eks.delete_pod_identity_association(clusterName="prod", associationId=identifier)
    cluster.eks.delete_addon(clusterName="prod", addonName="vpc-cni")
    cluster.advance(50)
    with refused("ResourceNotFoundException"):
        cluster.eks.describe_pod_identity_association(clusterName="prod", associationId=identifier)


def test_identities_on_update(cluster: Aws) -> None:
    identity = [{"serviceAccount": "aws-node", "roleArn": cluster.pod_role}]
    first = cluster.make_addon("vpc-cni", podIdentityAssociations=identity)
    cluster.eks.update_addon(clusterName="prod", addonName="vpc-cni", configurationValues="{}")
    cluster.advance(55)
    assert cluster.show_addon("vpc-cni")["podIdentityAssociations"] == first["podIdentityAssociations"]
    cluster.eks.update_addon(clusterName="prod", addonName="vpc-cni", podIdentityAssociations=[])
    cluster.advance(55)
    assert cluster.show_addon("vpc-cni").get("podIdentityAssociations", []) == []


def test_identities_that_an_addon_does_not_have(cluster: Aws) -> None:
    identity = [{"serviceAccount": "default", "roleArn": cluster.pod_role}]
    with refused("InvalidParameterException") as error:
        cluster.eks.create_addon(clusterName="prod", addonName="kube-proxy", podIdentityAssociations=identity)
    assert error.message == "Pod Identity feature is not supported for addon version"
    with refused("InvalidParameterException") as error:
        cluster.eks.create_addon(clusterName="prod", addonName="vpc-cni", podIdentityAssociations=identity)
    assert error.message == ("Service account default in pod identity configuration is not supported for addon vpc-cni")


def test_updates(cluster: Aws) -> None:
    cluster.make_addon("vpc-cni", addonVersion="v1.19.6-eksbuild.7")
    with refused("InvalidParameterException") as error:
        cluster.eks.update_addon(clusterName="prod", addonName="vpc-cni", addonVersion="v1.21.1-eksbuild.1")
    assert "1 minor version at a time" in error.message
    update = cluster.eks.update_addon(clusterName="prod", addonName="vpc-cni", addonVersion="v1.20.5-eksbuild.1")["update"]
    assert update["type"] == "AddonUpdate"
    with refused("ResourceInUseException") as error:
        cluster.eks.update_addon(clusterName="prod", addonName="vpc-cni", configurationValues="{}")
    assert error.message == "Addon vpc-cni cannot be updated as it is currently in UPDATING state"
    cluster.advance(55)
    assert cluster.show_addon("vpc-cni")["addonVersion"] == "v1.20.5-eksbuild.1"
    shown = cluster.eks.describe_update(name="prod", addonName="vpc-cni", updateId=update["id"])["update"]
    assert shown["status"] == "Successful"


def test_scripts(cluster: Aws) -> None:
    issue = {"code": "AdmissionRequestDenied", "message": "webhook", "resourceIds": []}
    cluster.script("addon/prod/vpc-cni", "fail", [issue])
    addon = cluster.make_addon("vpc-cni")
    assert (addon["status"], addon["health"]["issues"][0]["code"]) == ("CREATE_FAILED", "AdmissionRequestDenied")
    cluster.script("addon/prod/kube-proxy", "degrade")
    assert cluster.make_addon("kube-proxy")["status"] == "DEGRADED"


@pytest.mark.parametrize("kubernetes", ["1.33", "1.34", "1.35", "1.36"])
def test_the_catalog(aws: Aws, kubernetes: str) -> None:
    addons = aws.eks.describe_addon_versions(kubernetesVersion=kubernetes)["addons"]
    names = {addon["addonName"] for addon in addons}
    assert {
        "vpc-cni",
        "kube-proxy",
        "coredns",
        "eks-pod-identity-agent",
        "aws-ebs-csi-driver",
        "metrics-server",
        "amazon-cloudwatch-observability",
        "eks-node-monitoring-agent",
    } <= names
    for addon in addons:
        assert len(addon["addonVersions"]) >= 2
        defaults = [v for v in addon["addonVersions"] if v["compatibilities"][0]["defaultVersion"]]
        assert len(defaults) == 1


def test_configuration_schemas(aws: Aws) -> None:
    answer = aws.eks.describe_addon_configuration(addonName="aws-ebs-csi-driver", addonVersion="v1.54.0-eksbuild.1")
    assert json.loads(answer["configurationSchema"])["additionalProperties"] is False
    assert answer["podIdentityConfiguration"][0]["serviceAccount"] == "ebs-csi-controller-sa"


def test_cluster_versions(aws: Aws) -> None:
    versions = aws.eks.describe_cluster_versions()["clusterVersions"]
    states = {version["clusterVersion"]: version["versionStatus"] for version in versions}
    assert states["1.36"] == "STANDARD_SUPPORT"
    assert states["1.33"] == "EXTENDED_SUPPORT"
    assert "1.30" not in states
    assert sum(version["defaultVersion"] for version in versions) == 1
    gone = aws.eks.describe_cluster_versions(clusterVersions=["1.30"])["clusterVersions"]
    assert gone[0]["versionStatus"] == "UNSUPPORTED"
