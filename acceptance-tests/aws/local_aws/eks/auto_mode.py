"""EKS Auto Mode: three flags that move together."""

from __future__ import annotations

from typing import Any

from local_aws.eks.errors import invalid_parameter


def flags(parameters: dict[str, Any]) -> list[bool]:
    """The flags that are given at all: compute, load balancing, block storage."""
    found = [
        parameters.get("computeConfig", {}).get("enabled"),
        parameters.get("kubernetesNetworkConfig", {}).get("elasticLoadBalancing", {}).get("enabled"),
        parameters.get("storageConfig", {}).get("blockStorage", {}).get("enabled"),
    ]
    return [flag for flag in found if flag is not None]


def require_consistent_auto_mode(parameters: dict[str, Any], fields: dict[str, Any]) -> None:
    given = flags(parameters)
    if not given:
        return
    if len(set(given)) > 1 or (given[0] and len(given) < 3):
        raise invalid_parameter(
            "For EKS Auto Mode, please ensure that all required configs, including computeConfig, "
            "kubernetesNetworkConfig, and blockStorage are all either fully enabled or fully disabled.",
            **fields,
        )
    compute = parameters.get("computeConfig", {})
    pools = compute.get("nodePools", [])
    if not given[0] and pools:
        raise invalid_parameter("nodePools must be empty when compute config is disabled", **fields)
    if compute.get("nodeRoleArn") and not pools:
        raise invalid_parameter("When Compute Config nodeRoleArn is set, nodePools must not be empty", **fields)
    if not set(pools) <= {"system", "general-purpose"}:
        raise invalid_parameter("nodePools may contain system and general-purpose only", **fields)
    if given[0] and parameters.get("bootstrapSelfManagedAddons", True) and "resourcesVpcConfig" in parameters:
        raise invalid_parameter("bootstrapSelfManagedAddons must be false for clusters with EKS Auto Mode", **fields)
