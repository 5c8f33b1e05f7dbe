"""Metric filters of log groups: kept here, since moto neither replaces nor checks them."""

from __future__ import annotations

import re
import time
from typing import Any

from local_aws.shims.logs import require_group
from local_aws.shims.passage import Passage, json_answer, shim
from local_aws.wire.message import Response

_NAME = re.compile(r"[^:*]{1,512}")
_LONGEST_PATTERN = 1024


def _filters(passage: Passage, group: str) -> dict[str, dict[str, Any]]:
    return passage.scene.account.world.metric_filters.setdefault((passage.scene.region, group), {})


@shim("logs", "PutMetricFilter")
def put_metric_filter(passage: Passage) -> Response:
    parameters = passage.parameters
    group, name = parameters.get("logGroupName", ""), parameters.get("filterName", "")
    refusal = require_group(passage, group)
    if refusal:
        return refusal
    metrics = parameters.get("metricTransformations", [])
    if not _NAME.fullmatch(name):
        return passage.refuse("InvalidParameterException", f"Invalid filterName: {name}")
    if len(parameters.get("filterPattern", "")) > _LONGEST_PATTERN:
        return passage.refuse("InvalidParameterException", "filterPattern is longer than 1024 characters")
    if len(metrics) != 1 or not {"metricName", "metricNamespace", "metricValue"} <= metrics[0].keys():
        return passage.refuse("InvalidParameterException", "metricTransformations must have one complete item")
    kept = passage.scene.account.world.log_groups.get((passage.scene.region, group), {})
    if kept.get("logGroupClass", "STANDARD") != "STANDARD":
        return passage.refuse("InvalidOperationException", f"Metric filters are not supported for the class of log group {group}")
    _filters(passage, group)[name] = {
        "filterName": name,
        "filterPattern": parameters.get("filterPattern", ""),
        "metricTransformations": metrics,
        "creationTime": int(time.time() * 1000),
        "logGroupName": group,
    }
    return json_answer({})


@shim("logs", "DescribeMetricFilters")
def describe_metric_filters(passage: Passage) -> Response:
    parameters, scene = passage.parameters, passage.scene
    group, prefix = parameters.get("logGroupName"), parameters.get("filterNamePrefix", "")
    if group is not None and (refusal := require_group(passage, group)):
        return refusal
    found = [
        metric_filter
        for (region, name), filters in sorted(scene.account.world.metric_filters.items())
        if region == scene.region and group in (None, name)
        for metric_filter in filters.values()
        if metric_filter["filterName"].startswith(prefix)
    ]
    return json_answer({"metricFilters": found})


@shim("logs", "DeleteMetricFilter")
def delete_metric_filter(passage: Passage) -> Response:
    group, name = passage.parameters.get("logGroupName", ""), passage.parameters.get("filterName", "")
    refusal = require_group(passage, group)
    if refusal:
        return refusal
    if _filters(passage, group).pop(name, None) is None:
        return passage.refuse("ResourceNotFoundException", "The specified metric filter does not exist.")
    return json_answer({})
