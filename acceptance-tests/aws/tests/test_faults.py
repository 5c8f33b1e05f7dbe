"""Faults on order, in every protocol."""

import threading
import time

import botocore.exceptions
import pytest
from driver import Aws, refused


def read(aws: Aws, service: str):
    return {
        "eks": lambda: aws.client("eks").list_clusters(),
        "iam": lambda: aws.client("iam").list_roles(),
        "ec2": lambda: aws.client("ec2").describe_vpcs(),
        "kms": lambda: aws.client("kms").list_keys(),
        "logs": lambda: aws.client("logs").describe_log_groups(),
    }[service]


@pytest.mark.parametrize(
    ("action", "service", "code", "status"),
    [
        ("throttle", "eks", "ThrottlingException", 429),
        ("throttle", "iam", "Throttling", 400),
        ("throttle", "ec2", "RequestLimitExceeded", 503),
        ("throttle", "kms", "ThrottlingException", 400),
        ("error500", "eks", "ServerException", 500),
        ("error500", "iam", "ServiceFailure", 500),
        ("error500", "ec2", "InternalError", 500),
        ("error500", "kms", "KMSInternalException", 500),
        ("expired_token", "eks", "ExpiredTokenException", 403),
        ("expired_token", "iam", "ExpiredToken", 403),
        ("expired_token", "ec2", "ExpiredToken", 403),
        ("expired_token", "logs", "ExpiredTokenException", 400),
        ("access_denied", "eks", "AccessDeniedException", 403),
        ("access_denied", "iam", "AccessDenied", 403),
        ("access_denied", "ec2", "UnauthorizedOperation", 403),
        ("access_denied", "logs", "AccessDeniedException", 400),
    ],
)
def test_errors_in_the_services_own_words(aws: Aws, action: str, service: str, code: str, status: int) -> None:
    call = read(aws, service)
    aws.fault(action, service=service)
    with refused(code) as error:
        call()
    assert error.status == status
    assert error.message
    call()


def test_rates(aws: Aws) -> None:
    aws.fault("throttle", service="iam", operation="GetRole", per_second=1)
    codes = []
    for _ in range(4):
        with pytest.raises(botocore.exceptions.ClientError) as error:
            aws.iam.get_role(RoleName="nobody")
        codes.append(error.value.response["Error"]["Code"])
    assert codes[0] == "NoSuchEntity"
    assert "Throttling" in codes


def test_any_error(aws: Aws) -> None:
    aws.fault("error", service="logs", code="OperationAbortedException", message="try again", status=400)
    with refused("OperationAbortedException") as error:
        aws.logs.create_log_group(logGroupName="x")
    assert error.message == "try again"
    aws.logs.create_log_group(logGroupName="x")


def test_occurrences_and_marks(aws: Aws) -> None:
    fault = aws.fault("throttle", service="eks", operation="Describe*", resource="two", occurrence=2, times=1)
    for name in ("one", "two", "one"):
        with refused("ResourceNotFoundException"):
            aws.eks.describe_cluster(name=name)
    with refused("ThrottlingException"):
        aws.eks.describe_cluster(name="two")
    with refused("ResourceNotFoundException"):
        aws.eks.describe_cluster(name="two")
    state = aws.control("GET", "faults")["faults"][0]
    assert (state["id"], state["seen"], state["fired"]) == (fault, 3, 1)
    aws.control("POST", "mark")
    assert aws.control("GET", "faults")["faults"][0]["seen"] == 0


def test_from_the_kth_call_to_the_end(aws: Aws) -> None:
    aws.eks.list_clusters()
    aws.fault("expired_token", occurrence=3, until_cleared=True)
    aws.control("POST", "mark")
    aws.eks.list_clusters()
    aws.iam.list_roles()
    with refused("ExpiredToken"):
        aws.iam.list_roles()
    with refused("ExpiredTokenException"):
        aws.eks.list_clusters()
    assert aws.control("DELETE", "faults")["cleared"] == 1
    aws.eks.list_clusters()


def test_calls_of_tests_are_spared(aws: Aws) -> None:
    aws.fault("error500", until_cleared=True)
    answer = aws.control("POST", "call", service="eks", operation="ListClusters", region=aws.region)
    assert answer == {"result": {"clusters": []}}
    assert aws.control("GET", "faults")["faults"][0]["seen"] == 0


def test_reset_before_and_after_the_effect(cluster: Aws) -> None:
    cluster.fault("reset_before", service="eks", operation="CreateAddon")
    with pytest.raises(botocore.exceptions.HTTPClientError):
        cluster.eks.create_addon(clusterName="prod", addonName="vpc-cni")
    with refused("ResourceNotFoundException"):
        cluster.show_addon("vpc-cni")
    cluster.fault("reset_after", service="eks", operation="CreateAddon")
    with pytest.raises(botocore.exceptions.HTTPClientError):
        cluster.eks.create_addon(clusterName="prod", addonName="vpc-cni")
    assert cluster.show_addon("vpc-cni")["status"] == "CREATING"
    assert [call["outcome"]["code"] for call in cluster.calls(operation="CreateAddon")] == ["reset", "reset"]


def test_tokens_make_the_sdks_retry_harmless(cluster: Aws) -> None:
    cluster.fault("reset_after", service="eks", operation="CreateAddon")
    made = cluster.client("eks", attempts=3).create_addon(clusterName="prod", addonName="vpc-cni", clientRequestToken="t")
    assert made["addon"]["status"] == "CREATING"
    assert len(cluster.calls(operation="CreateAddon")) == 2


def test_stalls(aws: Aws) -> None:
    aws.fault("stall", service="eks", seconds=0.3)
    start = time.monotonic()
    aws.eks.list_clusters()
    assert time.monotonic() - start >= 0.3


def test_stale_reads(cluster: Aws) -> None:
    assert cluster.show()["tags"] == {}
    cluster.eks.tag_resource(resourceArn=cluster.show()["arn"], tags={"new": "1"})
    cluster.fault("stale_read", service="eks", operation="DescribeCluster")
    assert cluster.show()["tags"] == {}
    assert cluster.show()["tags"] == {"new": "1"}
    cluster.eks.create_addon(clusterName="prod", addonName="vpc-cni")
    cluster.fault("stale_read", service="eks", operation="DescribeAddon")
    with refused("ResourceNotFoundException"):
        cluster.show_addon("vpc-cni")
    cluster.show_addon("vpc-cni")


def test_hold_until_released(aws: Aws) -> None:
    fault = aws.fault("hold", service="iam", operation="CreateRole")
    done = threading.Event()

    def create() -> None:
        aws.role("held", "ec2.amazonaws.com", effective=False)
        done.set()

    thread = threading.Thread(target=create)
    thread.start()
    assert aws.control("GET", "faults/wait", id=fault, timeout=5)["timed_out"] is False
    assert aws.control("GET", "faults")["faults"][0]["holding"] == 1
    # The effect has happened, other calls go on, only the answer is missing.
    assert aws.iam.get_role(RoleName="held")["Role"]["RoleName"] == "held"
    assert not done.is_set()
    aws.control("POST", "faults/release", id=fault)
    thread.join(5)
    assert done.is_set()


def test_held_before_the_effect_and_given_up(aws: Aws) -> None:
    fault = aws.fault("hold_before", service="iam", operation="CreateRole")
    impatient = aws.client("iam", read_timeout=0.5)
    with pytest.raises(botocore.exceptions.ReadTimeoutError):
        impatient.create_role(RoleName="never", AssumeRolePolicyDocument="{}")
    impatient.close()
    end = time.monotonic() + 3
    while aws.control("GET", "faults")["faults"][0]["holding"] and time.monotonic() < end:
        time.sleep(0.05)
    aws.control("POST", "faults/release", id=fault)
    with refused("NoSuchEntity"):
        aws.iam.get_role(RoleName="never")
    assert aws.calls(operation="CreateRole")[0]["outcome"] == {"status": 0, "code": "gone"}


def test_waiting_for_a_fault_times_out(aws: Aws) -> None:
    fault = aws.fault("throttle")
    assert aws.control("GET", "faults/wait", id=fault, timeout=0.1)["timed_out"] is True


def test_wrong_orders(aws: Aws) -> None:
    assert "action must be one of" in aws.control("POST", "faults", action="explode")["error"]["message"]
    assert "unknown members" in aws.control("POST", "faults", action="stall", nonsense=1)["error"]["message"]
    assert "error" in aws.control("POST", "nothing")
