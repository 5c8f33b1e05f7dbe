"""JSON schemas of add-on configuration values, reduced to the paths that are used.

The real ones are longer; like them, every object refuses names it does not know.
"""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

STRING: Schema = {"type": "string"}
BOOLEAN: Schema = {"type": "boolean"}
INTEGER: Schema = {"type": "integer"}
ANY_OBJECT: Schema = {"type": "object"}
ANY_LIST: Schema = {"type": "array"}
# The schemas of AWS take these as Kubernetes defines them.
SCHEDULING: dict[str, Schema] = {
    "affinity": ANY_OBJECT,
    "tolerations": ANY_LIST,
    "nodeSelector": ANY_OBJECT,
    "resources": ANY_OBJECT,
    "podAnnotations": ANY_OBJECT,
    "podLabels": ANY_OBJECT,
}


def _object(properties: dict[str, Schema], required: tuple[str, ...] = ()) -> Schema:
    schema: Schema = {"type": "object", "additionalProperties": False, "properties": properties}
    if required:
        schema["required"] = list(required)
    return schema


def _root(properties: dict[str, Schema]) -> Schema:
    return {"$schema": "http://json-schema.org/draft-07/schema#", **_object(properties)}


_ENI_SUBNET = _object({"id": STRING, "securityGroups": {"type": "array", "items": STRING}}, ("id",))
_CNI_ENVIRONMENT = (
    "ENABLE_PREFIX_DELEGATION", "WARM_PREFIX_TARGET", "WARM_IP_TARGET", "MINIMUM_IP_TARGET", "WARM_ENI_TARGET",
    "MAX_ENI", "AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG", "ENI_CONFIG_LABEL_DEF", "AWS_VPC_K8S_CNI_EXTERNALSNAT",
    "ENABLE_POD_ENI", "POD_SECURITY_GROUP_ENFORCING_MODE", "CLUSTER_NAME", "VPC_ID", "AWS_VPC_K8S_CNI_LOGLEVEL",
    "AWS_VPC_K8S_CNI_RANDOMIZESNAT", "AWS_VPC_ENI_MTU", "ENABLE_SUBNET_DISCOVERY", "NETWORK_POLICY_ENFORCING_MODE",
    "ANNOTATE_POD_IP", "DISABLE_TCP_EARLY_DEMUX",
)  # fmt: skip

SCHEMAS: dict[str, Schema] = {
    "vpc-cni": _root(
        {
            **SCHEDULING,
            "enableNetworkPolicy": {"type": "string", "enum": ["true", "false"]},
            "enableWindowsIpam": {"type": "string", "enum": ["true", "false"]},
            "env": _object(dict.fromkeys(_CNI_ENVIRONMENT, STRING)),
            "init": _object({"env": _object({"DISABLE_TCP_EARLY_DEMUX": STRING, "ENABLE_V6_EGRESS": STRING})}),
            "nodeAgent": _object(
                {
                    "enablePolicyEventLogs": STRING,
                    "enableCloudWatchLogs": STRING,
                    "healthProbeBindAddr": STRING,
                    "metricsBindAddr": STRING,
                    "resources": ANY_OBJECT,
                }
            ),
            "eniConfig": _object(
                {
                    "create": BOOLEAN,
                    "region": STRING,
                    "subnets": {"type": "object", "additionalProperties": _ENI_SUBNET},
                },
                ("create", "region", "subnets"),
            ),
            "livenessProbeTimeoutSeconds": INTEGER,
            "readinessProbeTimeoutSeconds": INTEGER,
        }
    ),
    "coredns": _root(
        {
            **SCHEDULING,
            "computeType": STRING,
            "replicaCount": {"type": "integer", "minimum": 1},
            "autoScaling": _object(
                {
                    "enabled": BOOLEAN,
                    "minReplicas": {"type": "integer", "minimum": 2, "maximum": 1000},
                    "maxReplicas": {"type": "integer", "minimum": 2, "maximum": 1000},
                },
                ("enabled",),
            ),
            "podDisruptionBudget": _object({"enabled": BOOLEAN, "maxUnavailable": {}, "minAvailable": {}}),
            "corefile": STRING,
            "topologySpreadConstraints": ANY_LIST,
        }
    ),
    "kube-proxy": _root(
        {
            **SCHEDULING,
            "mode": {"type": "string", "enum": ["iptables", "ipvs", "nftables"]},
            "ipvs": _object({"scheduler": STRING}),
        }
    ),
    "eks-pod-identity-agent": _root(
        {**SCHEDULING, "agent": _object({"additionalArgs": ANY_OBJECT}), "updateStrategy": ANY_OBJECT}
    ),
    "aws-ebs-csi-driver": _root(
        {
            "controller": _object(
                {
                    **SCHEDULING,
                    "replicaCount": INTEGER,
                    "extraVolumeTags": {"type": "object", "additionalProperties": STRING},
                    "k8sTagClusterId": STRING,
                    "region": STRING,
                    "enableMetrics": BOOLEAN,
                    "volumeModificationFeature": _object({"enabled": BOOLEAN}),
                    "env": ANY_LIST,
                    "topologySpreadConstraints": ANY_LIST,
                    "loggingFormat": STRING,
                }
            ),
            "node": _object(
                {
                    **SCHEDULING,
                    "tolerateAllTaints": BOOLEAN,
                    "volumeAttachLimit": INTEGER,
                    "reservedVolumeAttachments": INTEGER,
                    "enableWindows": BOOLEAN,
                    "env": ANY_LIST,
                }
            ),
            "sidecars": ANY_OBJECT,
            "defaultStorageClass": _object({"enabled": BOOLEAN}),
            "storageClasses": {
                "type": "array",
                "items": _object(
                    {
                        "name": STRING,
                        "annotations": ANY_OBJECT,
                        "labels": ANY_OBJECT,
                        "parameters": {"type": "object", "additionalProperties": STRING},
                        "volumeBindingMode": STRING,
                        "reclaimPolicy": STRING,
                        "allowVolumeExpansion": BOOLEAN,
                        "mountOptions": ANY_LIST,
                        "allowedTopologies": ANY_LIST,
                    },
                    ("name",),
                ),
            },
            "fips": BOOLEAN,
        }
    ),
    "metrics-server": _root(
        {**SCHEDULING, "replicas": INTEGER, "args": ANY_LIST, "podDisruptionBudget": ANY_OBJECT, "updateStrategy": ANY_OBJECT}
    ),
    "amazon-cloudwatch-observability": _root(
        {
            "region": STRING,
            "clusterName": STRING,
            "tolerations": ANY_LIST,
            "affinity": ANY_OBJECT,
            "nodeSelector": ANY_OBJECT,
            "containerLogs": _object({"enabled": BOOLEAN, "fluentBit": ANY_OBJECT}),
            "containerInsights": _object({"enabled": BOOLEAN}),
            "otelContainerInsights": _object({"enabled": BOOLEAN}),
            "applicationSignals": _object({"enabled": BOOLEAN}),
            "agent": _object({**SCHEDULING, "config": ANY_OBJECT, "defaultConfig": ANY_OBJECT, "prometheus": ANY_OBJECT}),
            "agents": ANY_LIST,
            "manager": _object({**SCHEDULING, "applicationSignals": ANY_OBJECT, "autoInstrumentationConfiguration": ANY_OBJECT}),
            "admissionWebhooks": ANY_OBJECT,
            "dcgmExporter": _object({"enabled": BOOLEAN, **SCHEDULING}),
            "neuronMonitor": _object({"enabled": BOOLEAN, **SCHEDULING}),
            "kubeStateMetrics": _object({"enabled": BOOLEAN, **SCHEDULING}),
            "nodeExporter": _object({"enabled": BOOLEAN, **SCHEDULING}),
        }
    ),
    "eks-node-monitoring-agent": _root(
        {"monitoringAgent": _object({**SCHEDULING, "additionalArgs": ANY_LIST}), "dcgmAgent": _object(SCHEDULING)}
    ),
    "snapshot-controller": _root({**SCHEDULING, "replicaCount": INTEGER}),
    "aws-efs-csi-driver": _root({"controller": ANY_OBJECT, "node": ANY_OBJECT, "sidecars": ANY_OBJECT}),
}
