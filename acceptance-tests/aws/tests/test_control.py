"""Journal, leaks, snapshots, accounts, configuration."""

import concurrent.futures
import json
import subprocess
import urllib.request

import pytest
from driver import PACKAGE, Aws, Process, refused, shell_environment, trust


def test_the_journal(cluster: Aws) -> None:
    last = cluster.control("POST", "mark")["n"]
    cluster.make_nodegroup()
    with refused("ResourceNotFoundException"):
        cluster.show_nodegroup("none")
    cluster.control("POST", "call", service="eks", operation="ListClusters", region=cluster.region)
    calls = cluster.control("GET", "journal", since=last)["calls"]
    assert [call["n"] for call in calls] == list(range(last + 1, last + 1 + len(calls)))
    made = next(call for call in calls if call["operation"] == "CreateNodegroup")
    assert made["service"] == "eks"
    assert made["resource"] == "prod/general"
    assert made["mutating"] is True
    assert made["outcome"] == {"status": 200, "code": None}
    assert made["access_key"] == cluster.access_key
    assert (made["account"], made["region"], made["caller"]) == (cluster.account, cluster.region, "provider")
    assert made["virtual_time"] > made["time"]
    failed = next(call for call in calls if call["resource"] == "prod/none")
    assert failed["outcome"] == {"status": 404, "code": "ResourceNotFoundException"}
    assert failed["mutating"] is False
    assert calls[-1]["caller"] == "test"
    # What EKS does by itself is not a call of anybody.
    assert not [call for call in calls if call["operation"] == "CreateNetworkInterface"]


def test_arns_in_paths(cluster: Aws) -> None:
    cluster.eks.create_access_entry(clusterName="prod", principalArn=cluster.pod_role)
    cluster.eks.describe_access_entry(clusterName="prod", principalArn=cluster.pod_role)
    assert cluster.calls(operation="DescribeAccessEntry")[0]["resource"] == f"prod/{cluster.pod_role}"


def test_leaks_and_objects(aws: Aws) -> None:
    assert aws.control("GET", "leaks") == {"count": 0, "leaks": {}}
    _ = aws.vpc
    aws.control("POST", "baseline")
    arn = aws.key()
    aws.kms.create_alias(AliasName="alias/eks/prod", TargetKeyId=arn)
    aws.make_cluster(logging={"clusterLogging": [{"types": ["api"], "enabled": True}]})
    aws.template()
    aws.make_nodegroup()
    aws.make_addon("vpc-cni", podIdentityAssociations=[{"serviceAccount": "aws-node", "roleArn": aws.pod_role}])
    leaks = aws.leaks()
    assert sorted(leaks["eks"]) == ["access-entry", "addon", "cluster", "nodegroup", "pod-identity-association"]
    assert leaks["iam"] == ["role"] * 3
    assert leaks["kms"] == ["alias", "key"]
    assert leaks["logs"] == ["log-group"]
    assert leaks["ec2"] == ["launch-template", "network-interface", "network-interface", "security-group"]
    objects = aws.control("GET", "objects")
    assert "prod/general" in objects["text"]
    assert "ACTIVE, Kubernetes 1.34" in objects["text"]
    aws.control("POST", "baseline")
    aws.kms.schedule_key_deletion(KeyId=arn)
    assert aws.control("GET", "leaks")["count"] == 0


def test_snapshot_and_restore(cluster: Aws) -> None:
    cluster.template()
    _ = cluster.node_role
    snapshot = cluster.control("POST", "snapshot")["id"]
    before = cluster.control("GET", "objects")["text"]
    cluster.make_nodegroup()
    cluster.ec2.delete_launch_template(LaunchTemplateName="nodes")
    cluster.eks.update_cluster_version(name="prod", version="1.35")
    for _ in range(2):
        assert cluster.control("POST", "restore", id=snapshot) == {}
        assert cluster.control("GET", "objects")["text"] == before
        group = cluster.show()["resourcesVpcConfig"]["clusterSecurityGroupId"]
        cluster.ec2.describe_security_groups(GroupIds=[group])
        cluster.ec2.delete_launch_template(LaunchTemplateName="nodes")
    cluster.make_nodegroup()
    assert cluster.show_nodegroup()["status"] == "ACTIVE"
    assert "no snapshot" in cluster.control("POST", "restore", id="n0")["error"]["message"]


def test_reset_forgets_everything(cluster: Aws) -> None:
    cluster.control("POST", "reset")
    assert cluster.control("GET", "leaks")["count"] == 0
    assert cluster.control("GET", "journal")["calls"] == []
    assert cluster.iam.list_roles()["Roles"] == []
    cluster.role("cluster", "eks.amazonaws.com")


def test_accounts_are_isolated(cluster: Aws, other: Aws) -> None:
    assert other.eks.list_clusters()["clusters"] == []
    assert other.iam.list_roles()["Roles"] == []
    assert other.sts.get_caller_identity()["Account"] == other.account
    assert cluster.sts.get_caller_identity()["Account"] == cluster.account
    elsewhere = Aws(cluster.url, cluster.account, region="us-west-2")
    assert elsewhere.eks.list_clusters()["clusters"] == []
    assert Aws(cluster.url, "", key_prefix="test").sts.get_caller_identity()["Account"] == "123456789012"


def test_a_read_only_principal(cluster: Aws) -> None:
    reader = Aws(cluster.url, cluster.account, key_prefix="ASIAREADONLY")
    assert reader.show()["name"] == "prod"
    assert reader.sts.get_caller_identity()["Arn"].endswith(":assumed-role/read-only/session")
    for code, call in (
        ("AccessDeniedException", lambda: reader.eks.delete_cluster(name="prod")),
        ("AccessDenied", lambda: reader.iam.delete_role(RoleName="cluster")),
        ("UnauthorizedOperation", lambda: reader.ec2.create_vpc(CidrBlock="10.0.0.0/16")),
        ("AccessDeniedException", lambda: reader.kms.create_key()),
    ):
        with refused(code) as error:
            call()
        assert "not authorized to perform" in error.message


def test_assumed_roles_stay_in_their_account(aws: Aws, other: Aws) -> None:
    arn = f"arn:aws:iam::{other.account}:role/x"
    credentials = aws.sts.assume_role(RoleArn=arn, RoleSessionName="session")["Credentials"]
    assert credentials["AccessKeyId"].endswith(other.account)


def test_calls_without_signature_and_with_presigned_urls(aws: Aws) -> None:
    arn = f"arn:aws:iam::{aws.account}:role/x"
    answer = aws.sts.assume_role_with_web_identity(RoleArn=arn, RoleSessionName="session", WebIdentityToken="t" * 20)
    assert answer["Credentials"]["AccessKeyId"].endswith(aws.account)
    url = aws.sts.generate_presigned_url("get_caller_identity")
    assert aws.account.encode() in urllib.request.urlopen(url).read()


def test_service_linked_roles(aws: Aws) -> None:
    role = aws.iam.create_service_linked_role(AWSServiceName="eks.amazonaws.com")["Role"]
    assert role["RoleName"] == "AWSServiceRoleForAmazonEKS"
    assert aws.iam.get_role(RoleName="AWSServiceRoleForAmazonEKS")["Role"]["Arn"] == role["Arn"]
    with refused("InvalidInput"):
        aws.iam.create_service_linked_role(AWSServiceName="eks.amazonaws.com")
    assert aws.leaks() == {}


def test_the_vpc_is_made_once(aws: Aws) -> None:
    first = aws.control("POST", "vpc", region=aws.region)
    assert aws.control("POST", "vpc", region=aws.region) == first
    subnets = aws.ec2.describe_subnets(SubnetIds=first["subnet_ids"])["Subnets"]
    assert len({subnet["AvailabilityZone"] for subnet in subnets}) == 3
    assert not any(subnet["MapPublicIpOnLaunch"] for subnet in subnets)


def test_calls_for_tests(aws: Aws) -> None:
    answer = aws.control(
        "POST",
        "call",
        service="iam",
        operation="CreateRole",
        parameters={"RoleName": "x", "AssumeRolePolicyDocument": trust("ec2.amazonaws.com")},
    )
    assert answer["result"]["Role"]["Arn"] == f"arn:aws:iam::{aws.account}:role/x"
    answer = aws.control("POST", "call", service="iam", operation="GetRole", parameters={"RoleName": "y"})
    assert (answer["error"]["code"], answer["error"]["status"]) == ("NoSuchEntity", 404)
    answer = aws.control("POST", "call", service="ec2", operation="DescribeVpcs", parameters={"Nonsense": 1})
    assert answer["error"]["code"] == "ParamValidation"


def test_what_is_not_implemented_is_typed(aws: Aws) -> None:
    with refused("NotImplemented") as error:
        aws.eks.create_capability(clusterName="a", capabilityName="b", type="ACK", roleArn="c", deletePropagationPolicy="RETAIN")
    assert error.status == 501
    assert "eks:CreateCapability" in error.message
    with refused("NotImplemented") as error:
        aws.client("ecr").describe_repository_creation_templates()
    assert error.status == 501
    request = urllib.request.Request(f"{aws.url}/nowhere")
    with pytest.raises(urllib.error.HTTPError) as found:
        urllib.request.urlopen(request)
    assert json.load(found.value)["message"].startswith("The local AWS does not implement")


def test_configuration(aws: Aws, other: Aws) -> None:
    assert aws.control("POST", "config", durations={"addon_create": 1})["durations"]["addon_create"] == 1
    assert other.control("GET", "config")["durations"]["addon_create"] == 45
    assert "error" in aws.control("POST", "config", durations={"nonsense": 1})


def test_waiters(server: Process) -> None:
    aws = Aws(server.url, "299999999997")
    request, group = aws.cluster_request(), aws.nodegroup_request()
    aws.control("POST", "config", scale=3000)

    def wait(waiter_name: str, **which: str) -> None:
        waiter = aws.eks.get_waiter(waiter_name)
        waiter.config.delay = 0.03
        waiter.wait(**which)

    aws.eks.create_cluster(**request)
    wait("cluster_active", name="prod")
    aws.eks.create_nodegroup(**group)
    wait("nodegroup_active", clusterName="prod", nodegroupName="general")
    aws.eks.create_addon(clusterName="prod", addonName="coredns")
    wait("addon_active", clusterName="prod", addonName="coredns")
    aws.eks.delete_addon(clusterName="prod", addonName="coredns")
    wait("addon_deleted", clusterName="prod", addonName="coredns")
    aws.eks.delete_nodegroup(clusterName="prod", nodegroupName="general")
    wait("nodegroup_deleted", clusterName="prod", nodegroupName="general")
    aws.eks.delete_cluster(name="prod")
    wait("cluster_deleted", name="prod")


def test_the_aws_cli(aws: Aws) -> None:
    def run(*arguments: str) -> dict:
        command = ["aws", *arguments, "--output", "json"]
        done = subprocess.run(command, env=shell_environment(aws), capture_output=True, text=True, check=True)
        return json.loads(done.stdout) if done.stdout else {}

    network = "subnetIds=" + ",".join(aws.subnets)
    made = run("eks", "create-cluster", "--name", "cli", "--role-arn", aws.cluster_role, "--resources-vpc-config", network)
    assert made["cluster"]["status"] == "CREATING"
    aws.advance(605)
    assert run("eks", "describe-cluster", "--name", "cli")["cluster"]["status"] == "ACTIVE"
    run("eks", "tag-resource", "--resource-arn", made["cluster"]["arn"], "--tags", "a=b")
    assert aws.show("cli")["tags"] == {"a": "b"}


def test_many_clients_at_once(cluster: Aws) -> None:
    clients = [cluster.client("eks") for _ in range(16)]

    def work(client) -> int:
        return sum(client.describe_cluster(name="prod")["cluster"]["status"] == "ACTIVE" for _ in range(20))

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(work, clients)) == 320


def test_the_server_ends_with_its_parent(tmp_path) -> None:
    port_file = tmp_path / "port"
    with Process("--port-file", str(port_file)) as process:
        assert process.url.endswith(f":{port_file.read_text()}")
        assert urllib.request.urlopen(f"{process.url}/_local/health").status == 200
        assert process.close_input() == 0


def test_another_backend(server: Process) -> None:
    with Process("--scale", "1", "--backend", server.url) as front:
        aws = Aws(front.url, "299999999996")
        assert aws.make_cluster()["status"] == "ACTIVE"
        backend = Aws(server.url, "299999999996")
        assert [role["RoleName"] for role in backend.iam.list_roles()["Roles"]] == ["cluster"]
        assert backend.eks.list_clusters()["clusters"] == []


def test_every_rule_names_its_source() -> None:
    rows = [line for line in (PACKAGE / "RULES.md").read_text().splitlines() if line.startswith("| ")]
    for row in rows:
        assert len([cell for cell in row.strip("|").split("|") if cell.strip()]) >= 2, row
