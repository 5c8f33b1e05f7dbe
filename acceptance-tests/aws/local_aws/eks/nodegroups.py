"""Managed node groups: create, describe, list, delete."""

from __future__ import annotations

import uuid
from typing import Any

from local_aws.cloud import CloudError
from local_aws.eks import lookup, versions
from local_aws.eks.access_entries import add_node_role
from local_aws.eks.errors import in_use, invalid_parameter, invalid_request
from local_aws.eks.records import Cluster, Part
from local_aws.eks.requests import page
from local_aws.eks.scene import Scene, event, operation
from local_aws.eks.surroundings import find_role, launch_template, make_interface, require_node_role, subnets
from local_aws.eks.tags import require_tags

_RESERVED_LABELS = ("kubernetes.io/", "k8s.io/", "eks.amazonaws.com/")
_FORBIDDEN_IN_TEMPLATE = {
    "IamInstanceProfile": "IamInstanceProfile",
    "InstanceMarketOptions": "InstanceMarketOptions",
    "HibernationOptions": "HibernationOptions",
    "InstanceInitiatedShutdownBehavior": "InstanceInitiatedShutdownBehavior",
    "DisableApiTermination": "DisableApiTermination",
}


@operation
def create_nodegroup(scene: Scene, parameters: dict[str, Any]) -> dict[str, Any]:
    cluster = lookup.ready_cluster(scene, parameters["clusterName"])
    name = parameters["nodegroupName"]
    fields = {"clusterName": cluster.name, "nodegroupName": name}
    if name in cluster.nodegroups:
        raise in_use(f"NodeGroup already exists with name {name} and cluster name {cluster.name}", **fields)
    if len(name) > 63:
        raise invalid_parameter("nodegroupName can't be longer than 63 characters!", **fields)
    require_tags(parameters.get("tags", {}))
    require_scaling(parameters.get("scalingConfig", {}), fields)
    require_labels(parameters.get("labels", {}), fields)
    require_update_config(parameters.get("updateConfig", {}), fields)
    template_id, template_view, template_data = _template(scene, parameters, fields)
    require_node_role(scene, parameters["nodeRole"], **fields)
    if not parameters["subnets"]:
        raise invalid_parameter("Subnets are required", **fields)
    vpc = cluster.view["resourcesVpcConfig"]["vpcId"]
    if any(subnet["VpcId"] != vpc for subnet in subnets(scene, parameters["subnets"], **fields)):
        raise invalid_parameter("Subnets must belong to the VPC of the cluster", **fields)
    view = _view(scene, cluster, parameters, template_view, template_data, fields)
    group = Part(view, scene.now, launch_template=template_id)
    cluster.nodegroups.put(name, group, scene.listed_after())
    add_node_role(scene, cluster, parameters["nodeRole"], view["amiType"])
    fails = scene.script(f"nodegroup/{cluster.name}/{name}", "fail")
    scene.later(
        "nodegroup_create_failure" if fails else "nodegroup_create",
        "nodegroup_created",
        cluster=cluster.name,
        name=name,
        uid=group.uid,
    )
    return {"nodegroup": view}


def require_scaling(scaling: dict[str, Any], fields: dict[str, Any]) -> None:
    low, high, wanted = scaling.get("minSize", 1), scaling.get("maxSize", 2), scaling.get("desiredSize")
    wanted = low if wanted is None else wanted
    if high < 1:
        raise invalid_parameter("maxSize must be at least 1", **fields)
    if low > wanted:
        raise invalid_parameter("Minimum capacity can't be greater than desired size", **fields)
    if wanted > high:
        raise invalid_parameter("desired capacity can't be greater than max size", **fields)


def require_labels(labels: dict[str, str], fields: dict[str, Any]) -> None:
    for label in labels:
        prefix = label.rpartition("/")[0] + "/"
        if any(prefix == reserved or prefix.endswith("." + reserved) for reserved in _RESERVED_LABELS):
            raise invalid_parameter(
                "Label cannot contain reserved prefixes [kubernetes.io/, k8s.io/, eks.amazonaws.com/]", **fields
            )


def require_update_config(setup: dict[str, Any], fields: dict[str, Any]) -> None:
    if "maxUnavailable" in setup and "maxUnavailablePercentage" in setup:
        raise invalid_parameter("Only one of maxUnavailable and maxUnavailablePercentage can be specified", **fields)


def _template(
    scene: Scene, parameters: dict[str, Any], fields: dict[str, Any]
) -> tuple[str | None, dict[str, str] | None, dict[str, Any]]:
    wanted = parameters.get("launchTemplate")
    if wanted is None:
        return None, None, {}
    template_id, view, data = require_template(scene, wanted, fields)
    for member, name in (("diskSize", "Disk size"), ("remoteAccess", "Remote access configuration")):
        if member in parameters:
            raise invalid_parameter(f"{name} must be specified within the launch template.", **fields)
    if data.get("ImageId"):
        for member in ("amiType", "version", "releaseVersion"):
            if member in parameters:
                raise invalid_request(
                    f"You cannot specify the field {member} when using custom AMIs in the launch template.", **fields
                )
    if data.get("InstanceType") and parameters.get("instanceTypes"):
        raise invalid_parameter(
            "Instance types must be specified in either the launch template or the node group request, not in both.",
            **fields,
        )
    return template_id, view, data


def require_template(scene: Scene, wanted: dict[str, str], fields: dict[str, Any]) -> tuple[str, dict[str, str], dict[str, Any]]:
    """Id, view and data of a launch template that a node group may use."""
    if ("id" in wanted) == ("name" in wanted):
        raise invalid_parameter("Either provide launch template ID or launch template name in the request.", **fields)
    try:
        template, version = launch_template(scene, wanted)
    except CloudError as error:
        raise invalid_parameter(
            f"{error.message} (Service: AmazonEC2; Status Code: {error.status}; Error Code: {error.code})", **fields
        ) from None
    data = version["LaunchTemplateData"]
    for member, name in _FORBIDDEN_IN_TEMPLATE.items():
        if data.get(member):
            raise invalid_request(f"Launch template should not specify {name}.", **fields)
    if any(interface.get("SubnetId") for interface in data.get("NetworkInterfaces", [])):
        raise invalid_request("Launch template should not specify subnets in its network interfaces.", **fields)
    view = {
        "id": template["LaunchTemplateId"],
        "name": template["LaunchTemplateName"],
        "version": str(version["VersionNumber"]),
    }
    return template["LaunchTemplateId"], view, data


def _view(
    scene: Scene,
    cluster: Cluster,
    parameters: dict[str, Any],
    template_view: dict[str, str] | None,
    template_data: dict[str, Any],
    fields: dict[str, Any],
) -> dict[str, Any]:
    name = parameters["nodegroupName"]
    custom = bool(template_data.get("ImageId"))
    ami_type = "CUSTOM" if custom else parameters.get("amiType", "AL2023_x86_64_STANDARD")
    version = parameters.get("version", cluster.view["version"])
    require_node_version(cluster, version, fields)
    release = template_data["ImageId"] if custom else parameters.get("releaseVersion") or versions.releases(version, ami_type)[0]
    if not custom:
        require_release(release, version, ami_type, fields)
    scaling = parameters.get("scalingConfig", {})
    low = scaling.get("minSize", 1)
    view = {
        "nodegroupName": name,
        "nodegroupArn": scene.arn(f"nodegroup/{cluster.name}/{name}/{uuid.uuid4()}"),
        "clusterName": cluster.name,
        "version": version,
        "releaseVersion": release,
        "createdAt": scene.timestamp(),
        "modifiedAt": scene.timestamp(),
        "status": "CREATING",
        "capacityType": parameters.get("capacityType", "ON_DEMAND"),
        "scalingConfig": {
            "minSize": low,
            "maxSize": scaling.get("maxSize", 2),
            "desiredSize": scaling.get("desiredSize", low),
        },
        "subnets": parameters["subnets"],
        "amiType": ami_type,
        "nodeRole": parameters["nodeRole"],
        "labels": dict(parameters.get("labels", {})),
        "taints": parameters.get("taints"),
        "health": {"issues": []},
        "updateConfig": parameters.get("updateConfig") or {"maxUnavailable": 1},
        "nodeRepairConfig": parameters.get("nodeRepairConfig"),
        "warmPoolConfig": parameters.get("warmPoolConfig"),
        "remoteAccess": parameters.get("remoteAccess"),
        "launchTemplate": template_view,
        "tags": dict(parameters.get("tags", {})),
    }
    if not template_data.get("InstanceType"):
        view["instanceTypes"] = parameters.get("instanceTypes") or ["t3.medium"]
    if template_view is None:
        view["diskSize"] = parameters.get("diskSize", 50 if ami_type.startswith("WINDOWS") else 20)
    return {member: value for member, value in view.items() if value is not None}


def require_node_version(cluster: Cluster, version: str, fields: dict[str, Any]) -> None:
    versions.require_offered(version, **fields)
    current = versions.minor(cluster.view["version"])
    if not current - 3 <= versions.minor(version) <= current:
        raise invalid_parameter(
            f"Requested Nodegroup version {version} is not compatible with cluster version {cluster.view['version']}",
            **fields,
        )


def require_release(release: str, version: str, ami_type: str, fields: dict[str, Any]) -> None:
    if not versions.release_fits(release, version, ami_type):
        raise invalid_parameter(f"Requested release version {release} is not valid for kubernetes version {version}.", **fields)


def same_group(scene: Scene, cluster: str, name: str, uid: str) -> tuple[Cluster | None, Part | None]:
    found = scene.eks.clusters.get(cluster)
    group = found.nodegroups.get(name) if found else None
    return (found, group) if group is not None and group.uid == uid else (None, None)


@event
def nodegroup_created(scene: Scene, cluster: str, name: str, uid: str) -> None:
    found, group = same_group(scene, cluster, name, uid)
    if found is None or group is None or group.view["status"] != "CREATING":
        return
    resource = f"nodegroup/{cluster}/{name}"
    if scene.script(resource, "stuck"):
        scene.later(5, "nodegroup_created", cluster=cluster, name=name, uid=uid)
        return
    script = scene.script(resource, "fail")
    group.view["resources"] = {"autoScalingGroups": [{"name": f"eks-{name}-{uuid.uuid4()}"}]}
    if script:
        group.view["status"] = "CREATE_FAILED"
        group.view["health"] = {"issues": script.issues or [_failed_to_join()]}
        return
    group.view["status"] = "ACTIVE"
    lookup.recheck_addons(scene, found)
    _watch(scene, cluster, name, uid, 0)


def _failed_to_join() -> dict[str, Any]:
    return {
        "code": "NodeCreationFailure",
        "message": "Instances failed to join the kubernetes cluster",
        "resourceIds": ["i-0123456789abcdef0"],
    }


def _watch(scene: Scene, cluster: str, name: str, uid: str, seconds: float) -> None:
    scene.later(seconds, "nodegroup_looks_at_itself", cluster=cluster, name=name, uid=uid)


@event
def nodegroup_looks_at_itself(scene: Scene, cluster: str, name: str, uid: str) -> None:
    """Health of a running group: scripts, and what it stands on having gone."""
    _, group = same_group(scene, cluster, name, uid)
    if group is None or group.view["status"] not in ("ACTIVE", "DEGRADED", "UPDATING"):
        return
    script = scene.script(f"nodegroup/{cluster}/{name}", "degrade")
    issues = list(script.issues or [_failed_to_join()]) if script else []
    issues += _missing_template(scene, group) + _missing_role(scene, group)
    group.view["health"] = {"issues": issues}
    if group.view["status"] != "UPDATING":
        group.view["status"] = "DEGRADED" if issues else "ACTIVE"


def _missing_template(scene: Scene, group: Part) -> list[dict[str, Any]]:
    if group.launch_template is None:
        return []
    try:
        scene.cloud.call("ec2", "DescribeLaunchTemplates", LaunchTemplateIds=[group.launch_template])
    except CloudError:
        return [
            {
                "code": "Ec2LaunchTemplateNotFound",
                "message": f"EC2 launch template {group.launch_template} not found",
                "resourceIds": [group.launch_template],
            }
        ]
    return []


def _missing_role(scene: Scene, group: Part) -> list[dict[str, Any]]:
    role = group.view["nodeRole"]
    if find_role(scene, role) is not None:
        return []
    return [{"code": "IamNodeRoleNotFound", "message": f"The node role {role} could not be found", "resourceIds": [role]}]


def foundations_changed(scene: Scene) -> None:
    """A launch template or a role was deleted: the groups notice at their next look."""
    for eks_region, eks in list(scene.account.world.eks.items()):
        for found in eks.clusters.values():
            for name, group in found.nodegroups.items():
                due = scene.now + scene.duration("health_check")
                data = {"cluster": found.name, "name": name, "uid": group.uid}
                scene.account.world.schedule.add(due, eks_region, "nodegroup_looks_at_itself", **data)


def scripts_changed(scene: Scene) -> None:
    for found in scene.eks.clusters.values():
        for name, group in found.nodegroups.items():
            _watch(scene, found.name, name, group.uid, 0)
        scene.later(0, "addons_look_for_nodes", cluster=found.name, uid=found.uid)


@operation
def describe_nodegroup(scene: Scene, parameters: dict[str, Any]) -> dict[str, Any]:
    cluster = lookup.cluster(scene, parameters["clusterName"])
    return {"nodegroup": lookup.nodegroup(cluster, parameters["nodegroupName"]).view}


@operation
def list_nodegroups(scene: Scene, parameters: dict[str, Any]) -> dict[str, Any]:
    cluster = lookup.cluster(scene, parameters["clusterName"])
    shown, token = page(cluster.nodegroups.listed(scene.now), parameters)
    return {"nodegroups": shown, "nextToken": token}


@operation
def delete_nodegroup(scene: Scene, parameters: dict[str, Any]) -> dict[str, Any]:
    cluster = lookup.cluster(scene, parameters["clusterName"])
    group = lookup.nodegroup(cluster, parameters["nodegroupName"])
    if group.view["status"] == "DELETING":
        return {"nodegroup": group.view}
    group.view["status"] = "DELETING"
    scene.later("nodegroup_delete", "nodegroup_deleted", cluster=cluster.name, name=parameters["nodegroupName"], uid=group.uid)
    return {"nodegroup": group.view}


@event
def nodegroup_deleted(scene: Scene, cluster: str, name: str, uid: str) -> None:
    found, group = same_group(scene, cluster, name, uid)
    if found is None or group is None:
        return
    resource = f"nodegroup/{cluster}/{name}"
    if scene.script(resource, "stuck"):
        scene.later(5, "nodegroup_deleted", cluster=cluster, name=name, uid=uid)
        return
    script = scene.script(resource, "delete_fail")
    if script:
        group.view["status"] = "DELETE_FAILED"
        group.view["health"] = {
            "issues": script.issues or [{"code": "Ec2SecurityGroupDeletionFailure", "message": "resource has a dependent object"}]
        }
        return
    had_nodes = "resources" in group.view and not any(
        issue["code"] == "NodeCreationFailure" for issue in group.view["health"]["issues"]
    )
    found.nodegroups.take(name, scene.listed_after())
    lookup.recheck_addons(scene, found)
    if had_nodes:
        _leave_interfaces(scene, found, group)


def _leave_interfaces(scene: Scene, cluster: Cluster, group: Part) -> None:
    """The CNI's interfaces outlive their nodes: one or two per group stay, in state available."""
    security_group = cluster.view["resourcesVpcConfig"].get("clusterSecurityGroupId")
    if not security_group:
        return
    for subnet in group.view["subnets"][: min(2, max(1, group.view["scalingConfig"]["desiredSize"]))]:
        instance = f"i-{uuid.uuid4().hex[:17]}"
        tags = {
            "node.k8s.amazonaws.com/instance_id": instance,
            "cluster.k8s.amazonaws.com/name": cluster.name,
            "eks:eni:owner": "amazon-vpc-cni",
        }
        make_interface(scene, subnet, security_group, f"aws-K8S-{instance}", tags)
