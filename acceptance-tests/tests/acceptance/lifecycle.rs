//! A cluster from its first plan to its destruction.

use acceptance_tests::command_line::CommandLine;
use acceptance_tests::configuration::{CLUSTER, Provider, REASON};
use acceptance_tests::failure::ensure;
use acceptance_tests::workspace::{Installation, Workspace};
use acceptance_tests::{Explain, Result};
use serde_json::{Value, json};

use crate::stage::{NAME, Stage, on_each_command_line};

#[test]
fn four_arguments_make_a_production_cluster() -> Result<()> {
    on_each_command_line(|stage| {
        stage.made(&stage.protected_cluster())?;
        stage.expect_empty_plan()?;
        stage.workspace.plan(&["-refresh-only"])?.expect_exit(0)?;
        let cluster = stage.account.call("eks", "DescribeCluster", json!({"name": NAME}))?["cluster"].clone();
        ensure(cluster["status"] == "ACTIVE" && cluster["version"] == "1.35", || cluster.to_string())?;
        ensure(cluster["deletionProtection"] == json!(true), || cluster.to_string())?;
        ensure(!cluster["encryptionConfig"].is_null(), || cluster.to_string())?;
        stage.workspace.destroy(&[])?.expect_exit(1)?.expect_text("EKS0011")?;
        stage.configure(&stage.cluster())?;
        stage.apply()?.expect_text("0 added, 1 changed, 0 destroyed")?;
        stage.expect_destroyed_completely()
    })
}

#[test]
fn numbers_are_no_change_of_a_refresh() -> Result<()> {
    on_each_command_line(|stage| {
        let groups = json!({"general": {"min_size": 2, "max_size": 4}});
        let cluster =
            stage.cluster().with("node_groups", groups).with("logging", json!({"retention_days": 731}));
        stage.made(&cluster)?;
        stage.workspace.plan(&["-refresh-only"])?.expect_exit(0)?;
        stage.expect_destroyed_completely()
    })
}

#[test]
fn init_from_a_mirror_then_plan_and_apply() -> Result<()> {
    let mut stage = Stage::new()?;
    stage.workspace = Workspace::new(&CommandLine::terraform(), Installation::Mirror)?;
    stage.configure(&stage.cluster())?;
    stage.workspace.run(&["init"])?.expect_success()?.expect_text("successfully initialized")?;
    stage.workspace.run(&["validate"])?.expect_success()?;
    stage.apply()?;
    stage.expect_ready()?;
    stage.expect_empty_plan()?;
    stage.expect_destroyed_completely()
}

#[test]
fn the_first_plan_names_every_part_and_what_it_will_be() -> Result<()> {
    let stage = Stage::new()?;
    stage.configure(&stage.protected_cluster())?;
    let (plan, run) = stage.workspace.plan_file(&[])?;
    run.expect_exit(2)?;
    let change = plan.change(CLUSTER).explain("the cluster is not planned")?;
    for key in
        ["cluster", "iam-role/cluster", "iam-role/node", "log-group/control-plane", "node-group/general"]
    {
        let spec = change["after"]["parts"][key]["spec"].as_str().unwrap_or_default();
        ensure(!spec.is_empty(), || format!("{key} has no spec in {change:#}"))?;
    }
    let unknown = &change["after_unknown"]["parts"]["cluster"]["state"];
    ensure(*unknown == json!(true), || format!("{change:#}"))?;
    stage.expect_nothing_in_aws()
}

#[test]
fn planning_needs_no_more_than_reading() -> Result<()> {
    let mut stage = Stage::new()?;
    stage.made(&stage.cluster())?;
    stage.provider = Provider::that_only_reads(&stage.account);
    stage.configure(&stage.cluster())?;
    let mark = stage.account.mark()?;
    stage.expect_empty_plan()?;
    stage.configure(&stage.cluster().with("tags", json!({"team": "platform"})))?;
    stage.workspace.plan(&[])?.expect_exit(2)?;
    let journal = stage.account.journal_since(mark)?;
    ensure(journal.mutating().is_empty(), || journal.text())?;
    stage.provider = Provider::of(&stage.account);
    stage.configure(&stage.cluster())?;
    stage.expect_destroyed_completely()
}

#[test]
fn arguments_may_be_unknown_until_apply() -> Result<()> {
    on_each_command_line(|stage| {
        let input = |name: &str, value: Value| {
            format!("resource \"terraform_data\" \"{name}\" {{\n  input = {value}\n}}\n")
        };
        let blocks = [
            input("subnets", json!(stage.network.subnet_ids)),
            input("groups", json!({"general": {}})),
            input("tags", json!({"team": "platform"})),
        ];
        let cluster = stage
            .cluster()
            .with_expression("subnet_ids", "terraform_data.subnets.output")
            .with_expression("node_groups", "terraform_data.groups.output")
            .with_expression("tags", "terraform_data.tags.output");
        stage.configure_with(&cluster, &blocks.concat())?;
        stage.expect_plan("4 to add, 0 to change, 0 to destroy")?;
        stage.apply()?;
        stage.expect_ready()?;
        stage.expect_empty_plan()?;
        stage.expect_destroyed_completely()
    })
}

/// Each change, and the attributes its plan may show beside `status` and `parts`.
fn updates() -> Vec<(&'static str, Value, &'static [&'static str])> {
    let addons = |values: &str| json!({"coredns": {"configuration_values": values}});
    vec![
        ("tags", json!({"team": "platform"}), &["tags", "tags_all"]),
        ("tags", json!({"team": "data", "cost": "1"}), &["tags", "tags_all"]),
        ("tags", Value::Null, &["tags", "tags_all"]),
        ("logging", json!({"retention_days": 731}), &["logging"]),
        ("logging", json!({"types": ["audit", "authenticator"], "retention_days": 731}), &["logging"]),
        ("logging", Value::Null, &["logging"]),
        (
            "endpoint_access",
            json!({"public": true, "public_cidrs": ["203.0.113.0/24"]}),
            &["endpoint_access"],
        ),
        ("endpoint_access", Value::Null, &["endpoint_access"]),
        ("node_groups", json!({"general": {"min_size": 4, "max_size": 8}}), &["node_groups"]),
        ("node_groups", json!({"general": {"labels": {"tier": "one"}}}), &["node_groups"]),
        (
            "node_groups",
            json!({"general": {"taints": [{"key": "a", "value": "b", "effect": "PREFER_NO_SCHEDULE"}]}}),
            &["node_groups"],
        ),
        ("node_groups", json!({"general": {"instance_types": ["m6i.large"]}}), &["node_groups"]),
        ("node_groups", json!({"general": {}, "more": {"min_size": 1, "max_size": 2}}), &["node_groups"]),
        ("node_groups", json!({"general": {}}), &["node_groups"]),
        ("addons", addons("{\"replicaCount\":3}"), &["addons"]),
        ("addons", json!({"coredns": {"enabled": false}}), &["addons", "addon_versions"]),
        ("addons", Value::Null, &["addons", "addon_versions"]),
        ("observability", json!({"alarms": {"node_cpu": {"threshold": 70}}}), &["observability"]),
        ("observability", json!({"container_insights": false}), &["addon_versions", "observability"]),
        ("observability", Value::Null, &["addon_versions", "observability"]),
        ("upgrade_policy", json!({"support_type": "EXTENDED"}), &["upgrade_policy"]),
        ("upgrade_policy", Value::Null, &["upgrade_policy"]),
    ]
}

#[test]
fn every_kind_of_update_shows_itself_alone_and_leaves_an_empty_plan() -> Result<()> {
    let stage = Stage::new()?;
    let waivers =
        json!({"deletion-protection-off": REASON, "extended-support": REASON, "logs-incomplete": REASON});
    let mut cluster = stage.cluster().with("waivers", waivers);
    let created_at = stage.made(&cluster)?;
    for (argument, value, shown) in updates() {
        cluster = cluster.with(argument, value.clone());
        stage.configure(&cluster)?;
        let (plan, run) = stage.workspace.plan_file(&[])?;
        run.expect_exit(2)?;
        let allowed =
            |name: &String| shown.contains(&name.as_str()) || name == "status" || name.starts_with("parts.");
        let surprises: Vec<String> =
            plan.touched(CLUSTER).into_iter().filter(|name| !allowed(name)).collect();
        ensure(surprises.is_empty(), || format!("{argument} = {value} also changes {surprises:?}"))?;
        stage.workspace.run(&["apply", "plan.bin"])?.expect_success()?;
        stage.expect_resumed(&created_at).map_err(|failure| {
            acceptance_tests::Failure::new(format!("after {argument} = {value}: {failure}"))
        })?;
    }
    stage.expect_destroyed_completely()
}

#[test]
fn import_takes_the_whole_family() -> Result<()> {
    on_each_command_line(|stage| {
        let groups = json!({"general": {}, "more": {"min_size": 1, "max_size": 2}});
        let cluster = stage.cluster().with("node_groups", groups);
        let created_at = stage.made(&cluster)?;
        stage.workspace.run(&["state", "rm", CLUSTER])?.expect_success()?;
        stage
            .workspace
            .run(&["import", CLUSTER, &format!("{NAME}@{}", stage.account.region())])?
            .expect_success()?;
        stage.expect_ready()?;
        let mark = stage.account.mark()?;
        // Arguments that AWS does not know show once; nothing is changed there.
        stage.apply()?;
        let journal = stage.account.journal_since(mark)?;
        ensure(journal.mutating().is_empty(), || journal.text())?;
        stage.expect_resumed(&created_at)?;
        stage.expect_destroyed_completely()
    })
}

#[test]
fn there_is_nothing_to_import_under_a_wrong_name() -> Result<()> {
    let stage = Stage::new()?;
    stage.configure(&stage.cluster())?;
    stage.workspace.run(&["import", CLUSTER, "nothing"])?.expect_exit(1)?.expect_text("EKS0018").map(drop)
}

#[test]
fn mistakes_are_found_before_anything_is_made() -> Result<()> {
    let stage = Stage::new()?;
    let mistakes = [
        stage.protected_cluster().with("deletion_protection", json!(false)),
        stage
            .protected_cluster()
            .with("endpoint_access", json!({"public": true, "public_cidrs": ["0.0.0.0/0"]})),
        stage.protected_cluster().with("waivers", json!({"no-such-rule": "because"})),
        stage.protected_cluster().with("waivers", json!({"deletion-protection-off": ""})),
        stage.protected_cluster().with("node_groups", json!({"general": {"min_size": 5, "max_size": 2}})),
        stage.protected_cluster().with("node_groups", Value::Null),
        stage.protected_cluster().with("kubernetes_version", json!("1")),
        stage.protected_cluster().with("name", json!("no spaces")),
    ];
    for cluster in mistakes {
        stage.configure(&cluster)?;
        let run = stage.workspace.plan(&[])?;
        ensure(run.exit_code == 1, || format!("accepted: {}\n{}", cluster.block(), run.text()))?;
    }
    let journal = stage.account.journal()?;
    ensure(journal.mutating().is_empty(), || journal.text())
}

#[test]
fn what_cannot_change_is_refused_by_name() -> Result<()> {
    let stage = Stage::new()?;
    let created_at = stage.made(&stage.cluster())?;
    let key = "arn:aws:kms:eu-central-1:111122223333:key/11111111-2222-3333-4444-555555555555";
    for (argument, value) in [
        ("encryption", json!({"kms_key_arn": key})),
        ("logging", json!({"class": "INFREQUENT_ACCESS"})),
        ("region", json!("eu-west-1")),
        ("name", json!("other")),
    ] {
        stage.configure(&stage.cluster().with(argument, value))?;
        stage.workspace.plan(&[])?.expect_exit(1)?.expect_text("EKS0012")?.expect_text(argument)?;
    }
    stage.configure(&stage.cluster())?;
    stage.expect_resumed(&created_at)?;
    stage.expect_destroyed_completely()
}

#[test]
fn adding_and_removing_node_groups_and_add_ons_ends_where_it_began() -> Result<()> {
    on_each_command_line(|stage| {
        let created_at = stage.made(&stage.cluster())?;
        let list = || -> Result<(Value, Value)> {
            let groups = stage.account.call("eks", "ListNodegroups", json!({"clusterName": NAME}))?;
            let addons = stage.account.call("eks", "ListAddons", json!({"clusterName": NAME}))?;
            Ok((groups["nodegroups"].clone(), addons["addons"].clone()))
        };
        let before = list()?;
        let more = stage
            .cluster()
            .with("node_groups", json!({"general": {}, "extra": {"min_size": 1, "max_size": 2}}))
            .with("addons", json!({"coredns": {"enabled": false}}));
        stage.configure(&more)?;
        stage.apply()?;
        stage.expect_resumed(&created_at)?;
        let between = list()?;
        ensure(before.0 != between.0, || format!("{between:?}"))?;
        stage.configure(&stage.cluster())?;
        stage.apply()?;
        stage.expect_resumed(&created_at)?;
        let after = list()?;
        ensure(before == after, || format!("before {before:?}, after {after:?}"))?;
        stage.expect_destroyed_completely()
    })
}
