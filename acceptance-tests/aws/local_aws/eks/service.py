"""The EKS API: one call in, one answer out."""

from __future__ import annotations

import sys
import traceback

# Importing the operations registers them.
from local_aws.eks import (  # noqa: F401
    access_entries,
    addon_catalog,
    addons,
    cluster_updates,
    clusters,
    nodegroup_updates,
    nodegroups,
    pod_identity,
    tags,
    tokens,
    updates,
    versions,
)
from local_aws.eks.errors import EksError
from local_aws.eks.requests import operation_model, parse, record_violation, render
from local_aws.eks.scene import EVENTS, OPERATIONS, Scene
from local_aws.wire import models
from local_aws.wire.answers import error_response, json_response, not_implemented
from local_aws.wire.call import Call
from local_aws.wire.message import Response


def serve(scene: Scene, call: Call) -> Response:
    if operation_model(call.operation) is None or call.operation not in OPERATIONS:
        return not_implemented(call)
    try:
        parameters = parse(call)
        return json_response(render(call.operation, tokens.answer(scene, call.operation, parameters)))
    except EksError as error:
        return error_response(call, error.code, error.message, _status(error.code), error.fields)


def _status(code: str) -> int:
    model = models.service_model("eks")
    if code not in model.shape_names:
        return 400
    return model.shape_for(code).metadata.get("error", {}).get("httpStatusCode", 400)


def run_due_events(scene: Scene, now: float) -> None:
    """Lets everything happen that is due, each at its own virtual time."""
    region = scene.region
    while (due := scene.account.world.schedule.next_due(now)) is not None:
        scene.now, scene.region = due.due, due.region
        scene.cloud.region = due.region
        try:
            EVENTS[due.kind](scene, **due.data)
        except Exception as error:
            # A test may have removed what the event stands on; nobody waits for its answer.
            traceback.print_exc(file=sys.stderr)
            record_violation(due.kind, [repr(error)])
    scene.now, scene.region = now, region
    scene.cloud.region = region
