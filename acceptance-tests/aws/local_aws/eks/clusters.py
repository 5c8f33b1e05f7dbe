"""Clusters: create, describe, list, delete."""

from __future__ import annotations

import base64
from typing import Any

from local_aws.eks import lookup, versions
from local_aws.eks.access_entries import add_creator
from local_aws.eks.addon_catalog import SELF_MANAGED
from local_aws.eks.auto_mode import require_consistent_auto_mode
from local_aws.eks.errors import in_use, invalid_parameter, invalid_request
from local_aws.eks.keys import require_key
from local_aws.eks.records import Cluster
from local_aws.eks.requests import page
from local_aws.eks.scene import Scene, event, operation
from local_aws.eks.surroundings import (
    control_plane_subnets,
    delete_interface,
    delete_security_group,
    ensure_log_group,
    find_role,
    interfaces_using,
    make_cluster_security_group,
    make_interface,
    require_cluster_role,
    require_security_groups,
    subnets_exist,
)
from local_aws.eks.tags import require_tags
from local_aws.eks.updates import running

LOG_TYPES = ["api", "audit", "authenticator", "controllerManager", "scheduler"]
_CERTIFICATE = base64.b64encode(b"-----BEGIN CERTIFICATE-----\nbG9jYWwgYXdz\n-----END CERTIFICATE-----\n").decode()


def normal_logging(enabled: set[str]) -> dict[str, Any]:
    """The two lists EKS answers: what is on and what is off."""
    on = [name for name in LOG_TYPES if name in enabled]
    off = [name for name in LOG_TYPES if name not in enabled]
    return {"clusterLogging": [{"types": types, "enabled": state} for types, state in ((on, True), (off, False)) if types]}


@operation
def create_cluster(scene: Scene, parameters: dict[str, Any]) -> dict[str, Any]:
    name = parameters["name"]
    fields = {"clusterName": name}
    if name in scene.eks.clusters:
        raise in_use(f"Cluster already exists with name: {name}", **fields)
    require_tags(parameters.get("tags", {}))
    version = parameters.get("version", versions.DEFAULT_VERSION)
    versions.require_offered(version, **fields)
    access = parameters.get("accessConfig", {})
    mode = access.get("authenticationMode", "CONFIG_MAP")
    creator_is_admin = access.get("bootstrapClusterCreatorAdminPermissions", True)
    if mode == "CONFIG_MAP" and not creator_is_admin:
        raise invalid_parameter(
            "bootstrapClusterCreatorAdminPermissions must be true if cluster authentication mode is set to CONFIG_MAP",
            **fields,
        )
    network = parameters["resourcesVpcConfig"]
    require_endpoints(network, fields)
    require_consistent_auto_mode(parameters, fields)
    require_cluster_role(scene, parameters["roleArn"], **fields)
    subnets = control_plane_subnets(scene, network.get("subnetIds", []), **fields)
    require_security_groups(scene, network.get("securityGroupIds", []), **fields)
    encryption = []
    for setup in parameters.get("encryptionConfig", []):
        arn = require_key(scene, setup.get("provider", {}).get("keyArn", ""), parameters["roleArn"], **fields)
        encryption.append({"resources": setup.get("resources", ["secrets"]), "provider": {"keyArn": arn}})
    cluster = Cluster(_view(scene, parameters, version, mode, encryption, subnets[0]["VpcId"]), scene.now)
    cluster.zones = {subnet["AvailabilityZone"] for subnet in subnets}
    if parameters.get("bootstrapSelfManagedAddons", True):
        cluster.self_managed = set(SELF_MANAGED)
    scene.eks.clusters.put(name, cluster, scene.listed_after())
    creator = scene.principal if creator_is_admin and mode != "CONFIG_MAP" else None
    scene.later(scene.duration("cluster_create") / 10, "cluster_network_appears", cluster=name, uid=cluster.uid)
    scene.later("cluster_create", "cluster_created", cluster=name, uid=cluster.uid, creator=creator)
    return {"cluster": cluster.view}


def require_endpoints(network: dict[str, Any], fields: dict[str, Any], current: dict[str, Any] | None = None) -> None:
    merged = {**(current or {}), **network}
    if not merged.get("endpointPublicAccess", True) and not merged.get("endpointPrivateAccess", False):
        raise invalid_parameter("Private and public endpoint access cannot both be false", **fields)
    if len(network.get("publicAccessCidrs", [])) > 40:
        raise invalid_parameter("publicAccessCidrs: at most 40 CIDR blocks can be specified", **fields)


def _view(
    scene: Scene, parameters: dict[str, Any], version: str, mode: str, encryption: list[dict[str, Any]], vpc: str
) -> dict[str, Any]:
    name, network = parameters["name"], parameters["resourcesVpcConfig"]
    wanted = parameters.get("logging", {}).get("clusterLogging", [])
    enabled = {kind for setup in wanted if setup.get("enabled") for kind in setup.get("types", [])}
    kubernetes_network = parameters.get("kubernetesNetworkConfig", {})
    family = kubernetes_network.get("ipFamily", "ipv4")
    addresses = (
        {"serviceIpv6Cidr": "fd30:1c53:5f8a::/108"}
        if family == "ipv6"
        else {"serviceIpv4Cidr": kubernetes_network.get("serviceIpv4Cidr", "172.20.0.0/16")}
    )
    view = {
        "name": name,
        "arn": scene.arn(f"cluster/{name}"),
        "createdAt": scene.timestamp(),
        "version": version,
        "roleArn": parameters["roleArn"],
        "status": "CREATING",
        "resourcesVpcConfig": {
            "subnetIds": network["subnetIds"],
            "securityGroupIds": network.get("securityGroupIds", []),
            "vpcId": vpc,
            "endpointPublicAccess": network.get("endpointPublicAccess", True),
            "endpointPrivateAccess": network.get("endpointPrivateAccess", False),
            "publicAccessCidrs": network.get("publicAccessCidrs", ["0.0.0.0/0"])
            if network.get("endpointPublicAccess", True)
            else [],
            "controlPlaneEgressMode": network.get("controlPlaneEgressMode", "AWS_MANAGED"),
        },
        "kubernetesNetworkConfig": {
            "ipFamily": family,
            "elasticLoadBalancing": kubernetes_network.get("elasticLoadBalancing", {"enabled": False}),
            **addresses,
        },
        "logging": normal_logging(enabled),
        "clientRequestToken": parameters.get("clientRequestToken"),
        "platformVersion": versions.platform_version(version),
        "tags": dict(parameters.get("tags", {})),
        "encryptionConfig": encryption or None,
        "health": {"issues": []},
        # bootstrapClusterCreatorAdminPermissions is never returned.
        "accessConfig": {"authenticationMode": mode},
        "upgradePolicy": parameters.get("upgradePolicy", {"supportType": "EXTENDED"}),
        "zonalShiftConfig": parameters.get("zonalShiftConfig", {"enabled": False}),
        "deletionProtection": parameters.get("deletionProtection", False),
        "controlPlaneScalingConfig": parameters.get("controlPlaneScalingConfig", {"tier": "standard"}),
        "computeConfig": parameters.get("computeConfig"),
        "storageConfig": parameters.get("storageConfig"),
        "remoteNetworkConfig": parameters.get("remoteNetworkConfig"),
        "kubeApiServerConfig": parameters.get("kubeApiServerConfig"),
        "kubeSchedulerConfig": parameters.get("kubeSchedulerConfig"),
        "kubeControllerManagerConfig": parameters.get("kubeControllerManagerConfig"),
    }
    return {member: value for member, value in view.items() if value is not None}


def _same(scene: Scene, name: str, uid: str) -> Cluster | None:
    cluster = scene.eks.clusters.get(name)
    return cluster if cluster is not None and cluster.uid == uid else None


@event
def cluster_network_appears(scene: Scene, cluster: str, uid: str) -> None:
    found = _same(scene, cluster, uid)
    if found is None or found.view["status"] == "DELETING":
        return
    network = found.view["resourcesVpcConfig"]
    if not subnets_exist(scene, network["subnetIds"]):
        return
    group = make_cluster_security_group(scene, cluster, network["vpcId"])
    network["clusterSecurityGroupId"] = group
    made = [make_interface(scene, subnet, group, f"Amazon EKS {cluster}") for subnet in network["subnetIds"][:2]]
    found.interfaces = [interface for interface in made if interface]
    if lookup.enabled_log_types(found):
        ensure_log_group(scene, cluster)


@event
def cluster_created(scene: Scene, cluster: str, uid: str, creator: str | None) -> None:
    found = _same(scene, cluster, uid)
    if found is None or found.view["status"] != "CREATING":
        return
    resource = lookup.resource(cluster, None)
    if scene.script(resource, "stuck"):
        scene.later(5, "cluster_created", cluster=cluster, uid=uid, creator=creator)
        return
    script = scene.script(resource, "fail")
    if script:
        found.view["status"] = "FAILED"
        found.view["health"] = {"issues": script.issues}
        return
    found.view["status"] = "ACTIVE"
    identity = scene.random_id(32).upper()
    found.view["identity"] = {"oidc": {"issuer": f"https://oidc.eks.{scene.region}.amazonaws.com/id/{identity}"}}
    found.served_at = f"https://{identity}.gr7.{scene.region}.eks.amazonaws.com"
    show_where_served(scene, cluster)
    if creator:
        add_creator(scene, found, creator)


def show_where_served(scene: Scene, name: str) -> None:
    """The endpoint and the certificate of the real API server that stands for the cluster, if there is one."""
    found = scene.eks.clusters.get(name)
    if found is None or found.served_at is None:
        return
    bed = scene.account.kubernetes.get((scene.region, name))
    found.view["endpoint"] = bed.endpoint if bed else found.served_at
    found.view["certificateAuthority"] = {"data": bed.certificate_authority if bed else _CERTIFICATE}


@operation
def describe_cluster(scene: Scene, parameters: dict[str, Any]) -> dict[str, Any]:
    cluster = lookup.cluster(scene, parameters["name"])
    script = scene.script(lookup.resource(cluster.name, None), "degrade")
    if script:
        return {"cluster": {**cluster.view, "health": {"issues": script.issues}}}
    return {"cluster": cluster.view}


@operation
def list_clusters(scene: Scene, parameters: dict[str, Any]) -> dict[str, Any]:
    shown, token = page(scene.eks.clusters.listed(scene.now), parameters)
    return {"clusters": shown, "nextToken": token}


@operation
def delete_cluster(scene: Scene, parameters: dict[str, Any]) -> dict[str, Any]:
    cluster = lookup.cluster(scene, parameters["name"])
    view, fields = cluster.view, {"clusterName": cluster.name}
    if view["status"] == "DELETING":
        return {"cluster": view}
    # A creating or failed cluster can be deleted in spite of its protection.
    if view["deletionProtection"] and view["status"] in ("ACTIVE", "UPDATING"):
        raise invalid_request(
            f"Cannot delete cluster {cluster.name} because deletion protection is enabled. "
            "Disable deletion protection before deleting the cluster.",
            **fields,
        )
    if cluster.nodegroups:
        raise in_use("Cluster has nodegroups attached", nodegroupName=",".join(cluster.nodegroups), **fields)
    if running(cluster):
        raise in_use(f"Cannot delete because cluster {cluster.name} currently has an update in progress", **fields)
    view["status"] = "DELETING"
    scene.later("cluster_delete", "cluster_deleted", cluster=cluster.name, uid=cluster.uid)
    return {"cluster": view}


@event
def cluster_deleted(scene: Scene, cluster: str, uid: str) -> None:
    found = _same(scene, cluster, uid)
    if found is None:
        return
    if scene.script(lookup.resource(cluster, None), "stuck"):
        scene.later(5, "cluster_deleted", cluster=cluster, uid=uid)
        return
    # Only the cluster role may delete the interfaces: without it they stay.
    if find_role(scene, found.view["roleArn"]) is not None:
        for interface in found.interfaces:
            delete_interface(scene, interface)
    group = found.view["resourcesVpcConfig"].get("clusterSecurityGroupId")
    if group and not interfaces_using(scene, group):
        delete_security_group(scene, group)
    if lookup.enabled_log_types(found):
        # The control plane flushes once more: a group deleted before its cluster comes back.
        ensure_log_group(scene, cluster)
    scene.eks.clusters.take(cluster, scene.listed_after())


@event
def log_group_comes_back(scene: Scene, cluster: str) -> None:
    found = scene.eks.clusters.get(cluster)
    if found is not None and found.view["status"] != "CREATING" and lookup.enabled_log_types(found):
        ensure_log_group(scene, cluster)
