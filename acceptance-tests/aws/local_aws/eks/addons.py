"""Add-ons: create, describe, list, update, delete."""

from __future__ import annotations

import json
import uuid
from typing import Any

import jsonschema
import yaml

from local_aws.eks import lookup, pod_identity, updates
from local_aws.eks.addon_catalog import CATALOG, parse_version, require_addon, require_version
from local_aws.eks.addon_schemas import SCHEMAS
from local_aws.eks.errors import in_use, invalid_parameter
from local_aws.eks.records import Cluster, Part
from local_aws.eks.requests import page
from local_aws.eks.scene import Scene, event, operation
from local_aws.eks.surroundings import find_role
from local_aws.eks.tags import require_tags

_NO_REPLICAS = {
    "code": "InsufficientNumberOfReplicas",
    "message": "The add-on is unhealthy because it doesn't have the desired number of replicas.",
    "resourceIds": [],
}


@operation
def create_addon(scene: Scene, parameters: dict[str, Any]) -> dict[str, Any]:
    cluster = lookup.ready_cluster(scene, parameters["clusterName"])
    name = parameters["addonName"]
    fields = {"clusterName": cluster.name, "addonName": name}
    addon = require_addon(name, **fields)
    if name in cluster.addons:
        raise in_use("Addon already exists.", **fields)
    require_tags(parameters.get("tags", {}))
    version = parameters.get("addonVersion", addon.default_for(cluster.view["version"]))
    require_version(name, version, cluster.view["version"], **fields)
    require_configuration(name, parameters.get("configurationValues"), fields)
    _require_account_role(scene, parameters, fields)
    _require_identities(scene, cluster, name, parameters.get("podIdentityAssociations", []), {}, fields)
    namespace = parameters.get("namespaceConfig", {}).get("namespace", addon.namespace)
    view = {
        "addonName": name,
        "clusterName": cluster.name,
        "status": "CREATING",
        "addonVersion": version,
        "health": {"issues": []},
        "addonArn": scene.arn(f"addon/{cluster.name}/{name}/{uuid.uuid4()}"),
        "createdAt": scene.timestamp(),
        "modifiedAt": scene.timestamp(),
        "serviceAccountRoleArn": parameters.get("serviceAccountRoleArn"),
        "tags": dict(parameters.get("tags", {})),
        "publisher": "eks" if addon.owner == "aws" else addon.owner,
        "owner": addon.owner,
        "configurationValues": parameters.get("configurationValues"),
        "namespaceConfig": {"namespace": namespace},
    }
    part = Part({member: value for member, value in view.items() if value is not None}, scene.now)
    overwrite = parameters.get("resolveConflicts") == "OVERWRITE"
    part.conflict = name in cluster.self_managed and not overwrite
    if overwrite:
        cluster.self_managed.discard(name)
    cluster.addons.put(name, part, scene.listed_after())
    _associate(scene, cluster, part, parameters.get("podIdentityAssociations", []))
    scene.later("addon_create", "addon_created", cluster=cluster.name, name=name, uid=part.uid)
    return {"addon": part.view}


def require_configuration(name: str, text: str | None, fields: dict[str, Any]) -> None:
    if not text:
        return
    prefix = "ConfigurationValue provided in request is not supported: Json schema validation failed with error: "
    try:
        # JSON is YAML, but its parser is much faster.
        values = json.loads(text) if text.lstrip().startswith("{") else yaml.safe_load(text)
    except (ValueError, yaml.YAMLError) as error:
        raise invalid_parameter(f"{prefix}[{error}]", **fields) from None
    problems = [_problem(error) for error in jsonschema.Draft7Validator(SCHEMAS[name]).iter_errors(values)]
    if problems:
        raise invalid_parameter(f"{prefix}[{', '.join(problems)}]", **fields)


def _problem(error: jsonschema.ValidationError) -> str:
    path = "$" + "".join(f".{part}" for part in error.absolute_path)
    if error.validator == "additionalProperties":
        unknown = sorted(set(error.instance) - set(error.schema.get("properties", {})))
        return ", ".join(
            f"{path}.{name}: is not defined in the schema and the schema does not allow additional properties" for name in unknown
        )
    return f"{path}: {error.message}"


def _require_account_role(scene: Scene, parameters: dict[str, Any], fields: dict[str, Any]) -> None:
    role = parameters.get("serviceAccountRoleArn")
    if role and find_role(scene, role) is None:
        raise invalid_parameter(f"Role with arn: {role} does not exist", **fields)


def _require_identities(
    scene: Scene,
    cluster: Cluster,
    name: str,
    wanted: list[dict[str, str]],
    owned: dict[str, str],
    fields: dict[str, Any],
) -> None:
    if wanted and not CATALOG[name].identity:
        raise invalid_parameter("Pod Identity feature is not supported for addon version", **fields)
    for identity in wanted:
        account = identity["serviceAccount"]
        if account not in CATALOG[name].identity:
            raise invalid_parameter(
                f"Service account {account} in pod identity configuration is not supported for addon {name}", **fields
            )
        pod_identity.require_role(scene, identity["roleArn"], **fields)
        if account not in owned:
            pod_identity.require_free(cluster, CATALOG[name].namespace, account, **fields)


def _associate(scene: Scene, cluster: Cluster, part: Part, wanted: list[dict[str, str]]) -> None:
    """Makes the add-on's associations exactly the wanted ones."""
    roles = {identity["serviceAccount"]: identity["roleArn"] for identity in wanted}
    for account in [account for account in part.associations if account not in roles]:
        pod_identity.remove(scene, cluster, part.associations.pop(account))
    for account, role in roles.items():
        if account in part.associations:
            existing = cluster.associations[part.associations[account]].view
            existing |= {"roleArn": role, "modifiedAt": scene.timestamp()}
            continue
        namespace = part.view["namespaceConfig"]["namespace"]
        request = {"namespace": namespace, "serviceAccount": account, "roleArn": role}
        part.associations[account] = pod_identity.add(scene, cluster, request, part.view["addonArn"])
    part.view["podIdentityAssociations"] = [
        cluster.associations[identifier].view["associationArn"] for identifier in part.associations.values()
    ]


def _same(scene: Scene, cluster: str, name: str, uid: str) -> tuple[Cluster | None, Part | None]:
    found = scene.eks.clusters.get(cluster)
    part = found.addons.get(name) if found else None
    return (found, part) if part is not None and part.uid == uid else (None, None)


def _has_nodes(cluster: Cluster) -> bool:
    """Whether pods of a Deployment find a node that takes them."""
    if cluster.view.get("computeConfig", {}).get("enabled"):
        return True
    for group in cluster.nodegroups.values():
        repels = any(
            taint.get("effect") in ("NO_SCHEDULE", "NO_EXECUTE") and taint.get("key") != "CriticalAddonsOnly"
            for taint in group.view.get("taints", [])
        )
        if (
            group.view["status"] in ("ACTIVE", "UPDATING", "DEGRADED")
            and group.view["scalingConfig"]["desiredSize"] > 0
            and not repels
        ):
            return True
    return False


def _judge(scene: Scene, cluster: Cluster, part: Part) -> None:
    """Health and status of an add-on whose objects stand in the cluster."""
    name = part.view["addonName"]
    script = scene.script(f"addon/{cluster.name}/{name}", "degrade")
    issues = list(script.issues or [_NO_REPLICAS]) if script else []
    if CATALOG[name].deployment and not _has_nodes(cluster) and not issues:
        issues = [dict(_NO_REPLICAS)]
    part.view["health"] = {"issues": issues}
    part.view["status"] = "DEGRADED" if issues else "ACTIVE"


@event
def addon_created(scene: Scene, cluster: str, name: str, uid: str) -> None:
    found, part = _same(scene, cluster, name, uid)
    if found is None or part is None or part.view["status"] != "CREATING":
        return
    resource = f"addon/{cluster}/{name}"
    if scene.script(resource, "stuck"):
        scene.later(5, "addon_created", cluster=cluster, name=name, uid=uid)
        return
    script = scene.script(resource, "fail")
    if part.conflict or script:
        part.view["status"] = "CREATE_FAILED"
        part.view["health"] = {"issues": (script.issues if script else None) or [_conflict(name)]}
        return
    _judge(scene, found, part)


def _conflict(name: str) -> dict[str, Any]:
    return {
        "code": "ConfigurationConflict",
        "message": "Conflicts found when trying to apply. Will not continue due to resolve conflicts mode. "
        f"Conflicts:\nDaemonSet.apps {name} - .spec.template",
        "resourceIds": [],
    }


@event
def addons_look_for_nodes(scene: Scene, cluster: str, uid: str) -> None:
    found = scene.eks.clusters.get(cluster)
    if found is None or found.uid != uid:
        return
    for part in found.addons.values():
        if part.view["status"] in ("ACTIVE", "DEGRADED"):
            _judge(scene, found, part)


@operation
def describe_addon(scene: Scene, parameters: dict[str, Any]) -> dict[str, Any]:
    cluster = lookup.cluster(scene, parameters["clusterName"])
    return {"addon": lookup.addon(cluster, parameters["addonName"]).view}


@operation
def list_addons(scene: Scene, parameters: dict[str, Any]) -> dict[str, Any]:
    cluster = lookup.cluster(scene, parameters["clusterName"])
    shown, token = page(cluster.addons.listed(scene.now), parameters)
    return {"addons": shown, "nextToken": token}


@operation
def update_addon(scene: Scene, parameters: dict[str, Any]) -> dict[str, Any]:
    cluster = lookup.ready_cluster(scene, parameters["clusterName"])
    name = parameters["addonName"]
    part = lookup.addon(cluster, name)
    fields = {"clusterName": cluster.name, "addonName": name}
    if part.view["status"] in ("CREATING", "UPDATING", "DELETING") or updates.running(part):
        state = part.view["status"] if part.view["status"] != "ACTIVE" else "UPDATING"
        raise in_use(f"Addon {name} cannot be updated as it is currently in {state} state", **fields)
    params: dict[str, Any] = {}
    changes: dict[str, Any] = {}
    if "addonVersion" in parameters:
        version = parameters["addonVersion"]
        require_version(name, version, cluster.view["version"], **fields)
        if name in ("vpc-cni", "eks-pod-identity-agent"):
            steps = parse_version(version)[1] - parse_version(part.view["addonVersion"])[1]
            if abs(steps) > 1:
                raise invalid_parameter("Updating VPC-CNI can only go up or down 1 minor version at a time", **fields)
        changes["addonVersion"] = params["AddonVersion"] = version
    if "configurationValues" in parameters:
        require_configuration(name, parameters["configurationValues"], fields)
        changes["configurationValues"] = params["ConfigurationValues"] = parameters["configurationValues"]
    if "serviceAccountRoleArn" in parameters:
        _require_account_role(scene, parameters, fields)
        changes["serviceAccountRoleArn"] = params["ServiceAccountRoleArn"] = parameters["serviceAccountRoleArn"]
    if "resolveConflicts" in parameters:
        params["ResolveConflicts"] = parameters["resolveConflicts"]
    # Absent: unchanged; empty: all are deleted; a list: replaced.
    if "podIdentityAssociations" in parameters:
        wanted = parameters["podIdentityAssociations"]
        _require_identities(scene, cluster, name, wanted, part.associations, fields)
        _associate(scene, cluster, part, wanted)
        params["PodIdentityAssociations"] = wanted
    if parameters.get("resolveConflicts") == "OVERWRITE":
        cluster.self_managed.discard(name)
        part.conflict = False
    return updates.start(scene, cluster, "AddonUpdate", params, changes, "addon_update", ("addons", name))


@operation
def delete_addon(scene: Scene, parameters: dict[str, Any]) -> dict[str, Any]:
    cluster = lookup.cluster(scene, parameters["clusterName"])
    part = lookup.addon(cluster, parameters["addonName"])
    if part.view["status"] != "DELETING":
        part.view["status"] = "DELETING"
        part.preserve = parameters.get("preserve", False)
        scene.later("addon_delete", "addon_deleted", cluster=cluster.name, name=parameters["addonName"], uid=part.uid)
    return {"addon": part.view}


@event
def addon_deleted(scene: Scene, cluster: str, name: str, uid: str) -> None:
    found, part = _same(scene, cluster, name, uid)
    if found is None or part is None:
        return
    resource = f"addon/{cluster}/{name}"
    if scene.script(resource, "stuck"):
        scene.later(5, "addon_deleted", cluster=cluster, name=name, uid=uid)
        return
    script = scene.script(resource, "delete_fail")
    if script:
        part.view["status"] = "DELETE_FAILED"
        part.view["health"] = {"issues": script.issues or [{"code": "InternalFailure", "message": "Deletion failed"}]}
        return
    for identifier in part.associations.values():
        pod_identity.remove(scene, found, identifier)
    if part.preserve:
        found.self_managed.add(name)
    found.addons.take(name, scene.listed_after())
