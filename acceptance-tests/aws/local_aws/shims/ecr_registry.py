"""What all repositories of an account and region share: scanning, replication, pull-through cache rules."""

from __future__ import annotations

import re
from typing import Any

from local_aws.account import EcrRegistry
from local_aws.cloud import CloudError
from local_aws.shims.passage import Passage, json_answer, shim
from local_aws.wire.message import Response

_MOST_SCANNING_RULES = 2
_MOST_REPLICATION_RULES = 10
_MOST_DESTINATIONS = 25
_MOST_FILTERS = 100
_MOST_CACHE_RULES = 50
_FREQUENCIES = {"BASIC": {"SCAN_ON_PUSH", "MANUAL"}, "ENHANCED": {"SCAN_ON_PUSH", "CONTINUOUS_SCAN"}}
_SCANNING_FILTER = re.compile(r"^[a-z0-9*](?:[._\-/a-z0-9*]?[a-z0-9*]+)*$")
_REPLICATION_FILTER = re.compile(r"^(?:[a-z0-9]+(?:[._-][a-z0-9]*)*/)*[a-z0-9]*(?:[._-][a-z0-9]*)*$")
_PREFIX = re.compile(r"^([a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*\/?|ROOT)$")
_UPSTREAMS = {
    "public.ecr.aws": "ecr-public",
    "registry.k8s.io": "k8s",
    "quay.io": "quay",
    "registry-1.docker.io": "docker-hub",
    "ghcr.io": "github-container-registry",
    "registry.gitlab.com": "gitlab-container-registry",
    "cgr.dev": "chainguard",
}
_OPEN = ("ecr-public", "k8s", "quay", "ecr")


def _registry(passage: Passage) -> EcrRegistry:
    return passage.scene.account.world.ecr[passage.scene.region]


def _invalid(passage: Passage, parameter: str, text: str) -> Response:
    message = f"Invalid parameter at '{parameter}' failed to satisfy constraint: '{text}'"
    return passage.refuse("InvalidParameterException", message)


@shim("ecr", "PutRegistryScanningConfiguration")
def put_scanning(passage: Passage) -> Response:
    scan_type = passage.parameters.get("scanType") or "BASIC"
    rules = passage.parameters.get("rules") or []
    if scan_type not in _FREQUENCIES:
        return _invalid(passage, "scanType", "Member must satisfy enum value set: [BASIC, ENHANCED]")
    frequencies = [rule["scanFrequency"] for rule in rules]
    if len(rules) > _MOST_SCANNING_RULES or len(set(frequencies)) < len(frequencies):
        return _invalid(passage, "rules", "at most two rules, each with a scan frequency of its own")
    if not set(frequencies) <= _FREQUENCIES[scan_type]:
        return _invalid(passage, "rules", f"{scan_type} takes {', '.join(sorted(_FREQUENCIES[scan_type]))}")
    for rule in rules:
        texts = [item["filter"] for item in rule["repositoryFilters"]]
        if len(texts) > _MOST_FILTERS or not all(_SCANNING_FILTER.match(text) for text in texts):
            return _invalid(passage, "repositoryFilters", f"at most 100, matching {_SCANNING_FILTER.pattern}")
    return passage.forward_json(scanType=scan_type, rules=rules)


@shim("ecr", "PutReplicationConfiguration")
def put_replication(passage: Passage) -> Response:
    configuration = passage.parameters.get("replicationConfiguration") or {}
    rules = configuration.get("rules") or []
    if len(rules) > _MOST_REPLICATION_RULES:
        return _invalid(passage, "replicationConfiguration", f"at most {_MOST_REPLICATION_RULES} rules")
    own = (passage.scene.region, passage.scene.account.id)
    destinations = set()
    for rule in rules:
        texts = [item["filter"] for item in rule.get("repositoryFilters", [])]
        if len(texts) > _MOST_FILTERS or not all(_REPLICATION_FILTER.match(text) for text in texts):
            return _invalid(passage, "repositoryFilters", f"at most 100, matching {_REPLICATION_FILTER.pattern}")
        destinations |= {(item["region"], item["registryId"]) for item in rule["destinations"]}
    if own in destinations:
        text = "Replication destination cannot be the same as the source registry"
        return _invalid(passage, "replicationConfiguration", text)
    if len(destinations) > _MOST_DESTINATIONS:
        return _invalid(passage, "replicationConfiguration", f"at most {_MOST_DESTINATIONS} unique destinations")
    _registry(passage).replication_rules = rules
    return json_answer({"replicationConfiguration": {"rules": rules}})


@shim("ecr", "DescribeRegistry")
def describe_registry(passage: Passage) -> Response:
    rules = _registry(passage).replication_rules
    return json_answer({"registryId": passage.scene.account.id, "replicationConfiguration": {"rules": rules}})


def _upstream(url: str) -> str | None:
    if url.endswith(".azurecr.io"):
        return "azure-container-registry"
    if re.match(r"^\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(\.cn)?$", url):
        return "ecr"
    return _UPSTREAMS.get(url)


def _refuse_credentials(passage: Passage, upstream: str) -> Response | None:
    arn = passage.parameters.get("credentialArn")
    if arn is None:
        if upstream in _OPEN:
            return None
        return _invalid(passage, "credentialArn", f"the upstream registry {upstream} needs credentials")
    if ":secret:ecr-pullthroughcache/" not in arn:
        return _invalid(passage, "credentialArn", "the name of the secret begins with ecr-pullthroughcache/")
    try:
        passage.scene.cloud.call("secretsmanager", "DescribeSecret", SecretId=arn)
    except CloudError:
        return passage.refuse("SecretNotFoundException", f"The ARN of the secret {arn} does not exist")
    return None


@shim("ecr", "CreatePullThroughCacheRule")
def create_cache_rule(passage: Passage) -> Response:
    parameters, rules = passage.parameters, _registry(passage).cache_rules
    prefix, url = parameters.get("ecrRepositoryPrefix", ""), parameters.get("upstreamRegistryUrl", "")
    if not (_PREFIX.match(prefix) and 2 <= len(prefix) <= 30):
        return _invalid(passage, "ecrRepositoryPrefix", f"must satisfy regular expression {_PREFIX.pattern}")
    upstream = _upstream(url)
    if upstream is None:
        return passage.refuse("UnsupportedUpstreamRegistryException", f"The upstream registry {url} is not supported")
    if refusal := _refuse_credentials(passage, upstream):
        return refusal
    if prefix in rules:
        message = f"A pull through cache rule with prefix '{prefix}' already exists"
        return passage.refuse("PullThroughCacheRuleAlreadyExistsException", message)
    if len(rules) >= _MOST_CACHE_RULES:
        return passage.refuse("LimitExceededException", f"A registry has at most {_MOST_CACHE_RULES} rules")
    rule: dict[str, Any] = {
        "ecrRepositoryPrefix": prefix,
        "upstreamRegistryUrl": url,
        "upstreamRegistry": upstream,
        "registryId": passage.scene.account.id,
        "createdAt": passage.scene.timestamp(),
    }
    if "credentialArn" in parameters:
        rule["credentialArn"] = parameters["credentialArn"]
    rules[prefix] = rule
    return json_answer(rule)


def _no_rule(passage: Passage, prefix: str) -> Response:
    message = f"Pull through cache rule with prefix '{prefix}' does not exist"
    return passage.refuse("PullThroughCacheRuleNotFoundException", message)


@shim("ecr", "DescribePullThroughCacheRules")
def describe_cache_rules(passage: Passage) -> Response:
    rules = _registry(passage).cache_rules
    for prefix in passage.parameters.get("ecrRepositoryPrefixes") or []:
        if prefix not in rules:
            return _no_rule(passage, prefix)
    wanted = passage.parameters.get("ecrRepositoryPrefixes") or sorted(rules)
    return json_answer({"pullThroughCacheRules": [rules[prefix] for prefix in wanted]})


@shim("ecr", "UpdatePullThroughCacheRule")
def update_cache_rule(passage: Passage) -> Response:
    prefix, rules = passage.parameters.get("ecrRepositoryPrefix", ""), _registry(passage).cache_rules
    if prefix not in rules:
        return _no_rule(passage, prefix)
    if refusal := _refuse_credentials(passage, rules[prefix]["upstreamRegistry"]):
        return refusal
    if "credentialArn" in passage.parameters:
        rules[prefix]["credentialArn"] = passage.parameters["credentialArn"]
    rules[prefix]["updatedAt"] = passage.scene.timestamp()
    return json_answer(
        {
            name: value
            for name, value in rules[prefix].items()
            if name not in ("createdAt", "upstreamRegistry", "upstreamRegistryUrl")
        }
    )


@shim("ecr", "DeletePullThroughCacheRule")
def delete_cache_rule(passage: Passage) -> Response:
    prefix, rules = passage.parameters.get("ecrRepositoryPrefix", ""), _registry(passage).cache_rules
    if prefix not in rules:
        return _no_rule(passage, prefix)
    rule = rules.pop(prefix)
    return json_answer({name: value for name, value in rule.items() if name not in ("upstreamRegistry", "updatedAt")})
