"""UpdateClusterConfig, UpdateClusterVersion, AssociateEncryptionConfig."""

from __future__ import annotations

from typing import Any

from local_aws.eks import lookup, updates, versions
from local_aws.eks.auto_mode import require_consistent_auto_mode
from local_aws.eks.clusters import normal_logging, require_endpoints
from local_aws.eks.errors import EksError, in_use, invalid_parameter, invalid_request
from local_aws.eks.keys import require_key, role_is_shut_out
from local_aws.eks.records import Cluster
from local_aws.eks.scene import Scene, operation
from local_aws.eks.surroundings import control_plane_subnets, require_security_groups

_NETWORK_KINDS = {
    "VpcConfigUpdate": {"subnetIds": "Subnets", "securityGroupIds": "SecurityGroups"},
    "EndpointAccessUpdate": {
        "endpointPrivateAccess": "EndpointPrivateAccess",
        "endpointPublicAccess": "EndpointPublicAccess",
        "publicAccessCidrs": "PublicAccessCidrs",
    },
    "ControlPlaneEgressUpdate": {"controlPlaneEgressMode": "ControlPlaneEgressMode"},
}
# Members of the request by the kind of update they make, with the name of the parameter.
_MEMBER_KINDS = {
    "logging": ("LoggingUpdate", "ClusterLogging"),
    "accessConfig": ("AccessConfigUpdate", "AuthenticationMode"),
    "upgradePolicy": ("UpgradePolicyUpdate", "UpgradePolicy"),
    "zonalShiftConfig": ("ZonalShiftConfigUpdate", "ZonalShiftConfig"),
    "computeConfig": ("AutoModeUpdate", "ComputeConfig"),
    "storageConfig": ("AutoModeUpdate", "StorageConfig"),
    "kubernetesNetworkConfig": ("AutoModeUpdate", "KubernetesNetworkConfig"),
    "remoteNetworkConfig": ("RemoteNetworkConfigUpdate", "RemoteNetworkConfig"),
    "deletionProtection": ("DeletionProtectionUpdate", "DeletionProtection"),
    "controlPlaneScalingConfig": ("ControlPlaneScalingConfigUpdate", "UpdatedTier"),
    "kubeApiServerConfig": ("ControlPlaneComponentConfigUpdate", "KubeApiServerConfig"),
    "kubeSchedulerConfig": ("ControlPlaneComponentConfigUpdate", "KubeSchedulerConfig"),
    "kubeControllerManagerConfig": ("ControlPlaneComponentConfigUpdate", "KubeControllerManagerConfig"),
}
_MODES = ("CONFIG_MAP", "API_AND_CONFIG_MAP", "API")
_ROLLBACK_SECONDS = 7 * 24 * 3600


def _kinds(parameters: dict[str, Any]) -> dict[str, dict[str, str]]:
    """The kinds of update a request asks for: kind -> {path in the view: parameter name}."""
    kinds: dict[str, dict[str, str]] = {}
    for kind, members in _NETWORK_KINDS.items():
        for member, name in members.items():
            if member in parameters.get("resourcesVpcConfig", {}):
                kinds.setdefault(kind, {})[f"resourcesVpcConfig.{member}"] = name
    for member, (kind, name) in _MEMBER_KINDS.items():
        if member in parameters:
            kinds.setdefault(kind, {})[member] = name
    return kinds


def _require_active(cluster: Cluster) -> None:
    if cluster.view["status"] not in ("ACTIVE", "UPDATING"):
        raise invalid_request("Cluster is not in ACTIVE status", clusterName=cluster.name)


@operation
def update_cluster_config(scene: Scene, parameters: dict[str, Any]) -> dict[str, Any]:
    cluster = lookup.cluster(scene, parameters["name"])
    kinds = _kinds(parameters)
    fields = {"clusterName": cluster.name}
    if not kinds:
        raise invalid_parameter("No changes needed: no configuration was provided", **fields)
    if len(kinds) > 1:
        raise invalid_parameter("Only one type of update can be allowed.", **fields)
    kind, names = next(iter(kinds.items()))
    _require_active(cluster)
    updates.require_no_update(cluster, kind)
    changes = {path: _value(parameters, path) for path in names}
    if kind == "LoggingUpdate":
        changes = _logging_changes(cluster, parameters["logging"])
    elif kind == "AccessConfigUpdate":
        changes = _mode_changes(cluster, parameters["accessConfig"])
    elif kind in _NETWORK_KINDS:
        _require_network(scene, cluster, kind, parameters["resourcesVpcConfig"])
    elif kind == "AutoModeUpdate":
        require_consistent_auto_mode({**parameters, "bootstrapSelfManagedAddons": False}, fields)
        changes = _auto_mode_changes(cluster, changes)
    if kind not in ("LoggingUpdate", "AccessConfigUpdate", "EndpointAccessUpdate") and all(
        _value(cluster.view, path) == value for path, value in changes.items()
    ):
        wanted = ", ".join(f"{path.rpartition('.')[2]}: {value}" for path, value in changes.items())
        raise invalid_parameter(f"Cluster is already at the desired configuration with {wanted}", **fields)
    params = {name: _value(parameters, path) for path, name in names.items()}
    if kind == "AccessConfigUpdate":
        params = {"AuthenticationMode": changes["accessConfig.authenticationMode"]}
    if kind == "ControlPlaneScalingConfigUpdate":
        params = {"UpdatedTier": parameters["controlPlaneScalingConfig"].get("tier", "standard")}
    return updates.start(scene, cluster, kind, params, changes, "cluster_config_update")


def _value(source: dict[str, Any], path: str) -> Any:
    for name in path.split("."):
        source = source.get(name) if isinstance(source, dict) else None
    return source


def _logging_changes(cluster: Cluster, logging: dict[str, Any]) -> dict[str, Any]:
    enabled = lookup.enabled_log_types(cluster)
    wanted = set(enabled)
    for setup in logging.get("clusterLogging", []):
        types = set(setup.get("types", []))
        wanted = wanted | types if setup.get("enabled") else wanted - types
    if wanted == enabled:
        raise invalid_parameter("No changes needed for the logging config provided", clusterName=cluster.name)
    return {"logging": normal_logging(wanted)}


def _mode_changes(cluster: Cluster, access: dict[str, Any]) -> dict[str, Any]:
    current, wanted = cluster.view["accessConfig"]["authenticationMode"], access.get("authenticationMode")
    if wanted == current:
        raise invalid_parameter(
            f"Cluster is already at the desired configuration with authenticationMode: {current}",
            clusterName=cluster.name,
        )
    if wanted is None or _MODES.index(wanted) < _MODES.index(current):
        raise invalid_parameter(f"Unsupported authentication mode update from {current} to {wanted}", clusterName=cluster.name)
    return {"accessConfig.authenticationMode": wanted}


def _auto_mode_changes(cluster: Cluster, changes: dict[str, Any]) -> dict[str, Any]:
    network = changes.pop("kubernetesNetworkConfig", None)
    if network:
        changes["kubernetesNetworkConfig.elasticLoadBalancing"] = network.get("elasticLoadBalancing")
    return changes


def _require_network(scene: Scene, cluster: Cluster, kind: str, wanted: dict[str, Any]) -> None:
    current, fields = cluster.view["resourcesVpcConfig"], {"clusterName": cluster.name}
    if kind == "VpcConfigUpdate":
        if "subnetIds" in wanted:
            subnets = control_plane_subnets(scene, wanted["subnetIds"], **fields)
            zones = {subnet["AvailabilityZone"] for subnet in subnets}
            if zones != cluster.zones or subnets[0]["VpcId"] != current["vpcId"]:
                raise invalid_parameter(
                    "Provided subnets must belong to the set of AZs and the VPC that the cluster was created with: "
                    + ", ".join(sorted(cluster.zones)),
                    **fields,
                )
        require_security_groups(scene, wanted.get("securityGroupIds", []), **fields)
    elif kind == "EndpointAccessUpdate":
        require_endpoints(wanted, fields, current)
        members = _NETWORK_KINDS[kind]
        if all(wanted[member] == current.get(member) for member in members if member in wanted):
            private, public = (str(current[f"endpoint{side}Access"]).lower() for side in ("Private", "Public"))
            raise invalid_parameter(
                f"Cluster is already at the desired configuration with endpointPrivateAccess: {private} , "
                f"endpointPublicAccess: {public}, and Public Endpoint Restrictions: "
                f"[{', '.join(current['publicAccessCidrs'])}]",
                **fields,
            )
    elif current.get("controlPlaneEgressMode") == "CUSTOMER_ROUTED":
        raise invalid_parameter("controlPlaneEgressMode cannot be changed from CUSTOMER_ROUTED", **fields)


@operation
def update_cluster_version(scene: Scene, parameters: dict[str, Any]) -> dict[str, Any]:
    cluster = lookup.cluster(scene, parameters["name"])
    view, wanted, fields = cluster.view, parameters["version"], {"clusterName": cluster.name}
    versions.require_offered(wanted, **fields)
    _require_active(cluster)
    updates.require_no_update(cluster, "VersionUpdate")
    step = versions.minor(wanted) - versions.minor(view["version"])
    rollback = step == -1 and _can_roll_back(scene, cluster)
    if step != 1 and not rollback:
        raise invalid_parameter(f"Unsupported Kubernetes minor version update from {view['version']} to {wanted}", **fields)
    # kubelets may be three minors older than the control plane, and never newer.
    target = versions.minor(wanted)
    behind = [
        name for name, group in cluster.nodegroups.items() if not target - 3 <= versions.minor(group.view["version"]) <= target
    ]
    if behind:
        raise invalid_request(
            f"Nodegroups {', '.join(behind)} must be updated to match cluster version {view['version']} "
            "before updating cluster version",
            **fields,
        )
    for setup in view.get("encryptionConfig", []):
        if role_is_shut_out(scene, setup["provider"]["keyArn"], view["roleArn"]):
            raise invalid_parameter(
                f"Role with arn: {view['roleArn']}, could not be assumed because it does not exist or the trusted "
                "entity is not correct",
                **fields,
            )
    if scene.script(lookup.resource(cluster.name, None), "upgrade_blocked") and not parameters.get("force"):
        raise EksError(
            "InvalidStateException",
            f"Cluster {cluster.name} has upgrade insights with status ERROR. Resolve them or use the force flag.",
            **fields,
        )
    changes = {"version": wanted, "platformVersion": versions.platform_version(wanted)}
    params = {"Version": wanted, "PlatformVersion": changes["platformVersion"]}
    kind = "VersionRollback" if rollback else "VersionUpdate"
    return updates.start(scene, cluster, kind, params, changes, "cluster_version_update")


def _can_roll_back(scene: Scene, cluster: Cluster) -> bool:
    """Within seven days of an upgrade, and only one step."""
    steps = [u for u in cluster.updates.values() if u.view["type"] in ("VersionUpdate", "VersionRollback")]
    last = steps[-1] if steps else None
    return (
        last is not None
        and last.view["type"] == "VersionUpdate"
        and last.view["status"] == "Successful"
        and scene.now - last.created < _ROLLBACK_SECONDS
    )


@operation
def associate_encryption_config(scene: Scene, parameters: dict[str, Any]) -> dict[str, Any]:
    cluster = lookup.cluster(scene, parameters["clusterName"])
    fields = {"clusterName": cluster.name}
    _require_active(cluster)
    updates.require_no_update(cluster, "AssociateEncryptionConfig")
    if cluster.view.get("encryptionConfig"):
        raise in_use(f"Cluster {cluster.name} already has an encryption configuration", **fields)
    wanted = []
    for setup in parameters["encryptionConfig"]:
        arn = require_key(scene, setup.get("provider", {}).get("keyArn", ""), cluster.view["roleArn"], **fields)
        wanted.append({"resources": setup.get("resources", ["secrets"]), "provider": {"keyArn": arn}})
    return updates.start(
        scene,
        cluster,
        "AssociateEncryptionConfig",
        {"EncryptionConfig": wanted},
        {"encryptionConfig": wanted},
        "encryption_update",
    )
