"""UpdateNodegroupConfig and UpdateNodegroupVersion."""

from __future__ import annotations

from typing import Any

from local_aws.eks import lookup, updates, versions
from local_aws.eks.errors import in_use, invalid_parameter
from local_aws.eks.nodegroups import (
    require_labels,
    require_node_version,
    require_release,
    require_scaling,
    require_template,
    require_update_config,
)
from local_aws.eks.records import Cluster, Part
from local_aws.eks.scene import Scene, operation


def _updatable(scene: Scene, parameters: dict[str, Any]) -> tuple[Cluster, Part, dict[str, Any]]:
    cluster = lookup.cluster(scene, parameters["clusterName"])
    group = lookup.nodegroup(cluster, parameters["nodegroupName"])
    fields = {"clusterName": cluster.name, "nodegroupName": parameters["nodegroupName"]}
    if group.view["status"] not in ("ACTIVE", "DEGRADED") or updates.running(group):
        raise in_use("Nodegroup cannot be updated as it is currently not in Active State", **fields)
    return cluster, group, fields


@operation
def update_nodegroup_config(scene: Scene, parameters: dict[str, Any]) -> dict[str, Any]:
    cluster, group, fields = _updatable(scene, parameters)
    view, params, changes = group.view, {}, {}
    if "scalingConfig" in parameters:
        scaling = {**view["scalingConfig"], **parameters["scalingConfig"]}
        require_scaling(scaling, fields)
        changes["scalingConfig"] = scaling
        names = {"minSize": "MinSize", "maxSize": "MaxSize", "desiredSize": "DesiredSize"}
        params |= {names[member]: str(value) for member, value in parameters["scalingConfig"].items()}
    if "labels" in parameters:
        add = parameters["labels"].get("addOrUpdateLabels", {})
        remove = parameters["labels"].get("removeLabels", [])
        require_labels(add, fields)
        changes["labels"] = {name: value for name, value in {**view["labels"], **add}.items() if name not in remove}
        params |= {"LabelsToAdd": add} if add else {}
        params |= {"LabelsToRemove": remove} if remove else {}
    if "taints" in parameters:
        add = parameters["taints"].get("addOrUpdateTaints", [])
        remove = parameters["taints"].get("removeTaints", [])
        changes["taints"] = _taints(view.get("taints", []), add, remove)
        params |= {"TaintsToAdd": add} if add else {}
        params |= {"TaintsToRemove": remove} if remove else {}
    if "updateConfig" in parameters:
        require_update_config(parameters["updateConfig"], fields)
        changes["updateConfig"] = parameters["updateConfig"]
        names = {
            "maxUnavailable": "MaxUnavailable",
            "maxUnavailablePercentage": "MaxUnavailablePercentage",
            "updateStrategy": "UpdateStrategy",
        }
        params |= {names[member]: str(value) for member, value in parameters["updateConfig"].items()}
    if "nodeRepairConfig" in parameters:
        changes["nodeRepairConfig"] = parameters["nodeRepairConfig"]
        params["NodeRepairConfig"] = parameters["nodeRepairConfig"]
    if "warmPoolConfig" in parameters:
        changes["warmPoolConfig"] = parameters["warmPoolConfig"]
        params["WarmPoolEnabled"] = parameters["warmPoolConfig"].get("enabled", False)
    if not changes:
        raise invalid_parameter("No changes needed: no configuration was provided", **fields)
    part = ("nodegroups", parameters["nodegroupName"])
    return updates.start(scene, cluster, "ConfigUpdate", params, changes, "nodegroup_config_update", part)


def _taints(current: list[dict[str, str]], add: list[dict[str, str]], remove: list[dict[str, str]]) -> list[dict[str, str]]:
    """A taint is known by its key and effect."""
    kept = {(taint.get("key"), taint.get("effect")): taint for taint in current}
    for taint in remove:
        kept.pop((taint.get("key"), taint.get("effect")), None)
    for taint in add:
        kept[taint.get("key"), taint.get("effect")] = taint
    return list(kept.values())


@operation
def update_nodegroup_version(scene: Scene, parameters: dict[str, Any]) -> dict[str, Any]:
    cluster, group, fields = _updatable(scene, parameters)
    view, params, changes = group.view, {}, {}
    image = None
    if "launchTemplate" in parameters:
        if group.launch_template is None:
            raise invalid_parameter("You cannot use a launch template with a node group made without one", **fields)
        template_id, template_view, data = require_template(scene, parameters["launchTemplate"], fields)
        if template_id != group.launch_template:
            raise invalid_parameter("The launch template of a node group cannot be replaced by another one", **fields)
        changes["launchTemplate"] = template_view
        params |= {"LaunchTemplateName": template_view["name"], "LaunchTemplateVersion": template_view["version"]}
        image = data.get("ImageId")
    if bool(image) != (view["amiType"] == "CUSTOM") and "launchTemplate" in parameters:
        raise invalid_parameter("You cannot switch between a custom AMI and an EKS optimized AMI", **fields)
    if view["amiType"] == "CUSTOM":
        if "version" in parameters or "releaseVersion" in parameters:
            raise invalid_parameter(
                "You cannot specify the field version when using custom AMIs in the launch template.", **fields
            )
        if image:
            changes["releaseVersion"] = image
    else:
        version = parameters.get("version")
        if version is None:
            # Without a version the group follows the cluster, unless only its template changes.
            version = view["version"] if "launchTemplate" in parameters else cluster.view["version"]
        require_node_version(cluster, version, fields)
        release = parameters.get("releaseVersion") or versions.releases(version, view["amiType"])[0]
        require_release(release, version, view["amiType"], fields)
        changes |= {"version": version, "releaseVersion": release}
        params |= {"Version": version, "ReleaseVersion": release}
    part = ("nodegroups", parameters["nodegroupName"])
    return updates.start(scene, cluster, "VersionUpdate", params, changes, "nodegroup_version_update", part)
