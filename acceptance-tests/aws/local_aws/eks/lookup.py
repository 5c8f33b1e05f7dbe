"""Finding clusters and their parts, with the texts EKS answers when they are not there."""

from __future__ import annotations

from typing import Any

from local_aws.eks.errors import invalid_request, not_found
from local_aws.eks.records import Cluster, Part
from local_aws.eks.scene import Scene

_KINDS = {"nodegroups": "nodegroup", "addons": "addon"}


def cluster(scene: Scene, name: str) -> Cluster:
    found = scene.eks.clusters.get(name)
    if found is None:
        raise not_found(f"No cluster found for name: {name}.", clusterName=name)
    return found


def ready_cluster(scene: Scene, name: str) -> Cluster:
    """A cluster that takes node groups, add-ons, access entries and associations."""
    found = cluster(scene, name)
    if found.view["status"] not in ("ACTIVE", "UPDATING"):
        raise invalid_request("Cluster is not in ACTIVE status", clusterName=name)
    return found


def nodegroup(found: Cluster, name: str) -> Part:
    if name not in found.nodegroups:
        raise not_found(f"No node group found for name: {name}.", clusterName=found.name, nodegroupName=name)
    return found.nodegroups[name]


def addon(found: Cluster, name: str) -> Part:
    if name not in found.addons:
        raise not_found(f"No addon: {name} found in cluster: {found.name}", clusterName=found.name, addonName=name)
    return found.addons[name]


def entry(found: Cluster, principal: str) -> Part:
    if principal not in found.entries:
        raise not_found(
            "The specified principalArn could not be found. You can view your available access entries with "
            "'list-access-entries'.",
            clusterName=found.name,
        )
    return found.entries[principal]


def association(found: Cluster, identifier: str) -> Part:
    if identifier not in found.associations:
        raise not_found(f"Association {identifier} not found in cluster {found.name}", clusterName=found.name)
    return found.associations[identifier]


def holder(found: Cluster, part: tuple[str, str] | None, missing_ok: bool = False) -> Any:
    """What has a status and updates: the cluster itself or a part, given as (shelf, name)."""
    if part is None:
        return found
    shelf, name = part
    if missing_ok:
        return getattr(found, shelf).get(name)
    return nodegroup(found, name) if shelf == "nodegroups" else addon(found, name)


def resource(cluster_name: str, part: tuple[str, str] | None) -> str:
    """The name scripts use for it."""
    return f"{_KINDS[part[0]]}/{cluster_name}/{part[1]}" if part else f"cluster/{cluster_name}"


def set_path(view: dict[str, Any], path: str, value: Any) -> None:
    *parents, last = path.split(".")
    for parent in parents:
        view = view.setdefault(parent, {})
    view[last] = value


def enabled_log_types(found: Cluster) -> set[str]:
    return {name for setup in found.view["logging"]["clusterLogging"] if setup.get("enabled") for name in setup.get("types", [])}


def recheck_addons(scene: Scene, found: Cluster) -> None:
    """Lets the add-ons look again whether there are nodes for them."""
    scene.later("addon_recovery", "addons_look_for_nodes", cluster=found.name, uid=found.uid)
