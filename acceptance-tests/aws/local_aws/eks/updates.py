"""Updates of clusters, node groups and add-ons: one at a time, slow to show, slow to settle."""

from __future__ import annotations

import copy
import json
import uuid
from typing import Any

from local_aws.eks import lookup
from local_aws.eks.errors import in_use, not_found
from local_aws.eks.records import Cluster, Part, Update
from local_aws.eks.requests import page
from local_aws.eks.scene import Scene, event, operation
from local_aws.eks.surroundings import ensure_log_group


def running(holder: Cluster | Part) -> Update | None:
    return next((update for update in holder.updates.values() if update.view["status"] == "InProgress"), None)


def require_no_update(cluster: Cluster, update_type: str) -> None:
    update = running(cluster)
    if update is not None:
        raise in_use(
            f"Cannot {update_type} because cluster {cluster.name} currently has update {update.view['id']} in progress",
            clusterName=cluster.name,
        )


def start(
    scene: Scene,
    cluster: Cluster,
    update_type: str,
    params: dict[str, Any],
    changes: dict[str, Any],
    duration: str,
    part: tuple[str, str] | None = None,
) -> dict[str, Any]:
    """Begins an update of the cluster or of a part, given as (shelf, name)."""
    holder = lookup.holder(cluster, part)
    update = Update(
        {
            "id": str(uuid.uuid4()),
            "status": "InProgress",
            "type": update_type,
            "params": [
                {"type": name, "value": value if isinstance(value, str) else json.dumps(value)} for name, value in params.items()
            ],
            "createdAt": scene.timestamp(),
            "errors": [],
        },
        changes,
        scene.now,
    )
    holder.updates[update.view["id"]] = update
    seconds = scene.duration(duration)
    which = {"cluster": cluster.name, "part": part, "uid": holder.uid, "update_id": update.view["id"]}
    scene.later(min(scene.duration("updating_appears"), seconds / 2), "update_shows", **which)
    scene.later(seconds, "update_takes_effect", **which)
    return {"update": copy.deepcopy(update.view)}


def _find(scene: Scene, cluster: str, part: tuple[str, str] | None, uid: str) -> tuple[Cluster | None, Cluster | Part | None]:
    """The cluster and what is updated, unless it has gone or was replaced meanwhile."""
    found = scene.eks.clusters.get(cluster)
    holder = lookup.holder(found, part, missing_ok=True) if found else None
    return (found, holder) if holder is not None and holder.uid == uid else (None, None)


@event
def update_shows(scene: Scene, cluster: str, part: tuple[str, str] | None, uid: str, update_id: str) -> None:
    _, holder = _find(scene, cluster, part, uid)
    if holder is not None and holder.view["status"] in ("ACTIVE", "DEGRADED", "UPDATE_FAILED", "CREATE_FAILED"):
        holder.view["status"] = "UPDATING"


@event
def update_takes_effect(scene: Scene, cluster: str, part: tuple[str, str] | None, uid: str, update_id: str) -> None:
    found, holder = _find(scene, cluster, part, uid)
    if found is None or holder is None:
        return
    resource = lookup.resource(cluster, part)
    if scene.script(resource, "stuck"):
        scene.later(5, "update_takes_effect", cluster=cluster, part=part, uid=uid, update_id=update_id)
        return
    update = holder.updates[update_id]
    script = scene.script(resource, "fail")
    if script:
        issues = script.issues or [{"code": "NodeCreationFailure", "message": "Update failed"}]
        update.view["status"] = "Failed"
        update.view["errors"] = [
            {
                "errorCode": _error_code(issue["code"]),
                "errorMessage": issue.get("message", ""),
                "resourceIds": issue.get("resourceIds", []),
            }
            for issue in issues
        ]
        if holder.view["status"] == "UPDATING":
            holder.view["status"] = "UPDATE_FAILED" if part and part[0] == "addons" else "ACTIVE"
        return
    for path, value in update.changes.items():
        lookup.set_path(holder.view, path, value)
    if "modifiedAt" in holder.view:
        holder.view["modifiedAt"] = scene.timestamp()
    if holder.view["status"] == "UPDATING":
        holder.view["status"] = "ACTIVE"
    if update.view["type"] == "LoggingUpdate" and lookup.enabled_log_types(found):
        ensure_log_group(scene, found.name)
    if part is not None:
        lookup.recheck_addons(scene, found)
    # The status reads ACTIVE a little before the update counts as finished.
    scene.later("update_settles", "update_settles", cluster=cluster, part=part, uid=uid, update_id=update_id)


@event
def update_settles(scene: Scene, cluster: str, part: tuple[str, str] | None, uid: str, update_id: str) -> None:
    _, holder = _find(scene, cluster, part, uid)
    if holder is not None:
        holder.updates[update_id].view["status"] = "Successful"


_ERROR_CODES = {
    "AccessDenied", "ClusterUnreachable", "ConfigurationConflict", "InsufficientFreeAddresses",
    "InsufficientNumberOfReplicas", "NodeCreationFailure", "PodEvictionFailure", "AdmissionRequestDenied",
}  # fmt: skip


def _error_code(issue: str) -> str:
    return issue if issue in _ERROR_CODES else "Unknown"


def _part_of(parameters: dict[str, Any]) -> tuple[str, str] | None:
    if parameters.get("nodegroupName"):
        return "nodegroups", parameters["nodegroupName"]
    if parameters.get("addonName"):
        return "addons", parameters["addonName"]
    return None


@operation
def describe_update(scene: Scene, parameters: dict[str, Any]) -> dict[str, Any]:
    cluster = lookup.cluster(scene, parameters["name"])
    holder = lookup.holder(cluster, _part_of(parameters))
    update = holder.updates.get(parameters["updateId"])
    if update is None:
        raise not_found(f"No update found for ID: {parameters['updateId']}", clusterName=cluster.name)
    return {"update": update.view}


@operation
def list_updates(scene: Scene, parameters: dict[str, Any]) -> dict[str, Any]:
    cluster = lookup.cluster(scene, parameters["name"])
    holder = lookup.holder(cluster, _part_of(parameters))
    shown, token = page(list(holder.updates), parameters)
    return {"updateIds": shown, "nextToken": token}
