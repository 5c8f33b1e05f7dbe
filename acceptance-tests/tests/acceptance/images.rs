//! Repositories of images, and what they share in the registry.

use std::collections::BTreeMap;

use acceptance_tests::configuration::Cluster;
use acceptance_tests::failure::ensure;
use acceptance_tests::fault::{Action, Fault};
use acceptance_tests::{Explain, Result};
use serde_json::{Value, json};

use crate::stage::{Stage, refuse};

const HUB: &str = "registry-1.docker.io";

/// What a repository has, in words.
fn repository(stage: &Stage, name: &str) -> Result<BTreeMap<&'static str, String>> {
    let call = |operation: &str| stage.account.call("ecr", operation, json!({"repositoryName": name}));
    let answer =
        stage.account.call("ecr", "DescribeRepositories", json!({"repositoryNames": [name]}))?["repositories"]
            [0]
        .clone();
    let tags = stage.account.call(
        "ecr",
        "ListTagsForResource",
        json!({"resourceArn": answer["repositoryArn"]}),
    )?["tags"]
        .clone();
    let tags: Vec<&str> =
        tags.as_array().into_iter().flatten().filter_map(|tag| tag["Key"].as_str()).collect();
    let numbers = call("GetLifecyclePolicy")
        .ok()
        .and_then(|answer| {
            serde_json::from_str::<Value>(answer["lifecyclePolicyText"].as_str().unwrap_or_default()).ok()
        })
        .map(|policy| {
            let rules = policy["rules"].as_array().cloned().unwrap_or_default();
            let texts = rules.iter().map(|rule| {
                let selection = &rule["selection"];
                format!(
                    "{} {}",
                    selection["tagStatus"].as_str().unwrap_or_default(),
                    selection["countNumber"]
                )
            });
            texts.collect::<Vec<_>>().join(", ")
        });
    let policy =
        call("GetRepositoryPolicy").ok().and_then(|answer| answer["policyText"].as_str().map(str::to_owned));
    Ok(BTreeMap::from([
        ("tags", tags.join(" ")),
        ("mutability", answer["imageTagMutability"].as_str().unwrap_or_default().to_owned()),
        ("scan", answer["imageScanningConfiguration"]["scanOnPush"].to_string()),
        (
            "encryption",
            answer["encryptionConfiguration"]["encryptionType"].as_str().unwrap_or_default().to_owned(),
        ),
        ("limits", numbers.unwrap_or_default()),
        ("policy", policy.unwrap_or_default()),
    ]))
}

fn expect(stage: &Stage, name: &str, expected: &[(&'static str, &str)]) -> Result<()> {
    let seen = repository(stage, name)?;
    for (what, text) in expected {
        ensure(seen[what] == *text, || format!("{what} of {name}: {seen:?} instead of {text}"))?;
    }
    Ok(())
}

fn names(stage: &Stage) -> Result<Vec<String>> {
    let answer = stage.account.call("ecr", "DescribeRepositories", json!({}))?;
    let repositories = answer["repositories"].as_array().cloned().unwrap_or_default();
    Ok(repositories.iter().filter_map(|one| one["repositoryName"].as_str().map(str::to_owned)).collect())
}

fn push(stage: &Stage, name: &str) -> Result<()> {
    let manifest = json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "layers": [],
    });
    let parameters = json!({"repositoryName": name, "imageManifest": manifest.to_string(), "imageTag": "1"});
    stage.account.call("ecr", "PutImage", parameters).map(drop)
}

fn replication_rules(stage: &Stage) -> Result<Value> {
    let answer = stage.account.call("ecr", "DescribeRegistry", json!({}))?;
    Ok(answer["replicationConfiguration"]["rules"].clone())
}

fn scanning(stage: &Stage) -> Result<Value> {
    let answer = stage.account.call("ecr", "GetRegistryScanningConfiguration", json!({}))?;
    Ok(answer["scanningConfiguration"].clone())
}

fn filters(rule: &Value) -> Vec<String> {
    let filters = rule["repositoryFilters"].as_array().into_iter().flatten();
    filters.filter_map(|filter| filter["filter"].as_str().map(str::to_owned)).collect()
}

#[test]
fn repositories_are_made_changed_mended_imported_and_removed() -> Result<()> {
    let stage = Stage::new()?;
    let plain = json!({
        "immutable": false, "scan_on_push": false, "kms": false, "keep_images": 0, "expire_untagged_days": 7,
        "pull_account_ids": ["222233334444"],
    });
    let cluster = |repositories: Value| stage.cluster().with("image_repositories", repositories);
    let created_at = stage.made(&cluster(json!({"orders": {}, "shop/api": plain})))?;
    stage.expect_empty_plan()?;
    let marks = "terraform-provider-eks/owner terraform-provider-eks/part";
    let defaults = [
        ("tags", marks),
        ("mutability", "IMMUTABLE"),
        ("scan", "true"),
        ("encryption", "KMS"),
        ("limits", "untagged 14, any 100"),
        ("policy", ""),
    ];
    expect(&stage, "orders", &defaults)?;
    let chosen =
        [("mutability", "MUTABLE"), ("scan", "false"), ("encryption", "AES256"), ("limits", "untagged 7")];
    expect(&stage, "shop/api", &chosen)?;
    let policy = repository(&stage, "shop/api")?["policy"].clone();
    ensure(policy.contains("arn:aws:iam::222233334444:root"), || policy)?;
    let urls = stage.current()?.attributes["repository_urls"].clone();
    let url = urls["shop/api"].as_str().unwrap_or_default();
    ensure(url.ends_with(".amazonaws.com/shop/api"), || urls.to_string())?;

    stage.expect_import_to_fit()?;

    // Everything that can change, once; and what can not is refused.
    let changed = json!({
        "immutable": false, "scan_on_push": false, "keep_images": 5, "expire_untagged_days": 0,
        "pull_account_ids": ["222233334444", "333344445555"], "on_destroy": "delete",
    });
    let mut wrong = changed.clone();
    wrong["kms"] = json!(false);
    stage.configure(&cluster(json!({"orders": wrong, "shop/api": {"kms": false}})))?;
    stage.workspace.plan(&[])?.expect_exit(1)?.expect_text("never changes how a repository is encrypted")?;
    stage.configure(&cluster(json!({"orders": changed, "shop/api": {"kms": false}})))?;
    stage.apply()?;
    stage.expect_empty_plan()?;
    expect(&stage, "orders", &[("mutability", "MUTABLE"), ("scan", "false"), ("limits", "any 5")])?;
    let policy = repository(&stage, "orders")?["policy"].clone();
    ensure(policy.contains("333344445555"), || policy)?;
    let same =
        [("mutability", "IMMUTABLE"), ("scan", "true"), ("limits", "untagged 14, any 100"), ("policy", "")];
    expect(&stage, "shop/api", &same)?;

    // What somebody changed is mended.
    stage.account.call("ecr", "DeleteLifecyclePolicy", json!({"repositoryName": "orders"}))?;
    let parameters = json!({"repositoryName": "shop/api", "imageTagMutability": "MUTABLE"});
    stage.account.call("ecr", "PutImageTagMutability", parameters)?;
    stage
        .workspace
        .plan(&[])?
        .expect_exit(2)?
        .expect_text("lifecycle policy")?
        .expect_text("tag mutability")?;
    stage.apply()?;
    stage.expect_empty_plan()?;
    expect(&stage, "orders", &[("limits", "any 5")])?;
    expect(&stage, "shop/api", &same)?;

    // One goes with its image, since it says so; the other one has no image.
    push(&stage, "orders")?;
    stage.configure(&cluster(json!({"shop/api": {"kms": false}})))?;
    stage.apply()?;
    stage.expect_empty_plan()?;
    ensure(names(&stage)? == ["shop/api"], || "the repository is still there".to_owned())?;
    stage.expect_resumed(&created_at)?;
    stage.expect_destroyed_completely()
}

#[test]
fn a_repository_with_images_survives_and_the_next_cluster_takes_it_over() -> Result<()> {
    let stage = Stage::new()?;
    let cluster = stage.cluster().with("image_repositories", json!({"orders": {}, "empty": {}}));
    stage.made(&cluster)?;
    push(&stage, "orders")?;
    stage.workspace.destroy(&[])?.expect_success()?;
    let left = stage.account.leaks()?;
    ensure(left.len() == 1 && left[0].starts_with("ecr repository orders"), || left.join("\n"))?;
    expect(&stage, "orders", &[("tags", "terraform-provider-eks/retained-by"), ("encryption", "KMS")])?;

    // The other one of a pair of clusters.
    let heir = Cluster::unprotected("heir", &stage.network.subnet_ids)
        .with("image_repositories", json!({"orders": {"keep_images": 7, "on_destroy": "delete"}}));
    stage.configure(&heir)?;
    stage.apply()?;
    stage.expect_empty_plan()?;
    let marks = "terraform-provider-eks/owner terraform-provider-eks/part";
    expect(&stage, "orders", &[("tags", marks), ("limits", "untagged 14, any 7")])?;
    let images = stage.account.call("ecr", "ListImages", json!({"repositoryName": "orders"}))?;
    ensure(images["imageIds"].as_array().is_some_and(|images| images.len() == 1), || images.to_string())?;
    stage.expect_destroyed_completely()
}

#[test]
fn somebody_elses_repository_is_refused_by_name() -> Result<()> {
    let stage = Stage::new()?;
    stage.account.call("ecr", "CreateRepository", json!({"repositoryName": "orders"}))?;
    stage.account.set_baseline()?;
    let before = repository(&stage, "orders")?;
    stage.configure(&stage.cluster().with("image_repositories", json!({"orders": {}})))?;
    stage
        .workspace
        .apply(&[])?
        .expect_exit(1)?
        .expect_text("image-repository/orders")?
        .expect_text("not marked as ours")?;
    ensure(repository(&stage, "orders")? == before, || "it was changed".to_owned())?;

    // Of a cluster that exists it is refused as well, and can be taken out again.
    stage.made(&stage.cluster())?;
    stage.configure(&stage.cluster().with("image_repositories", json!({"orders": {}})))?;
    stage.workspace.apply(&[])?.expect_exit(1)?.expect_text("not marked as ours")?;
    stage.configure(&stage.cluster().with("image_repositories", json!({"stock": {}})))?;
    stage.apply()?;
    stage.expect_empty_plan()?;
    stage.workspace.destroy(&[])?.expect_success()?;
    ensure(repository(&stage, "orders")? == before, || "it was changed".to_owned())?;
    stage.expect_nothing_in_aws()
}

#[test]
fn two_clusters_and_others_share_the_registry() -> Result<()> {
    let stage = Stage::new()?;
    let theirs = json!({
        "destinations": [{"region": "us-west-2", "registryId": "222233334444"}],
        "repositoryFilters": [{"filter": "theirs", "filterType": "PREFIX_MATCH"}],
        "deleteReplication": {"enabled": true},
    });
    let parameters = json!({"replicationConfiguration": {"rules": [theirs]}});
    stage.account.call("ecr", "PutReplicationConfiguration", parameters)?;
    let theirs_scanned = json!({
        "scanFrequency": "CONTINUOUS_SCAN",
        "repositoryFilters": [{"filter": "theirs*", "filterType": "WILDCARD"}],
    });
    let parameters = json!({"scanType": "ENHANCED", "rules": [theirs_scanned]});
    stage.account.call("ecr", "PutRegistryScanningConfiguration", parameters)?;
    stage.account.set_baseline()?;

    let cluster = |name: &str, repositories: &[&str], region: &str| {
        let repositories: serde_json::Map<String, Value> =
            repositories.iter().map(|repository| ((*repository).to_owned(), json!({}))).collect();
        Cluster::unprotected(name, &stage.network.subnet_ids)
            .labelled(name)
            .with("image_repositories", Value::Object(repositories))
            .with("image_registry", json!({"enhanced_scanning": true, "replication": [{"region": region}]}))
    };
    let (blue, green) = (cluster("blue", &["orders"], "eu-west-1"), cluster("green", &["shop"], "eu-west-2"));
    let both =
        |blue: &Cluster| stage.workspace.configure(&[stage.provider.block(), blue.block(), green.block()]);
    both(&blue)?;
    stage.apply()?;
    stage.expect_empty_plan()?;
    let rules = replication_rules(&stage)?;
    ensure(rules[0] == theirs, || rules.to_string())?;
    let mut prefixes: Vec<String> = rules.as_array().into_iter().flatten().flat_map(filters).collect();
    prefixes.sort();
    ensure(prefixes == ["orders", "shop", "theirs"], || rules.to_string())?;
    let mut scanned = filters(&scanning(&stage)?["rules"][0]);
    scanned.sort();
    ensure(scanned == ["orders", "shop", "theirs*"], || format!("{scanned:?}"))?;

    // Another destination and another repository change the one rule in its place.
    both(&cluster("blue", &["orders", "stock"], "eu-west-3"))?;
    stage.apply()?;
    stage.expect_empty_plan()?;
    let rules = replication_rules(&stage)?;
    let of_blue = rules.as_array().into_iter().flatten().find(|rule| filters(rule) == ["orders", "stock"]);
    let of_blue = of_blue.explain("the rule of blue")?;
    ensure(of_blue["destinations"][0]["region"] == "eu-west-3", || rules.to_string())?;

    // What somebody put over it comes back, and theirs stays.
    let parameters = json!({"replicationConfiguration": {"rules": [theirs]}});
    stage.account.call("ecr", "PutReplicationConfiguration", parameters)?;
    stage.workspace.plan(&[])?.expect_exit(2)?.expect_text("registry-replication")?;
    stage.apply()?;
    stage.expect_empty_plan()?;
    ensure(replication_rules(&stage)?[0] == theirs, || "the rule of others was changed".to_owned())?;

    // One goes; the other's and theirs stay.
    stage.workspace.configure(&[stage.provider.block(), green.block()])?;
    stage.apply()?;
    stage.expect_empty_plan()?;
    let rules = replication_rules(&stage)?;
    let prefixes: Vec<String> = rules.as_array().into_iter().flatten().flat_map(filters).collect();
    ensure(prefixes == ["theirs", "shop"], || rules.to_string())?;
    ensure(filters(&scanning(&stage)?["rules"][0]) == ["theirs*", "shop"], || "scanning".to_owned())?;
    stage.workspace.destroy(&[])?.expect_success()?;
    ensure(replication_rules(&stage)? == json!([theirs]), || "the rule of others was changed".to_owned())?;
    ensure(scanning(&stage)?["rules"] == json!([theirs_scanned]), || "scanning".to_owned())?;
    stage.expect_nothing_in_aws()
}

#[test]
fn an_import_reads_the_registry_back() -> Result<()> {
    let stage = Stage::new()?;
    let key = stage.account.call("kms", "CreateKey", json!({}))?["KeyMetadata"]["Arn"].clone();
    stage.account.set_baseline()?;
    let registry = json!({
        "enhanced_scanning": true,
        "replication": [{"region": "eu-west-1"}, {"region": "eu-west-1", "account_id": "222233334444"}],
    });
    let repositories = json!({"orders": {}, "shop__api--v1": {"kms_key_arn": key}});
    let cluster = stage.cluster().with("image_repositories", repositories).with("image_registry", registry);
    stage.made(&cluster)?;
    stage.expect_import_to_fit()?;
    // A registry without rules was switched to enhanced scanning, and is switched back.
    stage.expect_destroyed_completely()
}

#[test]
fn rules_that_fetch_are_shared_made_and_refused() -> Result<()> {
    let stage = Stage::new()?;
    let parameters = json!({"Name": "ecr-pullthroughcache/hub", "SecretString": "{}"});
    let secret = stage.account.call("secretsmanager", "CreateSecret", parameters)?["ARN"].clone();
    let public = json!({"ecrRepositoryPrefix": "public", "upstreamRegistryUrl": "public.ecr.aws"});
    stage.account.call("ecr", "CreatePullThroughCacheRule", public)?;
    stage.account.set_baseline()?;
    let cluster = |rules: Value| stage.cluster().with("image_registry", json!({"pull_through": rules}));
    let hub = json!({"upstream": HUB, "credential_arn": secret});
    let fault = stage.account.inject(&Fault::new(Action::ResetAfter).at("ecr:CreatePullThroughCacheRule"))?;
    stage.made(&cluster(json!({"public": {"upstream": "public.ecr.aws"}, "hub": hub})))?;
    ensure(fault.fired()? > 0, || "no answer was lost".to_owned())?;
    fault.clear()?;
    stage.expect_empty_plan()?;

    // What is shared is not changed, and what is made here is.
    stage.configure(&cluster(json!({"public": {"upstream": "quay.io"}, "hub": hub})))?;
    stage.workspace.apply(&[])?.expect_exit(1)?.expect_text("shared with others")?;
    let rules = json!({"public": {"upstream": "public.ecr.aws"}, "hub": {"upstream": "quay.io"}});
    stage.configure(&cluster(rules))?;
    stage.apply()?;
    stage.expect_empty_plan()?;
    let answer = stage.account.call("ecr", "DescribePullThroughCacheRules", json!({}))?;
    let urls: Vec<&str> = answer["pullThroughCacheRules"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|rule| rule["upstreamRegistryUrl"].as_str())
        .collect();
    ensure(urls == ["quay.io", "public.ecr.aws"], || answer.to_string())?;
    stage.expect_destroyed_completely()
}

#[test]
fn a_rule_that_a_killed_create_has_made_goes_with_the_cluster() -> Result<()> {
    let stage = Stage::new()?;
    let rules = json!({"public": {"upstream": "public.ecr.aws"}});
    let cluster = stage.cluster().with("image_registry", json!({"pull_through": rules}));
    stage.configure(&cluster)?;
    stage.kill_at(&["apply", "-auto-approve"], "ecr:CreatePullThroughCacheRule")?;
    stage.apply()?;
    let current = stage.expect_ready()?;
    let role = current.attributes["cluster_role_arn"].as_str().explain("the role's ARN")?.to_owned();
    let name = role.rsplit('/').next().explain("the role's name")?;
    let tags = stage.account.call("iam", "ListRoleTags", json!({"RoleName": name}))?;
    let of_rule = |tag: &&Value| tag["Key"].as_str().is_some_and(|key| key.ends_with("cache-rule/public"));
    let mark = tags["Tags"].as_array().into_iter().flatten().find(of_rule).explain("the mark of the rule")?;
    ensure(mark["Value"].as_str().is_some_and(|value| value.starts_with("made ")), || mark.to_string())?;
    stage.expect_import_to_fit()?;
    stage.expect_destroyed_completely()
}

#[test]
fn a_cluster_without_images_needs_no_permission_for_them() -> Result<()> {
    let stage = Stage::new()?;
    let fault = stage.account.inject(&refuse("ecr:*"))?;
    stage.made(&stage.cluster())?;
    stage.expect_empty_plan()?;
    stage.expect_import_to_fit()?;
    ensure(fault.fired()? > 0, || "nobody asked".to_owned())?;
    stage.expect_destroyed_completely()
}

#[test]
fn lost_answers_leave_one_of_each() -> Result<()> {
    let stage = Stage::new()?;
    let calls = [
        "CreateRepository",
        "PutLifecyclePolicy",
        "SetRepositoryPolicy",
        "PutReplicationConfiguration",
        "PutRegistryScanningConfiguration",
    ];
    for call in calls {
        stage.account.inject(&Fault::new(Action::ResetAfter).at(&format!("ecr:{call}")))?;
    }
    let repositories = json!({"orders": {"pull_account_ids": ["222233334444"]}});
    let registry = json!({"enhanced_scanning": true, "replication": [{"region": "eu-west-1"}]});
    let cluster = stage.cluster().with("image_repositories", repositories).with("image_registry", registry);
    stage.made(&cluster)?;
    stage.account.clear_faults()?;
    stage.expect_empty_plan()?;
    ensure(names(&stage)? == ["orders"], || "not one repository".to_owned())?;
    for call in ["DeleteRepository", "PutReplicationConfiguration", "PutRegistryScanningConfiguration"] {
        stage.account.inject(&Fault::new(Action::ResetAfter).at(&format!("ecr:{call}")))?;
    }
    stage.expect_destroyed_completely()
}

#[test]
fn a_killed_create_goes_on_with_its_repositories() -> Result<()> {
    let stage = Stage::new()?;
    let registry = json!({"enhanced_scanning": true, "replication": [{"region": "eu-west-1"}]});
    let cluster =
        stage.cluster().with("image_repositories", json!({"orders": {}})).with("image_registry", registry);
    stage.configure(&cluster)?;
    stage.kill_at(&["apply", "-auto-approve", "-input=false"], "ecr:PutReplicationConfiguration")?;
    stage.apply()?;
    stage.expect_ready()?;
    stage.expect_empty_plan()?;
    ensure(replication_rules(&stage)?.as_array().is_some_and(|rules| rules.len() == 1), || {
        "rules".to_owned()
    })?;
    stage.expect_destroyed_completely()
}
