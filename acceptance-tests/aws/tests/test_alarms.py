"""CloudWatch: alarms, as the Rust SDK and boto3 speak to it, and metric filters."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

import pytest
from driver import REGION, Aws, refused

from local_aws.wire import cbor, models

GROUP = "/aws/eks/prod/cluster"
TOPIC = f"arn:aws:sns:{REGION}:111122223333:alarms"


def alarm(**changed: Any) -> dict[str, Any]:
    request = {
        "AlarmName": "prod-cpu",
        "Namespace": "ContainerInsights",
        "MetricName": "node_cpu_utilization",
        "Dimensions": [{"Name": "ClusterName", "Value": "prod"}],
        "Statistic": "Maximum",
        "Period": 60,
        "EvaluationPeriods": 15,
        "Threshold": 90.0,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": "missing",
        "AlarmActions": [TOPIC],
    } | changed
    return {name: value for name, value in request.items() if value is not None}


def show(aws: Aws, name: str = "prod-cpu") -> dict[str, Any]:
    return aws.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"][0]


def tags(aws: Aws) -> dict[str, str]:
    listed = aws.client("cloudwatch").list_tags_for_resource(ResourceARN=show(aws)["AlarmArn"])["Tags"]
    return {tag["Key"]: tag["Value"] for tag in listed}


def in_cbor(aws: Aws, operation: str, **parameters: Any) -> tuple[int, dict[str, Any]]:
    """As the Rust SDK calls it."""
    model = models.operation_model("monitoring", operation)
    headers = {
        "smithy-protocol": "rpc-v2-cbor",
        "content-type": cbor.CONTENT_TYPE,
        "authorization": f"AWS4-HMAC-SHA256 Credential={aws.access_key}/20260101/{REGION}/monitoring/aws4_request, Signature=x",
    }
    url = f"{aws.url}/service/GraniteServiceVersion20100801/operation/{operation}"
    request = urllib.request.Request(url, cbor.write(parameters, model.input_shape), headers, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, cbor.read(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, cbor.read(error.read())


def test_an_alarm_in_cbor_is_the_alarm_in_every_protocol(aws: Aws) -> None:
    assert in_cbor(aws, "PutMetricAlarm", **alarm(Tags=[{"Key": "team", "Value": "a"}]))[0] == 200
    status, answer = in_cbor(aws, "DescribeAlarms", AlarmNamePrefix="prod-")
    assert status == 200
    assert answer["MetricAlarms"][0]["Threshold"] == 90.0
    assert show(aws)["AlarmArn"] == answer["MetricAlarms"][0]["AlarmArn"]
    assert aws.leaks() == {"monitoring": ["alarm"]}
    assert next((call["operation"], call["resource"]) for call in aws.calls(service="monitoring")) == (
        "PutMetricAlarm",
        "prod-cpu",
    )
    assert in_cbor(aws, "DeleteAlarms", AlarmNames=["prod-cpu"])[0] == 200
    assert aws.leaks() == {}


def test_errors_and_faults_are_answered_in_cbor(aws: Aws) -> None:
    status, answer = in_cbor(aws, "DeleteAlarms", AlarmNames=["none"])
    assert (status, answer["__type"]) == (404, "ResourceNotFound")
    status, answer = in_cbor(aws, "PutMetricAlarm", **alarm(Period=61))
    assert (status, answer["__type"]) == (400, "ValidationError")
    aws.fault("throttle", service="monitoring", operation="DescribeAlarms")
    status, answer = in_cbor(aws, "DescribeAlarms", AlarmNames=["none"])
    assert (status, answer["__type"]) == (400, "ThrottlingException")
    aws.fault("access_denied", service="monitoring", resource="prod-cpu")
    status, answer = in_cbor(aws, "PutMetricAlarm", **alarm())
    assert "cloudwatch:PutMetricAlarm" in answer["message"]


def test_tags_are_taken_only_when_an_alarm_is_made(aws: Aws) -> None:
    cloudwatch = aws.client("cloudwatch")
    cloudwatch.put_metric_alarm(**alarm(Tags=[{"Key": "team", "Value": "a"}]))
    cloudwatch.put_metric_alarm(**alarm(Threshold=50.0, Tags=[{"Key": "team", "Value": "b"}]))
    assert show(aws)["Threshold"] == 50.0
    assert tags(aws) == {"team": "a"}
    arn = show(aws)["AlarmArn"]
    cloudwatch.tag_resource(ResourceARN=arn, Tags=[{"Key": "cost", "Value": "1"}])
    cloudwatch.untag_resource(ResourceARN=arn, TagKeys=["team", "none"])
    assert tags(aws) == {"cost": "1"}
    cloudwatch.delete_alarms(AlarmNames=["prod-cpu"])
    with refused("ResourceNotFoundException"):
        cloudwatch.list_tags_for_resource(ResourceARN=arn)
    cloudwatch.put_metric_alarm(**alarm())
    assert tags(aws) == {}


@pytest.mark.parametrize(
    "wrong",
    [
        {"Period": 90},
        {"EvaluationPeriods": 1441},
        {"TreatMissingData": "ignored"},
        {"DatapointsToAlarm": 16},
        {"AlarmActions": [TOPIC] * 6},
        {"Statistic": None},
    ],
)
def test_wrong_alarms_are_refused(aws: Aws, wrong: dict[str, Any]) -> None:
    with refused("ValidationError"):
        aws.client("cloudwatch").put_metric_alarm(**alarm(**wrong))


def put_filter(aws: Aws, **changed: Any) -> None:
    metric = {"metricName": "uses", "metricNamespace": "BreakGlass", "metricValue": "1"}
    request = {"logGroupName": GROUP, "filterName": "uses", "filterPattern": "a", "metricTransformations": [metric]}
    aws.logs.put_metric_filter(**(request | changed))


def filters(aws: Aws) -> list[str]:
    found = aws.logs.describe_metric_filters(logGroupName=GROUP, filterNamePrefix="us")["metricFilters"]
    return [metric_filter["filterPattern"] for metric_filter in found]


def test_a_filter_is_replaced_and_goes_with_its_group(aws: Aws) -> None:
    with refused("ResourceNotFoundException"):
        put_filter(aws)
    with refused("ResourceNotFoundException"):
        filters(aws)
    aws.logs.create_log_group(logGroupName=GROUP)
    put_filter(aws)
    put_filter(aws, filterPattern="b")
    assert filters(aws) == ["b"]
    assert aws.leaks() == {"logs": ["log-group", "metric-filter"]}
    aws.logs.delete_log_group(logGroupName=GROUP)
    aws.logs.create_log_group(logGroupName=GROUP)
    assert filters(aws) == []
    with refused("ResourceNotFoundException"):
        aws.logs.delete_metric_filter(logGroupName=GROUP, filterName="uses")


def test_a_filter_needs_the_standard_class(aws: Aws) -> None:
    aws.logs.create_log_group(logGroupName=GROUP, logGroupClass="INFREQUENT_ACCESS")
    with refused("InvalidOperationException"):
        put_filter(aws)


def test_a_key_may_be_for_some_groups_only(aws: Aws) -> None:
    group = f"arn:aws:logs:{REGION}:{aws.account}:log-group:/aws/eks/prod/*"
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": f"logs.{REGION}.amazonaws.com"},
        "Action": "kms:*",
        "Resource": "*",
        "Condition": {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": group}},
    }
    key = aws.key([json.loads(json.dumps(statement))])
    aws.logs.create_log_group(logGroupName=GROUP, kmsKeyId=key)
    with refused("AccessDeniedException"):
        aws.logs.create_log_group(logGroupName="/aws/containerinsights/prod/host", kmsKeyId=key)
