"""Clusters from creation to deletion."""

from driver import LOG_TYPES, Aws, refused, trust


def test_a_cluster_is_created_in_ten_minutes(aws: Aws) -> None:
    made = aws.eks.create_cluster(**aws.cluster_request())["cluster"]
    assert made["status"] == "CREATING"
    assert "endpoint" not in made
    aws.advance(500)
    assert aws.show()["status"] == "CREATING"
    aws.advance(105)
    cluster = aws.show()
    assert cluster["status"] == "ACTIVE"
    assert cluster["endpoint"].startswith("https://")
    assert cluster["resourcesVpcConfig"]["vpcId"] == aws.vpc["vpc_id"]
    assert cluster["version"] == "1.34"
    assert "bootstrapClusterCreatorAdminPermissions" not in cluster["accessConfig"]


def test_defaults_of_a_cluster(aws: Aws) -> None:
    aws.eks.create_cluster(name="plain", roleArn=aws.cluster_role, resourcesVpcConfig={"subnetIds": aws.subnets})
    cluster = aws.show("plain")
    network = cluster["resourcesVpcConfig"]
    assert (network["endpointPublicAccess"], network["endpointPrivateAccess"]) == (True, False)
    assert network["publicAccessCidrs"] == ["0.0.0.0/0"]
    assert cluster["accessConfig"]["authenticationMode"] == "CONFIG_MAP"
    assert cluster["upgradePolicy"]["supportType"] == "EXTENDED"
    assert cluster["deletionProtection"] is False
    assert cluster["logging"]["clusterLogging"] == [{"types": LOG_TYPES, "enabled": False}]


def test_list_lags_describe(aws: Aws) -> None:
    aws.eks.create_cluster(**aws.cluster_request())
    assert aws.eks.list_clusters()["clusters"] == []
    aws.advance(4)
    assert aws.eks.list_clusters()["clusters"] == ["prod"]


def test_a_cluster_makes_its_network_and_takes_it_away(aws: Aws) -> None:
    aws.control("POST", "baseline", region=aws.region)
    _ = aws.vpc
    group = aws.make_cluster()["resourcesVpcConfig"]["clusterSecurityGroupId"]
    found = aws.ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]
    assert found["GroupName"].startswith("eks-cluster-sg-prod-")
    tags = {tag["Key"]: tag["Value"] for tag in found["Tags"]}
    assert tags["kubernetes.io/cluster/prod"] == "owned"
    assert tags["aws:eks:cluster-name"] == "prod"
    interfaces = aws.ec2.describe_network_interfaces()["NetworkInterfaces"]
    assert [interface["Description"] for interface in interfaces] == ["Amazon EKS prod"] * 2
    aws.eks.delete_cluster(name="prod")
    assert aws.show()["status"] == "DELETING"
    aws.advance(545)
    with refused("ResourceNotFoundException") as error:
        aws.show()
    assert error.message == "No cluster found for name: prod."
    assert error.status == 404
    assert aws.leaks() == {"iam": ["role"]}


def test_a_missing_role_is_refused(aws: Aws) -> None:
    arn = f"arn:aws:iam::{aws.account}:role/nobody"
    with refused("InvalidParameterException") as error:
        aws.eks.create_cluster(**aws.cluster_request(roleArn=arn))
    assert error.message == (
        f"Role with arn: {arn}, could not be assumed because it does not exist or the trusted entity is not correct"
    )


def test_a_young_role_is_refused_and_works_later(aws: Aws) -> None:
    arn = aws.role("young", "eks.amazonaws.com", "AmazonEKSClusterPolicy", effective=False)
    with refused("InvalidParameterException") as error:
        aws.eks.create_cluster(**aws.cluster_request(roleArn=arn))
    assert "could not be assumed because it does not exist or the trusted entity is not correct" in error.message
    aws.advance(11)
    aws.eks.create_cluster(**aws.cluster_request(roleArn=arn))


def test_a_role_that_trusts_somebody_else_is_refused(aws: Aws) -> None:
    with refused("InvalidParameterException") as error:
        aws.eks.create_cluster(**aws.cluster_request(roleArn=aws.node_role))
    assert "the trusted entity is not correct" in error.message


def test_a_role_without_policies_is_refused(aws: Aws) -> None:
    arn = aws.role("bare", "eks.amazonaws.com")
    with refused("InvalidParameterException") as error:
        aws.eks.create_cluster(**aws.cluster_request(roleArn=arn))
    assert error.message.startswith("The provided role doesn't have the Amazon EKS Managed Policies associated with it")


def test_subnets_must_exist_and_lie_in_two_zones(aws: Aws) -> None:
    with refused("InvalidParameterException") as error:
        aws.eks.create_cluster(**aws.cluster_request(resourcesVpcConfig={"subnetIds": ["subnet-0", aws.subnets[0]]}))
    assert "InvalidSubnetID.NotFound" in error.message
    with refused("InvalidParameterException") as error:
        aws.eks.create_cluster(**aws.cluster_request(resourcesVpcConfig={"subnetIds": aws.subnets[:1]}))
    assert error.message == "Subnets specified must be in at least two different AZs"


def test_zones_without_eks(server) -> None:
    aws = Aws(server.url, "299999999999", region="us-east-1")
    zones = aws.ec2.describe_availability_zones()["AvailabilityZones"]
    zone = next(zone["ZoneName"] for zone in zones if zone["ZoneId"] == "use1-az3")
    subnet = aws.ec2.create_subnet(VpcId=aws.vpc["vpc_id"], CidrBlock="10.0.200.0/24", AvailabilityZone=zone)
    ids = [aws.subnets[0], subnet["Subnet"]["SubnetId"]]
    with refused("UnsupportedAvailabilityZoneException") as error:
        aws.eks.create_cluster(**aws.cluster_request(resourcesVpcConfig={"subnetIds": ids}))
    assert zone in error.message


def test_names_in_use_and_names_that_are_wrong(cluster: Aws) -> None:
    with refused("ResourceInUseException") as error:
        cluster.eks.create_cluster(**cluster.cluster_request())
    assert error.message == "Cluster already exists with name: prod"
    assert error.status == 409
    with refused("InvalidParameterException") as error:
        cluster.eks.create_cluster(**cluster.cluster_request(name="-x y"))
    assert "pattern" in error.message


def test_bootstrap_needs_a_mode_with_the_api(aws: Aws) -> None:
    access = {"authenticationMode": "CONFIG_MAP", "bootstrapClusterCreatorAdminPermissions": False}
    with refused("InvalidParameterException") as error:
        aws.eks.create_cluster(**aws.cluster_request(accessConfig=access))
    assert error.message == (
        "bootstrapClusterCreatorAdminPermissions must be true if cluster authentication mode is set to CONFIG_MAP"
    )


def test_unknown_versions_are_refused(aws: Aws) -> None:
    with refused("InvalidParameterException") as error:
        aws.eks.create_cluster(**aws.cluster_request(version="1.30"))
    assert error.message == "unsupported Kubernetes version"


def test_kms_keys(aws: Aws) -> None:
    def encrypted(key: str) -> dict:
        return aws.cluster_request(encryptionConfig=[{"provider": {"keyArn": key}}])

    role, root = aws.cluster_role, f"arn:aws:iam::{aws.account}:root"
    young = aws.key(effective=False)
    with refused("InvalidParameterException") as error:
        aws.eks.create_cluster(**encrypted(young))
    assert error.message == f"Access denied to KMS key {young} due to explicit deny policy or revoked grant"
    foreign = aws.key([{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::999999999999:root"}, "Action": "kms:*"}])
    with refused("InvalidRequestException") as error:
        aws.eks.create_cluster(**encrypted(foreign))
    assert error.message == "User not authorized to perform kms:CreateGrant"
    denied = aws.key(
        [
            {"Effect": "Allow", "Principal": {"AWS": root}, "Action": "kms:*"},
            {"Effect": "Deny", "Principal": {"AWS": role}, "Action": "kms:*"},
        ]
    )
    with refused("InvalidParameterException") as error:
        aws.eks.create_cluster(**encrypted(denied))
    assert "explicit deny policy" in error.message
    aws.eks.create_cluster(**encrypted(young))
    assert aws.show()["encryptionConfig"] == [{"resources": ["secrets"], "provider": {"keyArn": young}}]


def test_deletion_protection(aws: Aws) -> None:
    aws.make_cluster(deletionProtection=True)
    with refused("InvalidRequestException") as error:
        aws.eks.delete_cluster(name="prod")
    assert "deletion protection" in error.message
    aws.eks.update_cluster_config(name="prod", deletionProtection=False)
    aws.advance(70)
    aws.eks.delete_cluster(name="prod")


def test_a_creating_cluster_is_deleted_in_spite_of_its_protection(aws: Aws) -> None:
    aws.eks.create_cluster(**aws.cluster_request(deletionProtection=True))
    aws.eks.delete_cluster(name="prod")
    aws.advance(700)
    with refused("ResourceNotFoundException"):
        aws.show()


def test_node_groups_block_the_deletion(cluster: Aws) -> None:
    cluster.make_nodegroup()
    with refused("ResourceInUseException") as error:
        cluster.eks.delete_cluster(name="prod")
    assert error.message == "Cluster has nodegroups attached"


def test_an_update_blocks_the_deletion(cluster: Aws) -> None:
    cluster.eks.update_cluster_config(name="prod", upgradePolicy={"supportType": "STANDARD"})
    cluster.advance(61)
    assert cluster.show()["status"] == "ACTIVE"
    with refused("ResourceInUseException") as error:
        cluster.eks.delete_cluster(name="prod")
    assert error.message == "Cannot delete because cluster prod currently has an update in progress"


def test_the_log_group_comes_back(aws: Aws) -> None:
    logging = {"clusterLogging": [{"types": LOG_TYPES, "enabled": True}]}
    aws.make_cluster(logging=logging)
    name = "/aws/eks/prod/cluster"

    def groups() -> list[str]:
        return [group["logGroupName"] for group in aws.logs.describe_log_groups()["logGroups"]]

    assert groups() == [name]
    aws.logs.delete_log_group(logGroupName=name)
    assert groups() == []
    aws.advance(65)
    assert groups() == [name]
    aws.eks.delete_cluster(name="prod")
    aws.advance(500)
    aws.logs.delete_log_group(logGroupName=name)
    aws.advance(45)
    assert groups() == [name]
    aws.logs.delete_log_group(logGroupName=name)
    aws.advance(100)
    assert groups() == []


def test_a_log_group_made_before_the_cluster_is_kept(aws: Aws) -> None:
    aws.logs.create_log_group(logGroupName="/aws/eks/prod/cluster")
    aws.logs.put_retention_policy(logGroupName="/aws/eks/prod/cluster", retentionInDays=365)
    aws.make_cluster(logging={"clusterLogging": [{"types": ["api"], "enabled": True}]})
    assert aws.logs.describe_log_groups()["logGroups"][0]["retentionInDays"] == 365


def test_a_log_group_does_not_inherit_tags(aws: Aws) -> None:
    name = "/aws/eks/prod/cluster"
    aws.logs.create_log_group(logGroupName=name, tags={"team": "old"})
    arn = aws.logs.describe_log_groups()["logGroups"][0]["arn"].removesuffix(":*")
    assert aws.logs.list_tags_for_resource(resourceArn=arn)["tags"] == {"team": "old"}
    aws.logs.delete_log_group(logGroupName=name)
    aws.logs.create_log_group(logGroupName=name)
    assert aws.logs.list_tags_for_resource(resourceArn=arn)["tags"] == {}


def test_without_its_role_a_cluster_leaves_interfaces(cluster: Aws) -> None:
    cluster.iam.detach_role_policy(RoleName="cluster", PolicyArn="arn:aws:iam::aws:policy/AmazonEKSClusterPolicy")
    cluster.iam.delete_role(RoleName="cluster")
    cluster.eks.delete_cluster(name="prod")
    cluster.advance(545)
    assert cluster.leaks() == {"ec2": ["network-interface", "network-interface", "security-group"]}


def test_self_managed_trust_in_several_statements(aws: Aws) -> None:
    aws.iam.create_role(RoleName="both", AssumeRolePolicyDocument=trust("ec2.amazonaws.com", "eks.amazonaws.com"))
    aws.iam.attach_role_policy(RoleName="both", PolicyArn="arn:aws:iam::aws:policy/AmazonEKSClusterPolicy")
    aws.advance(11)
    aws.eks.create_cluster(**aws.cluster_request(roleArn=f"arn:aws:iam::{aws.account}:role/both"))


def test_scripts_for_clusters(aws: Aws) -> None:
    aws.script("cluster/bad", "fail", [{"code": "InternalFailure", "message": "boom", "resourceIds": []}])
    failed = aws.make_cluster(name="bad", deletionProtection=True)
    assert failed["status"] == "FAILED"
    assert failed["health"]["issues"][0]["message"] == "boom"
    aws.eks.delete_cluster(name="bad")
    aws.script("cluster/slow", "stuck")
    assert aws.make_cluster(name="slow")["status"] == "CREATING"
    aws.control("DELETE", "scripts")
    aws.advance(10)
    assert aws.show("slow")["status"] == "ACTIVE"
