//! The published examples work as they are.

use std::collections::BTreeSet;

use acceptance_tests::configuration::{CLUSTER, CLUSTER_TYPE};
use acceptance_tests::failure::ensure;
use acceptance_tests::{Explain, Result, cache};
use serde_json::{Value, json};

use crate::every_attribute::leaves;
use crate::stage::{NAME, Stage};

/// Whether a value of the state, or one of its elements, has something at a path.
fn is_set(value: &Value, path: &[&str]) -> bool {
    match (value, path) {
        (Value::Null, _) => false,
        (_, []) => true,
        (Value::Array(elements), _) => elements.iter().any(|element| is_set(element, path)),
        (Value::Object(members), [name, rest @ ..]) => match members.get(*name) {
            Some(member) => is_set(member, rest),
            None => members.values().any(|member| member.is_object() && is_set(member, path)),
        },
        _ => false,
    }
}

#[test]
fn the_example_with_every_argument_has_every_argument_and_works() -> Result<()> {
    let stage = Stage::new()?;
    let call = |service: &str, operation: &str, parameters: Value| {
        stage.account.call(service, operation, parameters)
    };
    let services = json!({"Service": ["logs.eu-central-1.amazonaws.com"]});
    let root = json!({"AWS": format!("arn:aws:iam::{}:root", stage.account.id())});
    let allow = |principal: Value| json!({"Effect": "Allow", "Action": "kms:*", "Resource": "*", "Principal": principal});
    let policy = json!({"Version": "2012-10-17", "Statement": [allow(root), allow(services)]});
    let key = call("kms", "CreateKey", json!({"Policy": policy.to_string()}))?;
    let secret = json!({"Name": "ecr-pullthroughcache/hub", "SecretString": "{}"});
    let secret = call("secretsmanager", "CreateSecret", secret)?;
    let trust = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": ["sts:AssumeRole", "sts:TagSession"],
        "Principal": {"Service": "pods.eks.amazonaws.com"},
    }]});
    let role = json!({"RoleName": "ebs", "AssumeRolePolicyDocument": trust.to_string()});
    let role = call("iam", "CreateRole", role)?;
    let variables = json!({
        "name": NAME,
        "region": stage.account.region(),
        "subnet_ids": stage.network.subnet_ids,
        "security_group_ids": [stage.network.security_group_id],
        "kms_key_arn": key["KeyMetadata"]["Arn"],
        "principal_arns": {
            "developers": stage.account.role_of_nobody("developers")?,
            "break_glass": stage.account.role_of_nobody("break-glass")?,
        },
        "ebs_role_arn": role["Role"]["Arn"],
        "hub_secret_arn": secret["ARN"],
        "topic_arns": [format!("arn:aws:sns:{}:{}:alarms", stage.account.region(), stage.account.id())],
    });
    stage.account.set_baseline()?;

    for file in ["main.tf", "variables.tf"] {
        let path = cache::repository().join("examples").join("every-argument").join(file);
        stage.workspace.write(file, &std::fs::read_to_string(&path).explain(path.display())?)?;
    }
    stage.workspace.write("all.auto.tfvars.json", &variables.to_string())?;
    stage.workspace.write("all_override.tf", &stage.provider.block())?;
    stage.apply()?;
    stage.expect_ready()?;
    stage.expect_empty_plan()?;

    let schema = stage.workspace.run(&["providers", "schema", "-json"])?.expect_success()?;
    let schema: Value = serde_json::from_str(&schema.stdout).explain("the schema")?;
    let provider = schema["provider_schemas"].as_object().and_then(|all| all.values().next());
    let block = &provider.explain("no provider")?["resource_schemas"][CLUSTER_TYPE]["block"];
    let mut paths = BTreeSet::new();
    leaves(block, "", &mut paths);
    ensure(paths.len() > 80, || format!("{paths:?}"))?;
    let current = stage.workspace.state()?.current(CLUSTER).explain("the cluster is not in the state")?;
    let missing: Vec<&String> = paths
        .iter()
        .filter(|path| !is_set(&current.attributes, &path.split('.').collect::<Vec<_>>()))
        .collect();
    ensure(missing.is_empty(), || format!("the example lacks {missing:?}"))?;
    stage.expect_destroyed_completely()
}
