"""The add-ons EKS offers: versions, kinds, schemas, service accounts."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from local_aws.eks.addon_schemas import SCHEMAS
from local_aws.eks.errors import invalid_parameter, not_found
from local_aws.eks.requests import page
from local_aws.eks.scene import Scene, operation

KUBERNETES = ("1.36", "1.35", "1.34", "1.33", "1.32", "1.31")
# What a cluster gets when bootstrapSelfManagedAddons is not false.
SELF_MANAGED = ("vpc-cni", "kube-proxy", "coredns")


@dataclass(frozen=True)
class Addon:
    kind: str
    # The newest first; {minor} stands for the cluster's minor version.
    versions: tuple[str, ...]
    namespace: str = "kube-system"
    # Service account and the managed policies AWS recommends for it.
    identity: dict[str, tuple[str, ...]] = field(default_factory=dict)
    deployment: bool = False
    owner: str = "aws"

    def versions_for(self, kubernetes: str) -> list[str]:
        return [version.format(minor=kubernetes.split(".")[1]) for version in self.versions]

    def default_for(self, kubernetes: str) -> str:
        """Not the newest: AWS makes a version the default some weeks after its release."""
        return self.versions_for(kubernetes)[1]


_POLICY = "arn:aws:iam::aws:policy/"
CATALOG: dict[str, Addon] = {
    "vpc-cni": Addon(
        "networking",
        ("v1.21.1-eksbuild.3", "v1.21.1-eksbuild.1", "v1.20.5-eksbuild.1", "v1.19.6-eksbuild.7"),
        identity={"aws-node": (_POLICY + "AmazonEKS_CNI_Policy",)},
    ),
    "kube-proxy": Addon("networking", ("v1.{minor}.1-eksbuild.2", "v1.{minor}.0-eksbuild.2")),
    "coredns": Addon("networking", ("v1.13.1-eksbuild.1", "v1.12.4-eksbuild.1", "v1.12.3-eksbuild.1"), deployment=True),
    "eks-pod-identity-agent": Addon("security", ("v1.3.10-eksbuild.2", "v1.3.9-eksbuild.5", "v1.3.4-eksbuild.1")),
    "aws-ebs-csi-driver": Addon(
        "storage",
        ("v1.55.0-eksbuild.1", "v1.54.0-eksbuild.1", "v1.53.0-eksbuild.1"),
        identity={"ebs-csi-controller-sa": (_POLICY + "service-role/AmazonEBSCSIDriverPolicy",)},
        deployment=True,
    ),
    "metrics-server": Addon("observability", ("v0.8.0-eksbuild.5", "v0.8.0-eksbuild.3"), deployment=True, owner="community"),
    "amazon-cloudwatch-observability": Addon(
        "observability",
        ("v6.4.0-eksbuild.1", "v6.2.0-eksbuild.1", "v4.7.0-eksbuild.1"),
        namespace="amazon-cloudwatch",
        identity={
            "cloudwatch-agent": (_POLICY + "CloudWatchAgentServerPolicy", _POLICY + "AWSXrayWriteOnlyAccess"),
        },
        deployment=True,
    ),
    "eks-node-monitoring-agent": Addon("observability", ("v1.5.1-eksbuild.1", "v1.4.2-eksbuild.1")),
    "snapshot-controller": Addon("storage", ("v8.4.0-eksbuild.2", "v8.3.0-eksbuild.1"), deployment=True),
    "aws-efs-csi-driver": Addon(
        "storage",
        ("v2.2.0-eksbuild.1", "v2.1.15-eksbuild.1"),
        identity={"efs-csi-controller-sa": (_POLICY + "service-role/AmazonEFSCSIDriverPolicy",)},
        deployment=True,
    ),
}


def parse_version(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version))


def require_addon(name: str, **fields: Any) -> Addon:
    if name not in CATALOG:
        raise invalid_parameter("Addon specified is not supported", **fields)
    return CATALOG[name]


def require_version(name: str, version: str, kubernetes: str, **fields: Any) -> None:
    if version not in CATALOG[name].versions_for(kubernetes):
        raise invalid_parameter(f"Addon version specified is not supported in {kubernetes} kubernetes version", **fields)


@operation
def describe_addon_versions(scene: Scene, parameters: dict[str, Any]) -> dict[str, Any]:
    wanted = parameters.get("kubernetesVersion")
    if "addonName" in parameters:
        require_addon(parameters["addonName"])
    found = []
    for name, addon in CATALOG.items():
        if name != parameters.get("addonName", name):
            continue
        if addon.kind not in parameters.get("types", [addon.kind]):
            continue
        if addon.owner not in parameters.get("owners", [addon.owner]):
            continue
        compatible: dict[str, list[dict[str, Any]]] = {}
        for kubernetes in KUBERNETES:
            if kubernetes != (wanted or kubernetes):
                continue
            for version in addon.versions_for(kubernetes):
                compatible.setdefault(version, []).append(
                    {
                        "clusterVersion": kubernetes,
                        "platformVersions": ["*"],
                        "defaultVersion": version == addon.default_for(kubernetes),
                    }
                )
        if not compatible:
            continue
        found.append(
            {
                "addonName": name,
                "type": addon.kind,
                "owner": addon.owner,
                "publisher": "eks" if addon.owner == "aws" else addon.owner,
                "defaultNamespace": addon.namespace,
                "addonVersions": [
                    {
                        "addonVersion": version,
                        "architecture": ["amd64", "arm64"],
                        "computeTypes": ["ec2", "auto"] if addon.deployment else ["ec2"],
                        "compatibilities": compatible[version],
                        "requiresConfiguration": False,
                        "requiresIamPermissions": bool(addon.identity),
                    }
                    for version in sorted(compatible, key=parse_version, reverse=True)
                ],
            }
        )
    shown, token = page(found, parameters)
    return {"addons": shown, "nextToken": token}


@operation
def describe_addon_configuration(scene: Scene, parameters: dict[str, Any]) -> dict[str, Any]:
    name, version = parameters["addonName"], parameters["addonVersion"]
    addon = require_addon(name)
    if not any(version in addon.versions_for(kubernetes) for kubernetes in KUBERNETES):
        raise not_found(f"No addon version {version} found for addon {name}", addonName=name)
    return {
        "addonName": name,
        "addonVersion": version,
        "configurationSchema": json.dumps(SCHEMAS[name]),
        "podIdentityConfiguration": [
            {"serviceAccount": account, "recommendedManagedPolicies": list(policies)}
            for account, policies in addon.identity.items()
        ],
    }
