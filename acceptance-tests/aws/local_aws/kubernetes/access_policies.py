"""What the access policies of EKS allow inside a cluster.

As the user-facing roles of Kubernetes, without what other objects aggregate to them: custom resources are not in
any policy but the cluster administrator's (user guide, access-policy-permissions).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

_READ = frozenset({"get", "list", "watch"})
_WRITE = frozenset({"create", "delete", "deletecollection", "patch", "update"})


@dataclass(frozen=True)
class Rule:
    group: str
    resources: frozenset[str]
    verbs: frozenset[str]

    def allows(self, group: str, resource: str, verb: str) -> bool:
        return self.group in ("*", group) and bool({"*", resource} & self.resources) and verb in self.verbs


def _rule(group: str, resources: str, verbs: Iterable[str]) -> Rule:
    return Rule(group, frozenset(resources.split()), frozenset(verbs))


_VIEW = [
    _rule(
        "",
        "bindings configmaps endpoints events limitranges namespaces namespaces/status persistentvolumeclaims "
        "persistentvolumeclaims/status pods pods/log pods/status replicationcontrollers replicationcontrollers/scale "
        "replicationcontrollers/status resourcequotas resourcequotas/status serviceaccounts services services/status",
        _READ,
    ),
    _rule(
        "apps",
        "controllerrevisions daemonsets daemonsets/status deployments deployments/scale deployments/status replicasets "
        "replicasets/scale replicasets/status statefulsets statefulsets/scale statefulsets/status",
        _READ,
    ),
    _rule("autoscaling", "horizontalpodautoscalers horizontalpodautoscalers/status", _READ),
    _rule("batch", "cronjobs cronjobs/status jobs jobs/status", _READ),
    _rule("discovery.k8s.io", "endpointslices", _READ),
    _rule("networking.k8s.io", "ingresses ingresses/status networkpolicies", _READ),
    _rule("policy", "poddisruptionbudgets poddisruptionbudgets/status", _READ),
]
_EDIT = [
    *_VIEW,
    _rule("", "pods/attach pods/exec pods/portforward pods/proxy secrets services/proxy", _READ),
    _rule(
        "",
        "configmaps events persistentvolumeclaims pods pods/attach pods/exec pods/portforward pods/proxy "
        "replicationcontrollers replicationcontrollers/scale secrets serviceaccounts services services/proxy",
        _WRITE,
    ),
    _rule("", "serviceaccounts", {"impersonate"}),
    _rule("", "serviceaccounts/token pods/eviction", {"create"}),
    _rule(
        "apps",
        "daemonsets deployments deployments/rollback deployments/scale replicasets replicasets/scale statefulsets "
        "statefulsets/scale",
        _WRITE,
    ),
    _rule("autoscaling", "horizontalpodautoscalers", _WRITE),
    _rule("batch", "cronjobs jobs", _WRITE),
    _rule("networking.k8s.io", "ingresses networkpolicies", _WRITE),
    _rule("policy", "poddisruptionbudgets", _WRITE),
]
_ADMIN = [
    *_EDIT,
    _rule("authorization.k8s.io", "localsubjectaccessreviews", {"create"}),
    _rule("rbac.authorization.k8s.io", "rolebindings roles", _READ | _WRITE),
]
_POLICIES = {
    "AmazonEKSViewPolicy": _VIEW,
    "AmazonEKSEditPolicy": _EDIT,
    "AmazonEKSAdminPolicy": _ADMIN,
    "AmazonEKSAdminViewPolicy": [_rule("*", "*", _READ)],
    "AmazonEKSSecretReaderPolicy": [_rule("", "secrets", _READ)],
}
_EVERYTHING = "AmazonEKSClusterAdminPolicy"


def allows(association: dict[str, Any], spec: dict[str, Any]) -> bool:
    """Whether an associated policy, within its scope, allows what a SubjectAccessReview asks about."""
    name, scope = association["policyArn"].rpartition("/")[2], association["accessScope"]
    if name == _EVERYTHING:
        return True
    wanted = spec.get("resourceAttributes")
    if wanted is None:
        return False
    if scope["type"] == "namespace" and not any(
        fnmatchcase(wanted.get("namespace", ""), pattern) for pattern in scope["namespaces"]
    ):
        return False
    resource = "/".join(filter(None, (wanted.get("resource", ""), wanted.get("subresource", ""))))
    return any(rule.allows(wanted.get("group", ""), resource, wanted.get("verb", "")) for rule in _POLICIES.get(name, []))
