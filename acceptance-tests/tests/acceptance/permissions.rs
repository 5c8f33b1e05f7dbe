//! The published policies: enough for everything, and nothing in them is for nothing.

use std::collections::BTreeSet;

use acceptance_tests::configuration::{Cluster, Provider};
use acceptance_tests::failure::ensure;
use acceptance_tests::permissions::Published;
use acceptance_tests::{Explain, Failure, Result};
use serde_json::{Value, json};

use crate::stage::{NAME, Stage, refuse};

/// Allowed to everybody, so in no policy.
const ALWAYS_ALLOWED: &str = "sts:GetCallerIdentity";

/// Everything a cluster can have that makes a difference to the calls.
fn rich(stage: &Stage) -> Cluster {
    let groups = json!({"general": {}, "more": {"purpose": "spot", "min_size": 1, "max_size": 2}});
    let ops = format!("arn:aws:iam::{}:role/ops", stage.account.id());
    let entries = json!({"ops": {"principal_arn": ops, "preset": "operator"}});
    stage.cluster().with("node_groups", groups).with("access_entries", entries)
}

/// A role of the account that is no part of the cluster.
fn make_role_of_operators(stage: &Stage) -> Result<()> {
    stage.account.role_of_nobody("ops")?;
    stage.account.set_baseline()
}

/// From here on, what the guide says word for word.
fn enforce(stage: &Stage, documents: &[Value]) -> Result<()> {
    stage.account.allow_only(&Published::fitted(documents, &stage.account)?)
}

#[test]
fn the_published_policies_suffice_from_create_to_destroy() -> Result<()> {
    let published = Published::read()?;
    let stage = Stage::new()?;
    make_role_of_operators(&stage)?;
    enforce(&stage, &published.apply)?;
    let cluster = rich(&stage);
    let created_at = stage.made(&cluster)?;
    stage.expect_empty_plan()?;
    for (argument, value) in [
        ("tags", json!({"team": "platform"})),
        ("tags", Value::Null),
        ("logging", json!({"retention_days": 731})),
        ("node_groups", json!({"general": {"disk_gib": 60, "labels": {"tier": "one"}}})),
        ("access_entries", Value::Null),
        ("addons", json!({"coredns": {"enabled": false}})),
    ] {
        stage.configure(&cluster.clone().with(argument, value.clone()))?;
        stage.apply().map_err(|failure| Failure::new(format!("{argument} = {value}: {failure}")))?;
        stage.expect_resumed(&created_at)?;
    }
    stage.configure(&stage.cluster())?;
    stage.apply()?;
    stage.expect_import_to_fit()?;
    stage.expect_destroyed_completely()
}

#[test]
fn the_published_policies_suffice_for_a_resume() -> Result<()> {
    let stage = Stage::new()?;
    enforce(&stage, &Published::read()?.apply)?;
    let created_at = stage.half_made(&stage.cluster())?;
    stage.apply()?;
    stage.expect_resumed(&created_at)?;
    stage.expect_destroyed_completely()
}

#[test]
fn the_published_policies_do_not_suffice_for_another_cluster() -> Result<()> {
    let stage = Stage::new()?;
    enforce(&stage, &Published::read()?.apply)?;
    stage.configure(&stage.cluster().with("name", json!("other")))?;
    stage.workspace.apply(&[])?.expect_exit(1)?.expect_text("is not authorized to perform")?;
    let journal = stage.account.journal()?;
    let changed: Vec<_> = journal.mutating().into_iter().filter(|call| call.succeeded()).collect();
    ensure(changed.is_empty(), || format!("{changed:?}"))
}

#[test]
fn the_published_policies_for_plan_suffice_to_plan_and_refresh() -> Result<()> {
    let published = Published::read()?;
    let stage = Stage::new()?;
    enforce(&stage, &published.plan)?;
    stage.configure(&stage.cluster())?;
    stage.expect_plan("1 to add, 0 to change, 0 to destroy")?;
    enforce(&stage, &published.apply)?;
    stage.made(&stage.cluster())?;
    enforce(&stage, &published.plan)?;
    stage.expect_empty_plan()?;
    stage.workspace.plan(&["-refresh-only"])?.expect_exit(0)?;
    let changed = stage.cluster().with("node_groups", json!({"general": {"disk_gib": 60}, "more": {}}));
    stage.configure(&changed)?;
    stage.expect_plan("0 to add, 1 to change, 0 to destroy")?;
    stage.workspace.apply(&[])?.expect_exit(1)?.expect_text("is not authorized to perform")?;
    enforce(&stage, &published.apply)?;
    stage.apply()?;
    stage.expect_destroyed_completely()
}

/// What somebody does behind the provider's back.
fn behind(stage: &Stage, service: &str, operation: &str, parameters: Value) -> Result<Value> {
    stage.account.call(service, operation, parameters)
}

/// Changes of the configuration, each applied.
fn change_the_configuration(stage: &mut Stage, cluster: &Cluster) -> Result<()> {
    let addons = json!({"coredns": {"configuration_values": "{\"replicaCount\":3}"}});
    let ops = format!("arn:aws:iam::{}:role/ops", stage.account.id());
    let entry = |preset: &str, groups: &[&str]| json!({"ops": {"principal_arn": ops, "preset": preset, "kubernetes_groups": groups}});
    for (argument, value) in [
        ("tags", json!({"team": "platform"})),
        ("tags", Value::Null),
        ("addons", addons),
        ("access_entries", entry("operator", &["auditors"])),
        ("access_entries", entry("viewer", &["auditors"])),
        ("access_entries", Value::Null),
        ("node_groups", json!({"general": {"disk_gib": 60}})),
        ("node_groups", json!({"general": {"labels": {"tier": "one"}}})),
        ("upgrade_policy", json!({"support_type": "EXTENDED"})),
    ] {
        let waivers = json!({"deletion-protection-off": "tests", "extended-support": "tests"});
        stage.configure(&cluster.clone().with("waivers", waivers).with(argument, value.clone()))?;
        stage.apply().map_err(|failure| Failure::new(format!("{argument} = {value}: {failure}")))?;
    }
    let bounded = Provider::of(&stage.account)
        .with("iam_permissions_boundary_arn", json!("arn:aws:iam::aws:policy/ReadOnlyAccess"));
    for provider in [bounded, Provider::of(&stage.account)] {
        stage.provider = provider;
        stage.configure(cluster)?;
        stage.apply()?;
    }
    Ok(())
}

fn look_at_all_owners(stage: &Stage, cluster: &Cluster) -> Result<()> {
    stage.configure_with(cluster, "data \"eks_owned_objects\" \"all\" {}\n")?;
    stage.apply().map(drop)
}

/// Drift of roles and keys, mended by one apply after each round.
fn drift(stage: &Stage) -> Result<()> {
    let current = stage.current()?;
    let key = current.text("kms_key_arn").to_owned();
    let group = current.text("log_group_name").to_owned();
    let role = current.text("node_role_arn").rsplit('/').next().unwrap_or_default().to_owned();
    let aliases = behind(stage, "kms", "ListAliases", json!({"KeyId": key}))?["Aliases"].clone();
    let alias = aliases[0]["AliasName"].clone();
    let other = behind(stage, "kms", "CreateKey", json!({}))?["KeyMetadata"]["KeyId"].clone();
    stage.account.set_baseline()?;
    let trust = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "eks.amazonaws.com"}
    }]});
    let nothing = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"
    }]});
    let root = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": "kms:*", "Resource": "*",
        "Principal": {"AWS": format!("arn:aws:iam::{}:root", stage.account.id())},
    }]});
    let foreign = json!({"RoleName": role, "PolicyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"});
    let inline = json!({"RoleName": role, "PolicyName": "x", "PolicyDocument": nothing.to_string()});
    for (service, operation, parameters) in [
        ("iam", "AttachRolePolicy", foreign),
        ("iam", "PutRolePolicy", inline),
        ("iam", "UpdateAssumeRolePolicy", json!({"RoleName": role, "PolicyDocument": trust.to_string()})),
        ("kms", "UpdateAlias", json!({"AliasName": alias, "TargetKeyId": other})),
        ("logs", "DisassociateKmsKey", json!({"logGroupName": group})),
    ] {
        behind(stage, service, operation, parameters)?;
    }
    stage.apply()?;
    behind(stage, "kms", "DisableKeyRotation", json!({"KeyId": key}))?;
    behind(stage, "kms", "PutKeyPolicy", json!({"KeyId": key, "Policy": root.to_string()}))?;
    behind(stage, "kms", "DisableKey", json!({"KeyId": key}))?;
    stage.apply()?;
    behind(stage, "kms", "ScheduleKeyDeletion", json!({"KeyId": key, "PendingWindowInDays": 7}))?;
    stage.apply()?;
    stage.expect_empty_plan()
}

/// A cluster with a key of the user's, on which the log group must not stand, and IPv6.
fn own_key(stage: &Stage) -> Result<()> {
    let principal = json!({"AWS": format!("arn:aws:iam::{}:root", stage.account.id())});
    let logs = json!({"Service": format!("logs.{}.amazonaws.com", stage.account.region())});
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "kms:*", "Resource": "*", "Principal": principal},
        {"Effect": "Allow", "Action": "kms:*", "Resource": "*", "Principal": logs},
    ]});
    let made = behind(stage, "kms", "CreateKey", json!({"Policy": policy.to_string()}))?;
    let key = made["KeyMetadata"]["Arn"].clone();
    stage.account.set_baseline()?;
    let cluster = stage
        .cluster()
        .with("kubernetes_network", json!({"ip_family": "ipv6"}))
        .with("encryption", json!({"kms_key_arn": key}));
    stage.made(&cluster)?;
    let group = stage.current()?.text("log_group_name").to_owned();
    behind(stage, "logs", "AssociateKmsKey", json!({"logGroupName": group, "kmsKeyId": key}))?;
    stage.apply()?;
    stage.expect_empty_plan()?;
    stage.expect_destroyed_completely()
}

/// A cluster that is ours and has no encryption yet: somebody finished by hand what a run had begun.
fn without_encryption(stage: &Stage) -> Result<()> {
    stage.configure(&stage.cluster())?;
    let fault = stage.account.inject(&refuse("eks:CreateCluster"))?;
    stage.workspace.apply(&[])?.expect_exit(1)?;
    fault.clear()?;
    let roles = behind(stage, "iam", "ListRoles", json!({"PathPrefix": "/eks/"}))?["Roles"].clone();
    let is_of_cluster = |role: &&Value| {
        let name = role["RoleName"].as_str().unwrap_or_default();
        name.starts_with(&format!("{NAME}-cluster-"))
    };
    let role = roles.as_array().into_iter().flatten().find(is_of_cluster).explain("the cluster's role")?;
    let tags = json!({
        "terraform-provider-eks/owner": format!("eks_production_cluster/{}/{NAME}", stage.account.region()),
        "terraform-provider-eks/part": "cluster",
        "terraform-provider-eks/generation": "by-hand",
        "terraform-provider-eks/status": "incomplete",
    });
    let parameters = json!({
        "name": NAME,
        "version": "1.35",
        "roleArn": role["Arn"],
        "resourcesVpcConfig": {"subnetIds": stage.network.subnet_ids, "endpointPrivateAccess": true},
        "accessConfig": {"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": false},
        "bootstrapSelfManagedAddons": false,
        "tags": tags,
    });
    behind(stage, "eks", "CreateCluster", parameters)?;
    stage.apply()?;
    stage.expect_ready()?;
    stage.expect_empty_plan()?;
    stage.expect_destroyed_completely()
}

/// Images, alarms, identities of controllers and tags of subnets, each made, changed and taken away.
fn beside_the_cluster(stage: &Stage) -> Result<()> {
    let emergency = stage.account.role_of_nobody("emergency")?;
    let trust = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": ["sts:AssumeRole", "sts:TagSession"],
        "Principal": {"Service": "pods.eks.amazonaws.com"},
    }]});
    let parameters = json!({"RoleName": "of-pods", "AssumeRolePolicyDocument": trust.to_string()});
    let of_pods = behind(stage, "iam", "CreateRole", parameters)?["Role"]["Arn"].clone();
    let mut secrets = Vec::new();
    for name in ["one", "two"] {
        let parameters = json!({"Name": format!("ecr-pullthroughcache/{name}"), "SecretString": "{}"});
        secrets.push(behind(stage, "secretsmanager", "CreateSecret", parameters)?["ARN"].clone());
    }
    stage.account.set_baseline()?;
    let registry = |secret: &Value| {
        let hub = json!({"upstream": "registry-1.docker.io", "credential_arn": secret});
        json!({
            "enhanced_scanning": true,
            "replication": [{"region": "eu-west-1"}],
            "pull_through": {"hub": hub},
        })
    };
    let cluster = stage
        .cluster()
        .with("break_glass", json!({"principal_arn": emergency}))
        .with("load_balancer_controller", json!({"enabled": true}))
        .with("tag_subnets", json!(true))
        .with("image_repositories", json!({"shop/api": {"pull_account_ids": ["222222222222"]}}))
        .with("image_registry", registry(&secrets[0]));
    stage.made(&cluster)?;
    let repositories = json!({"shop/api": {
        "immutable": false, "scan_on_push": false, "keep_images": 0, "expire_untagged_days": 0,
    }});
    for (argument, value) in [
        ("tags", json!({"team": "platform"})),
        ("tags", Value::Null),
        ("image_repositories", repositories),
        ("image_registry", registry(&secrets[1])),
    ] {
        stage.configure(&cluster.clone().with(argument, value.clone()))?;
        stage.apply().map_err(|failure| Failure::new(format!("{argument} = {value}: {failure}")))?;
    }
    let answer = behind(stage, "eks", "ListPodIdentityAssociations", json!({"clusterName": NAME}))?;
    let own = answer["associations"].as_array().into_iter().flatten().find(|one| one["ownerArn"].is_null());
    let id = own.explain("an association")?["associationId"].clone();
    let parameters = json!({"clusterName": NAME, "associationId": id, "roleArn": of_pods});
    behind(stage, "eks", "UpdatePodIdentityAssociation", parameters)?;
    stage.apply()?;
    stage.expect_destroyed_completely()
}

/// What the provider called in an account, named as in policies.
fn seen(stage: &Stage) -> Result<BTreeSet<String>> {
    let journal = stage.account.journal()?;
    let actions = journal.calls.iter().map(|call| call.action().replace("monitoring:", "cloudwatch:"));
    Ok(actions.filter(|action| action != ALWAYS_ALLOWED).collect())
}

/// That nothing else is ever called is proved by all tests together: no account allows more.
#[test]
fn every_published_operation_is_called_and_no_other() -> Result<()> {
    let mut stage = Stage::new()?;
    make_role_of_operators(&stage)?;
    // Endpoints are looked at where a subnet has no way out.
    let table = json!({"VpcId": stage.network.vpc_id});
    let table = stage.account.call("ec2", "CreateRouteTable", table)?["RouteTable"]["RouteTableId"].clone();
    let association = json!({"RouteTableId": table, "SubnetId": stage.network.subnet_ids[0]});
    stage.account.call("ec2", "AssociateRouteTable", association)?;
    stage.account.set_baseline()?;
    let cluster = rich(&stage);
    stage.made(&cluster)?;
    look_at_all_owners(&stage, &cluster)?;
    change_the_configuration(&mut stage, &cluster)?;
    drift(&stage)?;
    stage.expect_destroyed_completely()?;
    let others = [Stage::new()?, Stage::new()?, Stage::new()?];
    own_key(&others[0])?;
    without_encryption(&others[1])?;
    beside_the_cluster(&others[2])?;
    let mut called = seen(&stage)?;
    for other in &others {
        called.extend(seen(other)?);
    }
    let published = Published::read()?.called;
    let never_called: Vec<&String> = published.difference(&called).collect();
    let not_published: Vec<&String> = called.difference(&published).collect();
    ensure(never_called.is_empty() && not_published.is_empty(), || {
        format!("published and never called: {never_called:?}; called and not published: {not_published:?}")
    })
}
