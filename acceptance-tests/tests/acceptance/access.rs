//! Who may do what in the cluster.

use acceptance_tests::account::Account;
use acceptance_tests::failure::ensure;
use acceptance_tests::{Explain, Result};
use serde_json::{Value, json};

use crate::stage::{NAME, Stage};

/// A role of the account that is no part of the cluster.
fn role(stage: &Stage, name: &str) -> Result<String> {
    let trust = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ec2.amazonaws.com"}
    }]});
    let parameters = json!({"RoleName": name, "AssumeRolePolicyDocument": trust.to_string()});
    let made = stage.account.call("iam", "CreateRole", parameters)?;
    made["Role"]["Arn"].as_str().map(str::to_owned).explain("the role's ARN")
}

/// Policy names and namespaces of a principal's entry.
fn policies(account: &Account, principal: &str) -> Result<Vec<(String, Vec<String>)>> {
    let parameters = json!({"clusterName": NAME, "principalArn": principal});
    let answer = account.call("eks", "ListAssociatedAccessPolicies", parameters)?;
    let policy = |policy: &Value| {
        let arn = policy["policyArn"].as_str().unwrap_or_default();
        let namespaces = policy["accessScope"]["namespaces"].as_array().cloned().unwrap_or_default();
        let names = namespaces.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect();
        (arn.rsplit('/').next().unwrap_or_default().to_owned(), names)
    };
    Ok(answer["associatedAccessPolicies"].as_array().into_iter().flatten().map(policy).collect())
}

fn expect_policies(stage: &Stage, principal: &str, expected: &[(&str, &[&str])]) -> Result<()> {
    let seen = policies(&stage.account, principal)?;
    let expected: Vec<(String, Vec<String>)> = expected
        .iter()
        .map(|(policy, namespaces)| {
            ((*policy).to_owned(), namespaces.iter().map(|name| (*name).to_owned()).collect())
        })
        .collect();
    ensure(seen == expected, || format!("{principal}: {seen:?} instead of {expected:?}"))
}

#[test]
fn entries_are_made_changed_swapped_imported_and_removed() -> Result<()> {
    let stage = Stage::new()?;
    let (ops, team, emergency) = (role(&stage, "ops")?, role(&stage, "team")?, role(&stage, "emergency")?);
    stage.account.set_baseline()?;
    let cluster = |entries: Value| {
        stage
            .cluster()
            .with("access_entries", entries)
            .with("break_glass", json!({"principal_arn": emergency}))
    };
    let entries = json!({
        "ops": {"principal_arn": ops, "preset": "operator"},
        "team": {"principal_arn": team, "preset": "developer", "namespaces": ["orders", "shop"]},
    });
    let created_at = stage.made(&cluster(entries))?;
    stage.expect_empty_plan()?;
    expect_policies(&stage, &ops, &[("AmazonEKSAdminPolicy", &[])])?;
    expect_policies(&stage, &team, &[("AmazonEKSEditPolicy", &["orders", "shop"])])?;
    expect_policies(&stage, &emergency, &[("AmazonEKSClusterAdminPolicy", &[])])?;
    let parameters = json!({"clusterName": NAME, "principalArn": emergency});
    let entry = stage.account.call("eks", "DescribeAccessEntry", parameters)?["accessEntry"].clone();
    ensure(entry["username"] == "break-glass:{{SessionName}}", || entry.to_string())?;

    // The principals change places, and one gets another preset and groups.
    let mark = stage.account.mark()?;
    let entries = json!({
        "ops": {"principal_arn": team, "preset": "viewer", "kubernetes_groups": ["auditors"]},
        "team": {"principal_arn": ops, "preset": "developer", "namespaces": ["orders"]},
    });
    stage.configure(&cluster(entries))?;
    stage.apply()?;
    stage.expect_empty_plan()?;
    expect_policies(&stage, &team, &[("AmazonEKSViewPolicy", &[])])?;
    expect_policies(&stage, &ops, &[("AmazonEKSEditPolicy", &["orders"])])?;
    let journal = stage.account.journal_since(mark)?;
    ensure(journal.of("eks:DeleteAccessEntry").is_empty(), || journal.text())?;

    // What somebody took away comes back.
    let parameters = json!({
        "clusterName": NAME, "principalArn": team,
        "policyArn": "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy",
    });
    stage.account.call("eks", "DisassociateAccessPolicy", parameters)?;
    stage.workspace.plan(&[])?.expect_exit(2)?.expect_text("policy AmazonEKSViewPolicy")?;
    stage.apply()?;
    expect_policies(&stage, &team, &[("AmazonEKSViewPolicy", &[])])?;

    stage.expect_import_to_fit()?;

    stage.configure(&stage.cluster())?;
    stage.apply()?;
    stage.expect_empty_plan()?;
    stage.expect_resumed(&created_at)?;
    stage.expect_destroyed_completely()
}

#[test]
fn an_entry_for_nodes_is_left_as_eks_makes_it() -> Result<()> {
    let stage = Stage::new()?;
    let nodes = role(&stage, "karpenter-nodes")?;
    stage.account.set_baseline()?;
    let entries = json!({"karpenter": {"principal_arn": nodes, "type": "EC2_LINUX"}});
    stage.made(&stage.cluster().with("access_entries", entries))?;
    stage.expect_empty_plan()?;
    let parameters = json!({"clusterName": NAME, "principalArn": nodes});
    let entry = stage.account.call("eks", "DescribeAccessEntry", parameters)?["accessEntry"].clone();
    ensure(entry["kubernetesGroups"] == json!(["system:nodes"]), || entry.to_string())?;
    stage.expect_import_to_fit()?;
    stage.expect_destroyed_completely()
}

#[test]
fn the_name_for_emergencies_goes_with_the_entry_for_emergencies() -> Result<()> {
    let stage = Stage::new()?;
    let ops = role(&stage, "ops")?;
    stage.account.set_baseline()?;
    stage.made(&stage.cluster().with("break_glass", json!({"principal_arn": ops})))?;
    let entries = json!({"ops": {"principal_arn": ops, "preset": "admin"}});
    stage.configure(&stage.cluster().with("access_entries", entries))?;
    stage.apply()?;
    stage.expect_empty_plan()?;
    let parameters = json!({"clusterName": NAME, "principalArn": ops});
    let entry = stage.account.call("eks", "DescribeAccessEntry", parameters)?["accessEntry"].clone();
    let username = entry["username"].as_str().unwrap_or_default();
    ensure(username.ends_with(":assumed-role/ops/{{SessionName}}"), || entry.to_string())?;
    stage.expect_destroyed_completely()
}

#[test]
fn wrong_entries_are_refused_with_their_paths() -> Result<()> {
    let stage = Stage::new()?;
    let arn = "arn:aws:iam::111122223333:role/a";
    for (entries, text) in [
        (json!({"a": {"principal_arn": arn}}), "gives nothing"),
        (json!({"a": {"principal_arn": arn, "preset": "developer"}}), "needs namespaces"),
        (json!({"a": {"principal_arn": arn, "preset": "admin", "namespaces": ["x"]}}), "choose operator"),
        (
            json!({"a": {"principal_arn": "arn:aws:sts::111122223333:assumed-role/a/me", "preset": "admin"}}),
            "of a session, give the ARN of its role",
        ),
        (
            json!({
                "a": {"principal_arn": arn, "preset": "viewer"},
                "b": {"principal_arn": arn, "preset": "admin"},
            }),
            "has the same principal",
        ),
        (json!({"a": {"principal_arn": arn, "kubernetes_groups": ["system:masters"]}}), "begin with system:"),
        (
            json!({"a": {
                "principal_arn": arn, "preset": "viewer",
                "policies": [{"arn": "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy"}],
            }}),
            "each policy once",
        ),
    ] {
        stage.configure(&stage.cluster().with("access_entries", entries))?;
        stage.workspace.plan(&[])?.expect_exit(1)?.expect_text(text)?;
    }
    Ok(())
}
