"""The services around EKS, where the backend alone is not like AWS."""

import json

import pytest
from driver import Aws, refused, trust

POLICY = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]})


def test_roles(aws: Aws) -> None:
    boundary = aws.iam.create_policy(PolicyName="boundary", PolicyDocument=POLICY)["Policy"]["Arn"]
    aws.iam.create_role(
        RoleName="r",
        Path="/eks/",
        AssumeRolePolicyDocument=trust("ec2.amazonaws.com"),
        PermissionsBoundary=boundary,
        Tags=[{"Key": "a", "Value": "b"}],
        Description="text",
    )
    role = aws.iam.get_role(RoleName="r")["Role"]
    assert role["Arn"] == f"arn:aws:iam::{aws.account}:role/eks/r"
    assert role["Tags"] == [{"Key": "a", "Value": "b"}]
    assert role["PermissionsBoundary"]["PermissionsBoundaryArn"] == boundary
    assert role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] == {"Service": ["ec2.amazonaws.com"]}
    aws.iam.put_role_policy(RoleName="r", PolicyName="inline", PolicyDocument=POLICY)
    assert aws.iam.get_role_policy(RoleName="r", PolicyName="inline")["PolicyDocument"] == json.loads(POLICY)
    managed = "arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy"
    aws.iam.attach_role_policy(RoleName="r", PolicyArn=managed)
    with refused("DeleteConflict"):
        aws.iam.delete_role(RoleName="r")
    aws.iam.detach_role_policy(RoleName="r", PolicyArn=managed)
    with refused("DeleteConflict"):
        aws.iam.delete_role(RoleName="r")
    aws.iam.delete_role_policy(RoleName="r", PolicyName="inline")
    aws.iam.delete_role(RoleName="r")
    with refused("NoSuchEntity"):
        aws.iam.get_role(RoleName="r")
    with refused("NoSuchEntity"):
        aws.iam.attach_role_policy(RoleName="r", PolicyArn=managed)


@pytest.mark.parametrize(
    "policy",
    [
        "AmazonEKSClusterPolicy",
        "AmazonEKSWorkerNodePolicy",
        "AmazonEC2ContainerRegistryPullOnly",
        "AmazonEKS_CNI_Policy",
        "service-role/AmazonEBSCSIDriverPolicy",
        "AmazonEBSCSIDriverPolicyV2",
        "CloudWatchAgentServerPolicy",
        "AWSXrayWriteOnlyAccess",
    ],
)
def test_managed_policies_exist(aws: Aws, policy: str) -> None:
    arn = f"arn:aws:iam::aws:policy/{policy}"
    assert aws.iam.get_policy(PolicyArn=arn)["Policy"]["Arn"] == arn


def test_policies_with_versions_stay(aws: Aws) -> None:
    arn = aws.iam.create_policy(PolicyName="p", PolicyDocument=POLICY)["Policy"]["Arn"]
    version = aws.iam.create_policy_version(PolicyArn=arn, PolicyDocument=POLICY)["PolicyVersion"]["VersionId"]
    with refused("DeleteConflict"):
        aws.iam.delete_policy(PolicyArn=arn)
    aws.iam.delete_policy_version(PolicyArn=arn, VersionId=version)
    aws.iam.delete_policy(PolicyArn=arn)


def test_bulk_reads_of_iam(aws: Aws) -> None:
    aws.role("r", "ec2.amazonaws.com", "AmazonEKSWorkerNodePolicy")
    details = aws.iam.get_account_authorization_details(Filter=["Role"])["RoleDetailList"]
    assert details[0]["AttachedManagedPolicies"][0]["PolicyName"] == "AmazonEKSWorkerNodePolicy"


def test_keys(aws: Aws) -> None:
    made = aws.kms.create_key(Tags=[{"TagKey": "a", "TagValue": "b"}], Description="d")["KeyMetadata"]
    arn = made["Arn"]
    aws.kms.enable_key_rotation(KeyId=arn)
    assert aws.kms.get_key_rotation_status(KeyId=arn)["KeyRotationEnabled"] is True
    aws.kms.tag_resource(KeyId=arn, Tags=[{"TagKey": "c", "TagValue": "d"}])
    assert len(aws.kms.list_resource_tags(KeyId=arn)["Tags"]) == 2
    aws.kms.create_alias(AliasName="alias/eks/prod", TargetKeyId=made["KeyId"])
    assert aws.kms.describe_key(KeyId="alias/eks/prod")["KeyMetadata"]["Arn"] == arn
    assert aws.kms.list_aliases(KeyId=arn)["Aliases"][0]["AliasName"] == "alias/eks/prod"
    with refused("AlreadyExistsException"):
        aws.kms.create_alias(AliasName="alias/eks/prod", TargetKeyId=made["KeyId"])
    aws.kms.put_key_policy(KeyId=arn, Policy=POLICY)
    assert json.loads(aws.kms.get_key_policy(KeyId=arn)["Policy"]) == json.loads(POLICY)
    aws.kms.delete_alias(AliasName="alias/eks/prod")
    with refused("NotFoundException"):
        aws.kms.describe_key(KeyId="alias/eks/prod")
    with refused("NotFoundException"):
        aws.kms.describe_key(KeyId=arn[:-1] + "x")
    answer = aws.kms.schedule_key_deletion(KeyId=arn, PendingWindowInDays=7)
    assert (answer["KeyId"], answer["KeyState"]) == (arn, "PendingDeletion")
    assert aws.kms.describe_key(KeyId=arn)["KeyMetadata"]["KeyState"] == "PendingDeletion"
    assert aws.kms.cancel_key_deletion(KeyId=arn)["KeyId"] == arn


def logs_key(aws: Aws) -> str:
    root = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{aws.account}:root"}, "Action": "kms:*", "Resource": "*"}
    service = {"Service": f"logs.{aws.region}.amazonaws.com"}
    return aws.key([root, {"Effect": "Allow", "Principal": service, "Action": "kms:Encrypt*", "Resource": "*"}])


def test_log_groups(aws: Aws) -> None:
    key = logs_key(aws)
    aws.logs.create_log_group(
        logGroupName="/aws/eks/prod/cluster", kmsKeyId=key, tags={"a": "b"}, logGroupClass="INFREQUENT_ACCESS"
    )
    aws.logs.put_retention_policy(logGroupName="/aws/eks/prod/cluster", retentionInDays=365)
    group = aws.logs.describe_log_groups(logGroupNamePrefix="/aws/eks/prod")["logGroups"][0]
    assert (group["kmsKeyId"], group["retentionInDays"], group["logGroupClass"]) == (key, 365, "INFREQUENT_ACCESS")
    arn = f"arn:aws:logs:{aws.region}:{aws.account}:log-group:/aws/eks/prod/cluster"
    assert group["arn"] == f"{arn}:*"
    assert aws.logs.list_tags_for_resource(resourceArn=arn)["tags"] == {"a": "b"}
    aws.logs.tag_resource(resourceArn=arn, tags={"c": "d"})
    aws.logs.untag_resource(resourceArn=arn, tagKeys=["a"])
    assert aws.logs.list_tags_for_resource(resourceArn=arn)["tags"] == {"c": "d"}
    with refused("ResourceAlreadyExistsException"):
        aws.logs.create_log_group(logGroupName="/aws/eks/prod/cluster")
    aws.logs.delete_log_group(logGroupName="/aws/eks/prod/cluster")
    with refused("ResourceNotFoundException"):
        aws.logs.delete_log_group(logGroupName="/aws/eks/prod/cluster")


def test_keys_of_log_groups(aws: Aws) -> None:
    aws.logs.create_log_group(logGroupName="g")
    with refused("AccessDeniedException") as error:
        aws.logs.associate_kms_key(logGroupName="g", kmsKeyId=aws.key())
    arn = f"arn:aws:logs:{aws.region}:{aws.account}:log-group:g"
    assert error.message == (f"The specified KMS key does not exist or is not allowed to be used with Arn '{arn}'")
    key = logs_key(aws)
    aws.logs.associate_kms_key(logGroupName="g", kmsKeyId=key)
    assert aws.logs.describe_log_groups()["logGroups"][0]["kmsKeyId"] == key
    aws.logs.disassociate_kms_key(logGroupName="g")
    assert "kmsKeyId" not in aws.logs.describe_log_groups()["logGroups"][0]
    with refused("ResourceNotFoundException"):
        aws.logs.associate_kms_key(logGroupName="none", kmsKeyId=key)


def test_protected_log_groups(aws: Aws) -> None:
    aws.logs.create_log_group(logGroupName="g", deletionProtectionEnabled=True)
    with refused("ValidationException"):
        aws.logs.delete_log_group(logGroupName="g")
    aws.logs.put_log_group_deletion_protection(logGroupIdentifier="g", deletionProtectionEnabled=False)
    aws.logs.delete_log_group(logGroupName="g")


def test_launch_templates(aws: Aws) -> None:
    tags = [{"ResourceType": "launch-template", "Tags": [{"Key": "a", "Value": "b"}]}]
    data = {
        "MetadataOptions": {"HttpTokens": "required", "HttpPutResponseHopLimit": 1},
        "BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 50, "VolumeType": "gp3", "Encrypted": True}}],
        "TagSpecifications": [{"ResourceType": "instance", "Tags": [{"Key": "x", "Value": "y"}]}],
    }
    made = aws.ec2.create_launch_template(
        LaunchTemplateName="nodes", LaunchTemplateData=data, TagSpecifications=tags, VersionDescription="first"
    )["LaunchTemplate"]
    assert made["Tags"] == [{"Key": "a", "Value": "b"}]
    with refused("InvalidLaunchTemplateName.AlreadyExistsException"):
        aws.ec2.create_launch_template(LaunchTemplateName="nodes", LaunchTemplateData=data)
    identifier = made["LaunchTemplateId"]
    version = aws.ec2.create_launch_template_version(
        LaunchTemplateId=identifier, LaunchTemplateData={"EbsOptimized": True}, SourceVersion="1"
    )["LaunchTemplateVersion"]
    assert version["VersionNumber"] == 2
    aws.ec2.modify_launch_template(LaunchTemplateId=identifier, DefaultVersion="2")
    for which in ({"LaunchTemplateIds": [identifier]}, {"LaunchTemplateNames": ["nodes"]}):
        found = aws.ec2.describe_launch_templates(**which)["LaunchTemplates"][0]
        assert (found["DefaultVersionNumber"], found["LatestVersionNumber"]) == (2, 2)
        assert found["Tags"] == [{"Key": "a", "Value": "b"}]
    for versions in (["1"], ["$Latest"], ["$Default"]):
        found = aws.ec2.describe_launch_template_versions(LaunchTemplateId=identifier, Versions=versions)
        shown = found["LaunchTemplateVersions"][0]["LaunchTemplateData"]
        assert shown["MetadataOptions"]["HttpTokens"] == "required"
        assert [spec["ResourceType"] for spec in shown["TagSpecifications"]] == ["instance"]
        assert shown["BlockDeviceMappings"][0]["Ebs"]["Encrypted"] is True
    by_tag = aws.ec2.describe_launch_templates(Filters=[{"Name": "tag:a", "Values": ["b"]}])["LaunchTemplates"]
    assert [template["LaunchTemplateId"] for template in by_tag] == [identifier]
    aws.ec2.create_tags(Resources=[identifier], Tags=[{"Key": "c", "Value": "d"}])
    assert len(aws.ec2.describe_launch_templates(LaunchTemplateIds=[identifier])["LaunchTemplates"][0]["Tags"]) == 2
    aws.ec2.delete_launch_template(LaunchTemplateId=identifier)


def test_launch_templates_that_are_not_there(aws: Aws) -> None:
    for which, code in (
        ({"LaunchTemplateName": "nodes"}, "InvalidLaunchTemplateName.NotFoundException"),
        ({"LaunchTemplateId": "lt-0123456789abcdef0"}, "InvalidLaunchTemplateId.NotFound"),
    ):
        for call in (
            lambda which=which: aws.ec2.describe_launch_templates(**{f"{k}s": [v] for k, v in which.items()}),
            lambda which=which: aws.ec2.describe_launch_template_versions(**which),
            lambda which=which: aws.ec2.delete_launch_template(**which),
            lambda which=which: aws.ec2.create_launch_template_version(**which, LaunchTemplateData={"EbsOptimized": True}),
            lambda which=which: aws.ec2.modify_launch_template(**which, DefaultVersion="1"),
        ):
            with refused(code):
                call()


def test_node_images(aws: Aws) -> None:
    name = "/aws/service/eks/optimized-ami/1.35/amazon-linux-2023/x86_64/standard/recommended/release_version"
    assert aws.client("ssm").get_parameter(Name=name)["Parameter"]["Value"].startswith("1.35.")


def test_repositories(aws: Aws) -> None:
    ecr = aws.client("ecr")
    ecr.create_repository(repositoryName="a/b", imageTagMutability="IMMUTABLE", tags=[{"Key": "a", "Value": "b"}])
    assert aws.leaks()["ecr"] == ["repository"]
    ecr.delete_repository(repositoryName="a/b")
