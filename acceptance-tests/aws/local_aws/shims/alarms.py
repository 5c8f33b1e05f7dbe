"""CloudWatch alarms: what AWS checks, and whose tags are whose.

The front asks moto in JSON; a caller who speaks CBOR is answered in CBOR (gateway.py).
"""

from __future__ import annotations

from typing import Any

from local_aws.shims.passage import Passage, json_answer, shim
from local_aws.wire.message import Response

_MISSING_DATA = ("breaching", "notBreaching", "ignore", "missing")
_ACTIONS = ("AlarmActions", "OKActions", "InsufficientDataActions")
_MOST_ACTIONS = 5
_DAY = 86_400


def _mistake(parameters: dict[str, Any]) -> str | None:
    period, periods = parameters.get("Period"), parameters.get("EvaluationPeriods")
    if not 1 <= len(parameters.get("AlarmName", "")) <= 255:
        return "AlarmName must have 1 to 255 characters"
    if "ComparisonOperator" not in parameters:
        return "ComparisonOperator is required"
    if "Metrics" not in parameters and not {"MetricName", "Namespace", "Period", "Threshold"} <= parameters.keys():
        return "MetricName, Namespace, Period and Threshold are required for an alarm on one metric"
    if "Metrics" not in parameters and ("Statistic" in parameters) == ("ExtendedStatistic" in parameters):
        return "Exactly one of Statistic and ExtendedStatistic is required"
    if period is not None and (period not in (10, 20, 30) and (period < 60 or period % 60)):
        return f"The value {period} for parameter Period is not 10, 20, 30 or a multiple of 60"
    if period is not None and periods is not None and period * periods > (_DAY if period < 3600 else 7 * _DAY):
        return "Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= 86400)"
    if periods is not None and not 1 <= parameters.get("DatapointsToAlarm", 1) <= periods:
        return "DatapointsToAlarm must be at most EvaluationPeriods"
    if parameters.get("TreatMissingData", "missing") not in _MISSING_DATA:
        return f"Option {parameters['TreatMissingData']} is not supported for parameter TreatMissingData"
    if any(len(parameters.get(actions, [])) > _MOST_ACTIONS for actions in _ACTIONS):
        return f"At most {_MOST_ACTIONS} actions are possible for each state"
    return None


def _alarms(passage: Passage, names: list[str]) -> list[dict[str, Any]]:
    answer = passage.scene.cloud.call("monitoring", "DescribeAlarms", AlarmNames=names)
    return answer.get("MetricAlarms", []) + answer.get("CompositeAlarms", [])


@shim("monitoring", "PutMetricAlarm")
def put_metric_alarm(passage: Passage) -> Response:
    parameters = passage.parameters
    mistake = _mistake(parameters)
    if mistake:
        return passage.refuse("ValidationError", mistake)
    if _alarms(passage, [parameters["AlarmName"]]):
        return passage.forward_json(Tags=[])
    return passage.forward()


@shim("monitoring", "DeleteAlarms")
def delete_alarms(passage: Passage) -> Response:
    found = _alarms(passage, passage.parameters.get("AlarmNames", []))
    if not found:
        return passage.refuse("ResourceNotFound", "None of these alarms exists", 404)
    for alarm in found:
        _drop_tags(passage, alarm["AlarmArn"])
    return passage.forward()


def _drop_tags(passage: Passage, arn: str) -> None:
    """The backend keeps tags by ARN: an alarm made later under the same name would inherit them."""
    keys = [tag["Key"] for tag in _tags(passage, arn)]
    if keys:
        passage.scene.cloud.call("monitoring", "UntagResource", ResourceARN=arn, TagKeys=keys)


@shim("monitoring", "ListTagsForResource", "TagResource", "UntagResource")
def tags_of_an_alarm(passage: Passage) -> Response:
    arn = passage.parameters.get("ResourceARN", "")
    name = arn.partition(":alarm:")[2]
    if name and not _alarms(passage, [name]):
        return passage.refuse("ResourceNotFoundException", f"Unknown: {arn}", 404)
    if passage.call.operation == "UntagResource":
        present = {tag["Key"] for tag in _tags(passage, arn)}
        if not present & set(passage.parameters.get("TagKeys", [])):
            # The backend takes an alarm without tags for one that does not exist.
            return json_answer({})
    return passage.forward()


def _tags(passage: Passage, arn: str) -> list[dict[str, str]]:
    return passage.scene.cloud.call("monitoring", "ListTagsForResource", ResourceARN=arn)["Tags"]
