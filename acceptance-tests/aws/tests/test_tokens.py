"""Idempotency tokens."""

import pytest
from driver import Aws, refused


def test_the_same_cluster_request_again(aws: Aws) -> None:
    request = aws.cluster_request(clientRequestToken="token-1")
    first = aws.eks.create_cluster(**request)["cluster"]
    assert aws.eks.create_cluster(**request)["cluster"]["createdAt"] == first["createdAt"]
    with refused("InvalidParameterException"):
        aws.eks.create_cluster(**{**request, "version": "1.35"})
    with refused("ResourceInUseException"):
        aws.eks.create_cluster(**{**request, "clientRequestToken": "token-2"})
    aws.advance(605)
    assert aws.eks.create_cluster(**request)["cluster"]["status"] == "ACTIVE"


def test_a_token_ends_with_what_it_made(aws: Aws) -> None:
    request = aws.cluster_request(clientRequestToken="token-1")
    aws.eks.create_cluster(**request)
    aws.eks.delete_cluster(name="prod")
    aws.advance(545)
    assert aws.eks.create_cluster(**request)["cluster"]["status"] == "CREATING"


@pytest.mark.parametrize("kind", ["nodegroup", "addon", "entry", "association", "update"])
def test_other_requests_again(cluster: Aws, kind: str) -> None:
    eks = cluster.eks
    call, request, member = {
        "nodegroup": (eks.create_nodegroup, cluster.nodegroup_request(), ("nodegroup", "nodegroupArn")),
        "addon": (eks.create_addon, {"clusterName": "prod", "addonName": "vpc-cni"}, ("addon", "addonArn")),
        "entry": (
            eks.create_access_entry,
            {"clusterName": "prod", "principalArn": cluster.pod_role},
            ("accessEntry", "accessEntryArn"),
        ),
        "association": (
            eks.create_pod_identity_association,
            {"clusterName": "prod", "namespace": "a", "serviceAccount": "b", "roleArn": cluster.pod_role},
            ("association", "associationArn"),
        ),
        "update": (eks.update_cluster_config, {"name": "prod", "deletionProtection": True}, ("update", "id")),
    }[kind]
    first = call(**request, clientRequestToken="t")
    again = call(**request, clientRequestToken="t")
    assert first[member[0]][member[1]] == again[member[0]][member[1]]
    with refused("ResourceInUseException"):
        call(**request, clientRequestToken="u")
