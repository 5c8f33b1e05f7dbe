"""Updates of clusters."""

import time

from driver import LOG_TYPES, Aws, refused


def test_updating_appears_late_and_active_comes_before_the_end(cluster: Aws) -> None:
    update = cluster.eks.update_cluster_config(name="prod", resourcesVpcConfig={"endpointPrivateAccess": True})["update"]
    assert (update["type"], update["status"]) == ("EndpointAccessUpdate", "InProgress")
    assert cluster.show()["status"] == "ACTIVE"
    cluster.advance(6)
    assert cluster.show()["status"] == "UPDATING"
    cluster.advance(55)
    assert cluster.show()["status"] == "ACTIVE"
    shown = cluster.eks.describe_update(name="prod", updateId=update["id"])["update"]
    assert shown["status"] == "InProgress"
    with refused("ResourceInUseException") as error:
        cluster.eks.update_cluster_config(name="prod", resourcesVpcConfig={"endpointPublicAccess": False})
    assert error.message == (f"Cannot EndpointAccessUpdate because cluster prod currently has update {update['id']} in progress")
    cluster.advance(10)
    assert cluster.eks.describe_update(name="prod", updateId=update["id"])["update"]["status"] == "Successful"
    assert cluster.show()["resourcesVpcConfig"]["endpointPrivateAccess"] is True
    assert cluster.eks.list_updates(name="prod")["updateIds"] == [update["id"]]


def test_only_one_kind_per_update(cluster: Aws) -> None:
    with refused("InvalidParameterException") as error:
        cluster.eks.update_cluster_config(name="prod", deletionProtection=True, zonalShiftConfig={"enabled": True})
    assert error.message == "Only one type of update can be allowed."
    with refused("InvalidParameterException"):
        network = {"endpointPrivateAccess": True, "securityGroupIds": []}
        cluster.eks.update_cluster_config(name="prod", resourcesVpcConfig=network)


def test_updates_that_change_nothing(cluster: Aws) -> None:
    network = {"endpointPrivateAccess": True, "endpointPublicAccess": True}
    cluster.eks.update_cluster_config(name="prod", resourcesVpcConfig=network)
    cluster.advance(70)
    with refused("InvalidParameterException") as error:
        cluster.eks.update_cluster_config(name="prod", resourcesVpcConfig=network)
    assert error.message == (
        "Cluster is already at the desired configuration with endpointPrivateAccess: true , "
        "endpointPublicAccess: true, and Public Endpoint Restrictions: [0.0.0.0/0]"
    )
    with refused("InvalidParameterException") as error:
        logging = {"clusterLogging": [{"types": LOG_TYPES, "enabled": False}]}
        cluster.eks.update_cluster_config(name="prod", logging=logging)
    assert error.message == "No changes needed for the logging config provided"
    with refused("InvalidParameterException"):
        cluster.eks.update_cluster_config(name="prod", deletionProtection=False)


def test_logging_is_switched_by_type(cluster: Aws) -> None:
    cluster.eks.update_cluster_config(name="prod", logging={"clusterLogging": [{"types": ["api", "audit"], "enabled": True}]})
    cluster.advance(70)
    assert cluster.show()["logging"]["clusterLogging"] == [
        {"types": ["api", "audit"], "enabled": True},
        {"types": ["authenticator", "controllerManager", "scheduler"], "enabled": False},
    ]
    assert cluster.logs.describe_log_groups()["logGroups"][0]["logGroupName"] == "/aws/eks/prod/cluster"


def test_the_authentication_mode_goes_one_way(aws: Aws) -> None:
    aws.make_cluster(accessConfig={"authenticationMode": "CONFIG_MAP"})
    with refused("InvalidRequestException") as error:
        aws.eks.create_access_entry(clusterName="prod", principalArn=aws.pod_role)
    assert error.message == (
        "The cluster's authentication mode must be set to one of [API, API_AND_CONFIG_MAP] to perform this operation."
    )
    update = aws.eks.update_cluster_config(name="prod", accessConfig={"authenticationMode": "API"})["update"]
    assert update["type"] == "AccessConfigUpdate"
    aws.advance(70)
    with refused("InvalidParameterException"):
        aws.eks.update_cluster_config(name="prod", accessConfig={"authenticationMode": "CONFIG_MAP"})


def test_subnets_must_stay_in_the_same_zones(cluster: Aws) -> None:
    with refused("InvalidParameterException"):
        cluster.eks.update_cluster_config(name="prod", resourcesVpcConfig={"subnetIds": cluster.subnets[:2]})


def test_versions_go_up_one_at_a_time(cluster: Aws) -> None:
    with refused("InvalidParameterException") as error:
        cluster.eks.update_cluster_version(name="prod", version="1.36")
    assert error.message == "Unsupported Kubernetes minor version update from 1.34 to 1.36"
    update = cluster.eks.update_cluster_version(name="prod", version="1.35")["update"]
    assert update["type"] == "VersionUpdate"
    cluster.advance(610)
    assert cluster.show()["version"] == "1.35"
    back = cluster.eks.update_cluster_version(name="prod", version="1.34")["update"]
    assert back["type"] == "VersionRollback"


def test_node_groups_too_far_behind(aws: Aws) -> None:
    aws.make_cluster(version="1.34")
    aws.make_nodegroup(version="1.31")
    with refused("InvalidRequestException") as error:
        aws.eks.update_cluster_version(name="prod", version="1.35")
    assert error.message == ("Nodegroups general must be updated to match cluster version 1.34 before updating cluster version")


def test_insights_block_an_upgrade(cluster: Aws) -> None:
    cluster.script("cluster/prod", "upgrade_blocked")
    with refused("InvalidStateException"):
        cluster.eks.update_cluster_version(name="prod", version="1.35")
    cluster.eks.update_cluster_version(name="prod", version="1.35", force=True)


def test_a_key_that_shuts_the_role_out_blocks_an_upgrade(aws: Aws) -> None:
    key = aws.key()
    aws.make_cluster(encryptionConfig=[{"provider": {"keyArn": key}}])
    policy = '{"Statement": [{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::999999999999:root"}, "Action": "kms:*"}]}'
    aws.kms.put_key_policy(KeyId=key, Policy=policy)
    with refused("InvalidParameterException") as error:
        aws.eks.update_cluster_version(name="prod", version="1.35")
    assert error.message.startswith(f"Role with arn: {aws.cluster_role}, could not be assumed")


def test_a_cluster_suffers_with_its_key(aws: Aws) -> None:
    key = aws.key()
    aws.make_cluster(encryptionConfig=[{"provider": {"keyArn": key}}])
    aws.kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    assert aws.show()["health"]["issues"][0]["code"] == "KmsKeyMarkedForDeletion"
    aws.kms.cancel_key_deletion(KeyId=key)
    assert aws.show()["health"]["issues"] == []


def test_encryption_is_associated_once(cluster: Aws) -> None:
    wanted = [{"resources": ["secrets"], "provider": {"keyArn": cluster.key()}}]
    cluster.eks.associate_encryption_config(clusterName="prod", encryptionConfig=wanted)
    cluster.advance(610)
    assert cluster.show()["encryptionConfig"] == wanted
    with refused("ResourceInUseException"):
        cluster.eks.associate_encryption_config(clusterName="prod", encryptionConfig=wanted)


def test_auto_mode_flags_move_together(cluster: Aws) -> None:
    with refused("InvalidParameterException") as error:
        cluster.eks.update_cluster_config(name="prod", computeConfig={"enabled": True})
    assert error.message.startswith("For EKS Auto Mode, please ensure that all required configs")
    update = cluster.eks.update_cluster_config(
        name="prod",
        computeConfig={"enabled": True, "nodePools": ["system"], "nodeRoleArn": cluster.node_role},
        kubernetesNetworkConfig={"elasticLoadBalancing": {"enabled": True}},
        storageConfig={"blockStorage": {"enabled": True}},
    )["update"]
    assert update["type"] == "AutoModeUpdate"
    cluster.advance(70)
    assert cluster.show()["kubernetesNetworkConfig"]["elasticLoadBalancing"]["enabled"] is True


def test_a_failing_update(cluster: Aws) -> None:
    cluster.script("cluster/prod", "fail", [{"code": "AccessDenied", "message": "no", "resourceIds": []}])
    update = cluster.eks.update_cluster_config(name="prod", deletionProtection=True)["update"]
    cluster.advance(70)
    shown = cluster.eks.describe_update(name="prod", updateId=update["id"])["update"]
    assert (shown["status"], shown["errors"][0]["errorCode"]) == ("Failed", "AccessDenied")
    assert cluster.show()["deletionProtection"] is False
    with refused("ResourceNotFoundException") as error:
        cluster.eks.describe_update(name="prod", updateId="0")
    assert error.message == "No update found for ID: 0"


def test_updates_wait_for_an_active_cluster(aws: Aws) -> None:
    aws.eks.create_cluster(**aws.cluster_request())
    with refused("InvalidRequestException") as error:
        aws.eks.update_cluster_config(name="prod", deletionProtection=True)
    assert error.message == "Cluster is not in ACTIVE status"


def test_the_clock_runs_by_itself(server) -> None:
    aws = Aws(server.url, "299999999998")
    aws.eks.create_cluster(**aws.cluster_request())
    aws.control("POST", "config", scale=6000)
    end = time.monotonic() + 5
    while aws.show()["status"] != "ACTIVE" and time.monotonic() < end:
        time.sleep(0.02)
    assert aws.show()["status"] == "ACTIVE"
