"""Access entries, access policies and Pod Identity associations."""

from driver import Aws, refused, trust

VIEW = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy"
NOT_FOUND = (
    "The specified principalArn could not be found. You can view your available access entries with 'list-access-entries'."
)


def test_entries(cluster: Aws) -> None:
    role = cluster.pod_role
    made = cluster.eks.create_access_entry(clusterName="prod", principalArn=role, kubernetesGroups=["dev"], tags={"a": "b"})[
        "accessEntry"
    ]
    assert made["type"] == "STANDARD"
    assert made["username"] == f"arn:aws:sts::{cluster.account}:assumed-role/pod/{{{{SessionName}}}}"
    assert cluster.eks.list_access_entries(clusterName="prod")["accessEntries"] == []
    cluster.advance(4)
    assert cluster.eks.list_access_entries(clusterName="prod")["accessEntries"] == [role]
    with refused("ResourceInUseException") as error:
        cluster.eks.create_access_entry(clusterName="prod", principalArn=role)
    assert error.message == "The specified access entry resource is already in use on this cluster."
    cluster.eks.update_access_entry(clusterName="prod", principalArn=role, kubernetesGroups=["ops"])
    shown = cluster.eks.describe_access_entry(clusterName="prod", principalArn=role)["accessEntry"]
    assert shown["kubernetesGroups"] == ["ops"]
    cluster.eks.delete_access_entry(clusterName="prod", principalArn=role)
    with refused("ResourceNotFoundException") as error:
        cluster.eks.describe_access_entry(clusterName="prod", principalArn=role)
    assert error.message == NOT_FOUND


def test_principals_must_be_known(cluster: Aws) -> None:
    for arn in (
        f"arn:aws:iam::{cluster.account}:role/nobody",
        f"arn:aws:sts::{cluster.account}:assumed-role/a/b",
        cluster.role("fresh", "ec2.amazonaws.com", effective=False),
    ):
        with refused("InvalidParameterException") as error:
            cluster.eks.create_access_entry(clusterName="prod", principalArn=arn)
        assert error.message == "The specified principalArn is invalid: invalid principal."


def test_an_association_right_after_the_entry_is_not_found(cluster: Aws) -> None:
    role = cluster.pod_role
    cluster.eks.create_access_entry(clusterName="prod", principalArn=role)
    request = {"clusterName": "prod", "principalArn": role, "policyArn": VIEW, "accessScope": {"type": "cluster"}}
    with refused("ResourceNotFoundException") as error:
        cluster.eks.associate_access_policy(**request)
    assert error.message == NOT_FOUND
    cluster.advance(4)
    made = cluster.eks.associate_access_policy(**request)["associatedAccessPolicy"]
    assert made["accessScope"] == {"type": "cluster", "namespaces": []}
    listed = cluster.eks.list_associated_access_policies(clusterName="prod", principalArn=role)
    assert [policy["policyArn"] for policy in listed["associatedAccessPolicies"]] == [VIEW]
    cluster.eks.disassociate_access_policy(clusterName="prod", principalArn=role, policyArn=VIEW)
    listed = cluster.eks.list_associated_access_policies(clusterName="prod", principalArn=role)
    assert listed["associatedAccessPolicies"] == []


def test_wrong_scopes_and_policies(cluster: Aws) -> None:
    role = cluster.pod_role
    cluster.eks.create_access_entry(clusterName="prod", principalArn=role)
    cluster.advance(4)
    for policy, scope in (
        ("arn:aws:iam::aws:policy/AdministratorAccess", {"type": "cluster"}),
        (VIEW, {"type": "namespace"}),
        (VIEW, {"type": "cluster", "namespaces": ["a"]}),
    ):
        with refused("InvalidParameterException"):
            cluster.eks.associate_access_policy(clusterName="prod", principalArn=role, policyArn=policy, accessScope=scope)


def test_node_entries_take_no_policies(cluster: Aws) -> None:
    cluster.eks.create_access_entry(clusterName="prod", principalArn=cluster.node_role, type="EC2_LINUX")
    cluster.advance(4)
    with refused("InvalidParameterException") as error:
        cluster.eks.associate_access_policy(
            clusterName="prod", principalArn=cluster.node_role, policyArn=VIEW, accessScope={"type": "cluster"}
        )
    assert error.message == 'This operation can only be performed on Access Entries with a type of "STANDARD".'


def test_the_creator_becomes_admin_unless_told_otherwise(aws: Aws) -> None:
    aws.make_cluster(accessConfig={"authenticationMode": "API"})
    principal = f"arn:aws:iam::{aws.account}:user/admin"
    listed = aws.eks.list_associated_access_policies(clusterName="prod", principalArn=principal)
    assert listed["associatedAccessPolicies"][0]["policyArn"].endswith("/AmazonEKSClusterAdminPolicy")


def test_associations(cluster: Aws) -> None:
    request = {"clusterName": "prod", "namespace": "orders", "serviceAccount": "api", "roleArn": cluster.pod_role}
    made = cluster.eks.create_pod_identity_association(**request)["association"]
    assert made["associationId"].startswith("a-")
    with refused("ResourceInUseException") as error:
        cluster.eks.create_pod_identity_association(**request)
    assert error.message == f"Association already exists: {made['associationId']}"
    cluster.advance(4)
    listed = cluster.eks.list_pod_identity_associations(clusterName="prod", namespace="orders")["associations"]
    assert [item["associationId"] for item in listed] == [made["associationId"]]
    identifier = {"clusterName": "prod", "associationId": made["associationId"]}
    cluster.eks.update_pod_identity_association(**identifier, disableSessionTags=True)
    with refused("InvalidRequestException"):
        cluster.eks.update_pod_identity_association(**identifier, disableSessionTags=True)
    cluster.eks.delete_pod_identity_association(**identifier)
    with refused("ResourceNotFoundException"):
        cluster.eks.describe_pod_identity_association(**identifier)


def test_associations_need_an_effective_role(cluster: Aws) -> None:
    young = cluster.role("young", "pods.eks.amazonaws.com", effective=False)
    for role in (f"arn:aws:iam::{cluster.account}:role/nobody", young):
        with refused("InvalidParameterException") as error:
            cluster.eks.create_pod_identity_association(clusterName="prod", namespace="a", serviceAccount="b", roleArn=role)
        assert error.message == "Role provided in the request does not exist."
    with refused("InvalidParameterException"):
        cluster.eks.create_pod_identity_association(
            clusterName="prod", namespace="a", serviceAccount="b", roleArn=cluster.cluster_role
        )


def test_tags_of_everything(cluster: Aws) -> None:
    group = cluster.make_nodegroup(tags={"made": "1"})["nodegroupArn"]
    entry = cluster.eks.describe_access_entry(clusterName="prod", principalArn=cluster.node_role)
    for arn in (cluster.show()["arn"], group, entry["accessEntry"]["accessEntryArn"]):
        cluster.eks.tag_resource(resourceArn=arn, tags={"a": "1", "b": "2"})
        cluster.eks.untag_resource(resourceArn=arn, tagKeys=["a"])
        assert cluster.eks.list_tags_for_resource(resourceArn=arn)["tags"]["b"] == "2"
    assert cluster.show_nodegroup()["tags"] == {"made": "1", "b": "2"}
    with refused("NotFoundException") as error:
        cluster.eks.tag_resource(resourceArn=group + "x", tags={"a": "1"})
    assert error.status == 404
    with refused("BadRequestException"):
        cluster.eks.tag_resource(resourceArn=group, tags={"aws:x": "1"})


def test_trust_policies_that_make_no_sense(aws: Aws) -> None:
    for document, text in (
        ("{", "This policy contains invalid Json"),
        (trust("nonsense"), 'Invalid principal in policy: "SERVICE":"nonsense"'),
        (trust(AWS=f"arn:aws:iam::{aws.account}:role/nobody"), "Invalid principal in policy"),
        ('{"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole"}]}', "Missing required field Principal"),
    ):
        with refused("MalformedPolicyDocument") as error:
            aws.iam.create_role(RoleName="x", AssumeRolePolicyDocument=document)
        assert text in error.message


def test_a_young_role_cannot_be_trusted_yet(aws: Aws) -> None:
    young = aws.role("young", "pods.eks.amazonaws.com", effective=False)
    with refused("MalformedPolicyDocument") as error:
        aws.iam.create_role(RoleName="target", AssumeRolePolicyDocument=trust(AWS=young))
    assert error.message == f'Invalid principal in policy: "AWS":"{young}"'
    aws.advance(11)
    aws.iam.create_role(RoleName="target", AssumeRolePolicyDocument=trust(AWS=young))
