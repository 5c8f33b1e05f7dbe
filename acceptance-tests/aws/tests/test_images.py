"""ECR: repositories, their policies, and what a registry shares."""

import json
from typing import Any

import pytest
from driver import Aws, refused

MANIFEST = json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "layers": []})
PUBLIC = "public.ecr.aws"


@pytest.fixture
def ecr(aws: Aws) -> Any:
    return aws.client("ecr")


def lifecycle(*rules: tuple[int, str]) -> str:
    def rule(priority: int, status: str) -> dict[str, Any]:
        selection = {"tagStatus": status, "countType": "imageCountMoreThan", "countNumber": 10}
        return {"rulePriority": priority, "selection": selection, "action": {"type": "expire"}}

    return json.dumps({"rules": [rule(*of) for of in rules]})


def test_repositories_with_kms(aws: Aws, ecr: Any) -> None:
    made = ecr.create_repository(repositoryName="shop/api", encryptionConfiguration={"encryptionType": "KMS"})["repository"]
    managed = made["encryptionConfiguration"]["kmsKey"]
    assert aws.kms.describe_key(KeyId=managed)["KeyMetadata"]["KeyManager"] == "AWS"
    other = ecr.create_repository(repositoryName="shop/web", encryptionConfiguration={"encryptionType": "KMS"})["repository"]
    assert other["encryptionConfiguration"]["kmsKey"] == managed
    key = aws.key()
    own = {"encryptionType": "KMS", "kmsKey": key}
    made = ecr.create_repository(repositoryName="own", encryptionConfiguration=own)["repository"]
    assert made["encryptionConfiguration"] == own
    assert aws.kms.describe_key(KeyId=key)["KeyMetadata"]["KeyManager"] == "CUSTOMER"
    aws.kms.disable_key(KeyId=key.rpartition("/")[2])
    with refused("KmsException"):
        ecr.create_repository(repositoryName="other", encryptionConfiguration=own)


def test_a_repository_with_images_is_not_deleted(ecr: Any) -> None:
    ecr.create_repository(repositoryName="shop")
    ecr.put_image(repositoryName="shop", imageManifest=MANIFEST, imageTag="1")
    with refused("RepositoryNotEmptyException"):
        ecr.delete_repository(repositoryName="shop")
    ecr.delete_repository(repositoryName="shop", force=True)
    with refused("RepositoryNotFoundException"):
        ecr.describe_repositories(repositoryNames=["shop"])


def test_names(ecr: Any) -> None:
    for right in ("shop__api--v1/x.y", "2a"):
        ecr.create_repository(repositoryName=right)
    for wrong in ("shop___api", "shop..api", "shop/"):
        with refused("InvalidParameterException"):
            ecr.create_repository(repositoryName=wrong)


def test_repositories_are_paged(ecr: Any) -> None:
    for number in range(3):
        ecr.create_repository(repositoryName=f"shop{number}")
    pages = ecr.get_paginator("describe_repositories").paginate(PaginationConfig={"PageSize": 2})
    sizes = [len(page["repositories"]) for page in pages]
    assert sizes == [2, 1]


def test_lifecycle_policies(ecr: Any) -> None:
    ecr.create_repository(repositoryName="shop")
    with refused("LifecyclePolicyNotFoundException"):
        ecr.get_lifecycle_policy(repositoryName="shop")
    for wrong in (lifecycle((1, "any"), (2, "untagged")), lifecycle((1, "untagged"), (1, "any"))):
        with refused("InvalidParameterException"):
            ecr.put_lifecycle_policy(repositoryName="shop", lifecyclePolicyText=wrong)
    # botocore itself refuses what is too short.
    text = lifecycle((1, "untagged"), (2, "any"))
    ecr.put_lifecycle_policy(repositoryName="shop", lifecyclePolicyText=text)
    assert ecr.get_lifecycle_policy(repositoryName="shop")["lifecyclePolicyText"] == text


def test_a_flag_that_is_left_out_is_false(ecr: Any) -> None:
    ecr.create_repository(repositoryName="shop", imageScanningConfiguration={"scanOnPush": True})
    ecr.put_image_scanning_configuration(repositoryName="shop", imageScanningConfiguration={})
    shown = ecr.describe_repositories(repositoryNames=["shop"])["repositories"][0]
    assert shown["imageScanningConfiguration"] == {"scanOnPush": False}


def test_tags(ecr: Any) -> None:
    with refused("InvalidTagParameterException"):
        ecr.create_repository(repositoryName="shop", tags=[{"Key": "aws:x", "Value": "1"}])
    arn = ecr.create_repository(repositoryName="shop", tags=[{"Key": "a", "Value": "1"}])["repository"]["repositoryArn"]
    ecr.tag_resource(resourceArn=arn, tags=[{"Key": "b", "Value": "2"}])
    ecr.untag_resource(resourceArn=arn, tagKeys=["a"])
    assert ecr.list_tags_for_resource(resourceArn=arn)["tags"] == [{"Key": "b", "Value": "2"}]


def scanning(frequency: str, *filters: str) -> dict[str, Any]:
    return {
        "scanFrequency": frequency,
        "repositoryFilters": [{"filter": text, "filterType": "WILDCARD"} for text in filters],
    }


def test_scanning(ecr: Any) -> None:
    assert ecr.get_registry_scanning_configuration()["scanningConfiguration"] == {"scanType": "BASIC", "rules": []}
    for scan_type, rules in (
        ("BASIC", [scanning("CONTINUOUS_SCAN", "a")]),
        ("ENHANCED", [scanning("MANUAL", "a")]),
        ("ENHANCED", [scanning("SCAN_ON_PUSH", "a"), scanning("SCAN_ON_PUSH", "b")]),
        ("ENHANCED", [scanning("CONTINUOUS_SCAN", "a__b")]),
    ):
        with refused("InvalidParameterException"):
            ecr.put_registry_scanning_configuration(scanType=scan_type, rules=rules)
    rules = [scanning("CONTINUOUS_SCAN", "shop/api"), scanning("SCAN_ON_PUSH", "*")]
    ecr.put_registry_scanning_configuration(scanType="ENHANCED", rules=rules)
    assert ecr.get_registry_scanning_configuration()["scanningConfiguration"] == {"scanType": "ENHANCED", "rules": rules}


def replication(region: str, account: str, *filters: str) -> dict[str, Any]:
    rule: dict[str, Any] = {"destinations": [{"region": region, "registryId": account}]}
    if filters:
        rule["repositoryFilters"] = [{"filter": text, "filterType": "PREFIX_MATCH"} for text in filters]
    return rule


def test_replication_is_replaced_as_a_whole(aws: Aws, ecr: Any) -> None:
    rules = [replication("eu-west-1", aws.account), replication("eu-west-2", "111122223333", "shop")]
    ecr.put_replication_configuration(replicationConfiguration={"rules": rules})
    assert ecr.describe_registry()["replicationConfiguration"]["rules"] == rules
    for wrong in ([replication(aws.region, aws.account)], [replication("eu-west-1", aws.account)] * 11):
        with refused("InvalidParameterException"):
            ecr.put_replication_configuration(replicationConfiguration={"rules": wrong})
    ecr.put_replication_configuration(replicationConfiguration={"rules": rules[1:]})
    assert ecr.describe_registry()["replicationConfiguration"]["rules"] == rules[1:]


def test_pull_through_cache_rules(aws: Aws, ecr: Any) -> None:
    made = ecr.create_pull_through_cache_rule(ecrRepositoryPrefix="public", upstreamRegistryUrl=PUBLIC)
    assert made["upstreamRegistry"] == "ecr-public"
    with refused("PullThroughCacheRuleAlreadyExistsException"):
        ecr.create_pull_through_cache_rule(ecrRepositoryPrefix="public", upstreamRegistryUrl=PUBLIC)
    with refused("UnsupportedUpstreamRegistryException"):
        ecr.create_pull_through_cache_rule(ecrRepositoryPrefix="other", upstreamRegistryUrl="example.com")
    hub: dict[str, Any] = {"ecrRepositoryPrefix": "hub", "upstreamRegistryUrl": "registry-1.docker.io"}
    with refused("InvalidParameterException"):
        ecr.create_pull_through_cache_rule(**hub)
    missing = f"arn:aws:secretsmanager:{aws.region}:{aws.account}:secret:ecr-pullthroughcache/none-Ab12Cd"
    with refused("SecretNotFoundException"):
        ecr.create_pull_through_cache_rule(**hub, credentialArn=missing)
    secret = aws.client("secretsmanager").create_secret(Name="ecr-pullthroughcache/hub", SecretString="{}")["ARN"]
    ecr.create_pull_through_cache_rule(**hub, credentialArn=secret)
    ecr.update_pull_through_cache_rule(ecrRepositoryPrefix="hub", credentialArn=secret)
    rules = ecr.describe_pull_through_cache_rules(ecrRepositoryPrefixes=["hub"])["pullThroughCacheRules"]
    assert [(rule["upstreamRegistryUrl"], rule["credentialArn"]) for rule in rules] == [("registry-1.docker.io", secret)]
    ecr.delete_pull_through_cache_rule(ecrRepositoryPrefix="hub")
    with refused("PullThroughCacheRuleNotFoundException"):
        ecr.describe_pull_through_cache_rules(ecrRepositoryPrefixes=["hub"])
    assert [call["resource"] for call in aws.calls(operation="DeletePullThroughCacheRule")] == ["hub"]


def test_leaks_snapshots_and_regions(aws: Aws, ecr: Any) -> None:
    aws.control("POST", "baseline")
    snapshot = aws.control("POST", "snapshot")["id"]
    ecr.create_repository(repositoryName="shop")
    ecr.create_pull_through_cache_rule(ecrRepositoryPrefix="public", upstreamRegistryUrl=PUBLIC)
    ecr.put_replication_configuration(replicationConfiguration={"rules": [replication("eu-west-1", aws.account, "shop")]})
    ecr.put_registry_scanning_configuration(scanType="ENHANCED", rules=[scanning("CONTINUOUS_SCAN", "shop")])
    kinds = ["cache-rule", "replication-rule", "repository", "scan-type", "scanning-filter"]
    assert aws.leaks() == {"ecr": kinds}
    elsewhere = Aws(aws.url, aws.account, region="eu-west-3").client("ecr")
    assert elsewhere.describe_pull_through_cache_rules()["pullThroughCacheRules"] == []
    assert elsewhere.describe_registry()["replicationConfiguration"]["rules"] == []
    aws.control("POST", "restore", id=snapshot)
    assert aws.leaks() == {}


def test_faults_hit_calls_of_registries(aws: Aws, ecr: Any) -> None:
    aws.fault("reset_after", service="ecr", operation="CreatePullThroughCacheRule", resource="public")
    with pytest.raises(Exception, match=r"Connection|closed"):
        ecr.create_pull_through_cache_rule(ecrRepositoryPrefix="public", upstreamRegistryUrl=PUBLIC)
    assert len(ecr.describe_pull_through_cache_rules()["pullThroughCacheRules"]) == 1
