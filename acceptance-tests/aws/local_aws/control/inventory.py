"""What an account holds: for the leak report and for people."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from local_aws.account import Account
from local_aws.cloud import Cloud, CloudError
from local_aws.eks.records import Cluster
from local_aws.gateway import Gateway


@dataclass(frozen=True)
class Thing:
    service: str
    kind: str
    id: str
    region: str
    detail: str = ""

    @property
    def key(self) -> tuple[str, str, str, str]:
        return self.service, self.kind, self.id, self.region


def inventory(gateway: Gateway, account: Account) -> list[Thing]:
    """Everything that somebody made, apart from what AWS gives every account."""
    gateway.settle(account)
    with account.lock:
        things = list(_eks(account))
        for service, region in sorted(account.world.used | _touched_by_eks(account)):
            collect = _COLLECTORS.get(service)
            if collect is not None:
                things += collect(gateway.cloud(account, region))
    # IAM is one for all regions.
    return sorted({thing.key: thing for thing in things}.values(), key=lambda thing: thing.key)


def _touched_by_eks(account: Account) -> set[tuple[str, str]]:
    regions = {region for service, region in account.world.used if service == "eks"}
    return {(service, region) for service in ("ec2", "logs") for region in regions}


def _eks(account: Account) -> Iterator[Thing]:
    for region, eks in account.world.eks.items():
        for cluster in eks.clusters.values():
            view = cluster.view
            yield Thing("eks", "cluster", cluster.name, region, f"{view['status']}, Kubernetes {view['version']}")
            yield from _parts(cluster, region)


def _parts(cluster: Cluster, region: str) -> Iterator[Thing]:
    for name, part in cluster.nodegroups.items():
        size = part.view["scalingConfig"]
        detail = f"{part.view['status']}, {size['minSize']} to {size['maxSize']} nodes, {part.view['releaseVersion']}"
        yield Thing("eks", "nodegroup", f"{cluster.name}/{name}", region, detail)
    for name, part in cluster.addons.items():
        detail = f"{part.view['status']}, {part.view['addonVersion']}"
        yield Thing("eks", "addon", f"{cluster.name}/{name}", region, detail)
    for name, part in cluster.entries.items():
        policies = ", ".join(arn.rpartition("/")[2] for arn in part.policies)
        yield Thing("eks", "access-entry", f"{cluster.name}/{name}", region, policies or part.view["type"])
    for name, part in cluster.associations.items():
        detail = f"{part.view['namespace']}/{part.view['serviceAccount']} -> {part.view['roleArn'].rpartition('/')[2]}"
        yield Thing("eks", "pod-identity-association", f"{cluster.name}/{name}", region, detail)


def _pages(cloud: Cloud, service: str, operation: str, member: str, request: str, answer: str) -> Iterator[Any]:
    token: dict[str, Any] = {}
    while True:
        page = cloud.call(service, operation, **token)
        yield from page.get(member, [])
        if not page.get(answer):
            return
        token = {request: page[answer]}


def _iam(cloud: Cloud) -> Iterator[Thing]:
    for role in _pages(cloud, "iam", "ListRoles", "Roles", "Marker", "Marker"):
        if not role["Path"].startswith("/aws-service-role/"):
            yield Thing("iam", "role", role["RoleName"], "global", role["Path"])
    token: dict[str, Any] = {"Scope": "Local"}
    for policy in cloud.call("iam", "ListPolicies", **token)["Policies"]:
        yield Thing("iam", "policy", policy["Arn"], "global")
    for profile in cloud.call("iam", "ListInstanceProfiles")["InstanceProfiles"]:
        yield Thing("iam", "instance-profile", profile["InstanceProfileName"], "global")
    for provider in cloud.call("iam", "ListOpenIDConnectProviders")["OpenIDConnectProviderList"]:
        yield Thing("iam", "oidc-provider", provider["Arn"], "global")


def _kms(cloud: Cloud) -> Iterator[Thing]:
    for key in _pages(cloud, "kms", "ListKeys", "Keys", "Marker", "NextMarker"):
        data = cloud.call("kms", "DescribeKey", KeyId=key["KeyId"])["KeyMetadata"]
        if data["KeyState"] != "PendingDeletion" and data.get("KeyManager") != "AWS":
            yield Thing("kms", "key", key["KeyArn"], cloud.region, data.get("Description", ""))
    for alias in _pages(cloud, "kms", "ListAliases", "Aliases", "Marker", "NextMarker"):
        if not alias["AliasName"].startswith("alias/aws/"):
            yield Thing("kms", "alias", alias["AliasName"], cloud.region, alias.get("TargetKeyId", ""))


def _logs(cloud: Cloud) -> Iterator[Thing]:
    for group in _pages(cloud, "logs", "DescribeLogGroups", "logGroups", "nextToken", "nextToken"):
        days = group.get("retentionInDays")
        yield Thing("logs", "log-group", group["logGroupName"], cloud.region, f"{days} days" if days else "never expires")

    for metric_filter in cloud.call("logs", "DescribeMetricFilters")["metricFilters"]:
        name = f"{metric_filter['logGroupName']}:{metric_filter['filterName']}"
        yield Thing("logs", "metric-filter", name, cloud.region, metric_filter["filterPattern"])


def _ec2(cloud: Cloud) -> Iterator[Thing]:
    for template in cloud.call("ec2", "DescribeLaunchTemplates")["LaunchTemplates"]:
        detail = f"{template['LaunchTemplateId']}, version {template['LatestVersionNumber']}"
        yield Thing("ec2", "launch-template", template["LaunchTemplateName"], cloud.region, detail)
    for interface in cloud.call("ec2", "DescribeNetworkInterfaces")["NetworkInterfaces"]:
        yield Thing("ec2", "network-interface", interface["NetworkInterfaceId"], cloud.region, interface.get("Description", ""))
    for group in cloud.call("ec2", "DescribeSecurityGroups")["SecurityGroups"]:
        if group["GroupName"] != "default":
            yield Thing("ec2", "security-group", group["GroupId"], cloud.region, group["GroupName"])


def _ecr(cloud: Cloud) -> Iterator[Thing]:
    for repository in _pages(cloud, "ecr", "DescribeRepositories", "repositories", "nextToken", "nextToken"):
        yield Thing("ecr", "repository", repository["repositoryName"], cloud.region)
    for rule in cloud.call("ecr", "DescribePullThroughCacheRules")["pullThroughCacheRules"]:
        yield Thing("ecr", "cache-rule", rule["ecrRepositoryPrefix"], cloud.region, rule["upstreamRegistryUrl"])
    for rule in cloud.call("ecr", "DescribeRegistry")["replicationConfiguration"]["rules"]:
        filters = ", ".join(item["filter"] for item in rule.get("repositoryFilters", []))
        destinations = ", ".join(item["region"] for item in rule["destinations"])
        yield Thing("ecr", "replication-rule", filters or "everything", cloud.region, destinations)
    scanning = cloud.call("ecr", "GetRegistryScanningConfiguration")["scanningConfiguration"]
    if scanning["scanType"] != "BASIC":
        yield Thing("ecr", "scan-type", scanning["scanType"], cloud.region)
    for rule in scanning.get("rules", []):
        for item in rule["repositoryFilters"]:
            yield Thing("ecr", "scanning-filter", f"{rule['scanFrequency']} {item['filter']}", cloud.region)


def _simple(service: str, operation: str, member: str, kind: str, name: str | None) -> Any:
    def collect(cloud: Cloud) -> Iterator[Thing]:
        try:
            answer = cloud.call(service, operation)
        except CloudError:
            return
        for item in answer.get(member, []):
            yield Thing(service, kind, item if name is None else item[name], cloud.region)

    return collect


_COLLECTORS: dict[str, Any] = {
    "iam": _iam,
    "kms": _kms,
    "logs": _logs,
    "ec2": _ec2,
    "ecr": _ecr,
    "sqs": _simple("sqs", "ListQueues", "QueueUrls", "queue", None),
    "events": _simple("events", "ListRules", "Rules", "rule", "Name"),
    "monitoring": _simple("monitoring", "DescribeAlarms", "MetricAlarms", "alarm", "AlarmName"),
    "secretsmanager": _simple("secretsmanager", "ListSecrets", "SecretList", "secret", "Name"),
    "ssm": _simple("ssm", "DescribeParameters", "Parameters", "parameter", "Name"),
}


def by_service(things: list[Thing], with_detail: bool = False) -> dict[str, list[dict[str, str]]]:
    found: dict[str, list[dict[str, str]]] = {}
    for thing in things:
        entry = {"kind": thing.kind, "id": thing.id, "region": thing.region}
        found.setdefault(thing.service, []).append(entry | ({"detail": thing.detail} if with_detail else {}))
    return found


def summary(account: Account, things: list[Thing]) -> str:
    if not things:
        return f"Account {account.id} holds nothing.\n"
    lines = [f"Account {account.id} holds {len(things)} objects:"]
    for thing in things:
        detail = f"  ({thing.detail})" if thing.detail else ""
        lines.append(f"  {thing.service:<5} {thing.kind:<26} {thing.id}{detail}")
    return "\n".join(lines) + "\n"
