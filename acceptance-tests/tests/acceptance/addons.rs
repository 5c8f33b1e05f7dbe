//! The add-ons of a cluster: the default set, others, their AWS identities and their configuration values.

use acceptance_tests::failure::ensure;
use acceptance_tests::{Explain, Result};
use serde_json::{Value, json};

use crate::stage::{NAME, Stage};

const EBS: &str = "aws-ebs-csi-driver";

fn addon(stage: &Stage, name: &str) -> Result<Value> {
    let parameters = json!({"clusterName": NAME, "addonName": name});
    Ok(stage.account.call("eks", "DescribeAddon", parameters)?["addon"].clone())
}

fn installed(stage: &Stage) -> Result<Vec<String>> {
    let answer = stage.account.call("eks", "ListAddons", json!({"clusterName": NAME}))?;
    let names = answer["addons"].as_array().into_iter().flatten().filter_map(Value::as_str);
    Ok(names.map(str::to_owned).collect())
}

/// Service account and role of an add-on's only association.
fn identity(stage: &Stage, name: &str) -> Result<(String, String)> {
    let addon = addon(stage, name)?;
    let arn = addon["podIdentityAssociations"][0].as_str().explain("an association")?.to_owned();
    let id = arn.rsplit('/').next().unwrap_or_default();
    let parameters = json!({"clusterName": NAME, "associationId": id});
    let answer = stage.account.call("eks", "DescribePodIdentityAssociation", parameters)?;
    let member = |name: &str| answer["association"][name].as_str().unwrap_or_default().to_owned();
    Ok((member("serviceAccount"), member("roleArn")))
}

fn values(addon: &Value) -> Value {
    let text = addon["configurationValues"].as_str().unwrap_or_default();
    serde_json::from_str(text).unwrap_or(Value::Null)
}

/// A role that Pod Identity may take.
fn role(stage: &Stage, name: &str) -> Result<String> {
    let trust = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": ["sts:AssumeRole", "sts:TagSession"],
        "Principal": {"Service": "pods.eks.amazonaws.com"},
    }]});
    let parameters = json!({"RoleName": name, "AssumeRolePolicyDocument": trust.to_string()});
    let made = stage.account.call("iam", "CreateRole", parameters)?;
    made["Role"]["Arn"].as_str().map(str::to_owned).explain("the role's ARN")
}

#[test]
fn a_cluster_gets_the_default_set_with_identities_before_and_after_its_nodes() -> Result<()> {
    let stage = Stage::new()?;
    let mark = stage.account.mark()?;
    stage.made(&stage.cluster())?;
    let mut names = installed(&stage)?;
    names.sort();
    let expected = [
        "amazon-cloudwatch-observability",
        EBS,
        "coredns",
        "eks-node-monitoring-agent",
        "eks-pod-identity-agent",
        "kube-proxy",
        "metrics-server",
        "vpc-cni",
    ];
    ensure(names == expected, || format!("{names:?}"))?;
    for (name, account) in [
        ("vpc-cni", "aws-node"),
        (EBS, "ebs-csi-controller-sa"),
        ("amazon-cloudwatch-observability", "cloudwatch-agent"),
    ] {
        let (seen, role_arn) = identity(&stage, name)?;
        ensure(seen == account && role_arn.contains(":role/eks/prod-"), || {
            format!("{name}: {seen} {role_arn}")
        })?;
    }
    let ebs = values(&addon(&stage, EBS)?);
    let class = &ebs["storageClasses"][0];
    ensure(class["parameters"] == json!({"type": "gp3", "encrypted": "true"}), || ebs.to_string())?;
    ensure(ebs["controller"]["region"] == stage.account.region(), || ebs.to_string())?;

    let journal = stage.account.journal_since(mark)?;
    let created: Vec<String> = journal
        .mutating()
        .iter()
        .filter(|call| call.operation == "CreateAddon" || call.operation == "CreateNodegroup")
        .map(|call| call.resource.clone().unwrap_or_default())
        .collect();
    let at = |name: &str| created.iter().position(|resource| resource.contains(name));
    let nodes = at("general");
    for name in ["vpc-cni", "kube-proxy", "eks-pod-identity-agent", "eks-node-monitoring-agent"] {
        ensure(at(name) < nodes, || format!("{name} after the nodes: {created:?}"))?;
    }
    for name in ["coredns", EBS, "metrics-server", "amazon-cloudwatch-observability"] {
        ensure(at(name) > nodes, || format!("{name} before the nodes: {created:?}"))?;
    }
    stage.expect_import_to_fit()?;
    stage.expect_destroyed_completely()
}

#[test]
fn an_addon_gets_other_roles_values_and_versions_and_loses_them_again() -> Result<()> {
    let stage = Stage::new()?;
    let own = role(&stage, "ebs-of-ours")?;
    stage.account.set_baseline()?;
    let created_at = stage.made(&stage.cluster())?;
    let before = addon(&stage, EBS)?;
    let change = |arguments: Value| -> Result<Value> {
        stage.configure(&stage.cluster().with("addons", json!({ EBS: arguments })))?;
        stage.apply()?;
        stage.expect_resumed(&created_at)?;
        addon(&stage, EBS)
    };

    change(json!({"pod_identity_role_arns": {"ebs-csi-controller-sa": own}}))?;
    ensure(identity(&stage, EBS)?.1 == own, || "another role".to_owned())?;
    stage.expect_import_to_fit()?;
    change(json!({"pod_identity_role_arns": {}}))?;
    let seen = addon(&stage, EBS)?;
    ensure(seen["podIdentityAssociations"].as_array().is_none_or(Vec::is_empty), || seen.to_string())?;

    let seen = change(json!({"configuration_values": "{\"node\":{\"tolerateAllTaints\":true}}"}))?;
    ensure(values(&seen) == json!({"node": {"tolerateAllTaints": true}}), || seen.to_string())?;
    let seen = change(json!({"version": "v1.55.0-eksbuild.1"}))?;
    ensure(seen["addonVersion"] == "v1.55.0-eksbuild.1", || seen.to_string())?;
    ensure(values(&seen) == values(&before), || format!("the default values are back: {seen}"))?;

    // Others are installed when they are named, and go when they are not.
    stage.configure(&stage.cluster().with("addons", json!({"snapshot-controller": {}})))?;
    stage.apply()?;
    stage.expect_resumed(&created_at)?;
    ensure(installed(&stage)?.contains(&"snapshot-controller".to_owned()), || "it is missing".to_owned())?;
    stage.expect_import_to_fit()?;
    stage.configure(&stage.cluster())?;
    stage.apply()?;
    ensure(!installed(&stage)?.contains(&"snapshot-controller".to_owned()), || "it is there".to_owned())?;
    stage.expect_destroyed_completely()
}

#[test]
fn a_plan_checks_configuration_values_by_the_schema_of_the_addon() -> Result<()> {
    let stage = Stage::new()?;
    let refused = |arguments: Value, texts: &[&str]| -> Result<()> {
        stage.configure(&stage.cluster().with("addons", arguments))?;
        let mut run = stage.workspace.plan(&[])?.expect_exit(1)?;
        for text in texts {
            run = run.expect_text(text)?;
        }
        Ok(())
    };
    refused(json!({"coredns": {"configuration_values": "{\"replicaCount\":\"3\"}"}}), &["/replicaCount"])?;
    refused(json!({"coredns": {"configuration_values": "{\"replicas\":3}"}}), &["replicas"])?;
    refused(json!({"vpc-cnii": {}}), &["vpc-cnii", "not supported"])?;
    refused(json!({"Vpc-CNI": {}}), &["names of EKS add-ons"])?;
    stage.configure(
        &stage.cluster().with("addons", json!({"coredns": {"configuration_values": "{\"replicaCount\":3}"}})),
    )?;
    stage.workspace.plan(&[])?.expect_exit(2)?;
    Ok(())
}

#[test]
fn controllers_get_an_identity_and_lose_it_again() -> Result<()> {
    let stage = Stage::new()?;
    let with = |arguments: Value| {
        stage
            .cluster()
            .with("load_balancer_controller", arguments.clone())
            .with("external_secrets", json!({"enabled": true}))
    };
    let created_at = stage.made(&with(json!({"enabled": true})))?;
    let associations = || -> Result<Vec<(String, String)>> {
        let answer =
            stage.account.call("eks", "ListPodIdentityAssociations", json!({"clusterName": NAME}))?;
        let all = answer["associations"].as_array().cloned().unwrap_or_default();
        let own = all.iter().filter(|association| association["ownerArn"].is_null());
        let member =
            |association: &Value, name: &str| association[name].as_str().unwrap_or_default().to_owned();
        let mut pairs: Vec<_> =
            own.map(|own| (member(own, "namespace"), member(own, "serviceAccount"))).collect();
        pairs.sort();
        Ok(pairs)
    };
    let pair = |namespace: &str, account: &str| (namespace.to_owned(), account.to_owned());
    let external = pair("external-secrets", "external-secrets");
    let expected = [external.clone(), pair("kube-system", "aws-load-balancer-controller")];
    ensure(associations()? == expected, || format!("{:?}", associations()))?;
    stage.expect_import_to_fit()?;
    stage.configure(&with(json!({"enabled": true, "namespace": "ingress"})))?;
    stage.apply()?;
    stage.expect_resumed(&created_at)?;
    let moved = pair("ingress", "aws-load-balancer-controller");
    ensure(associations()? == [external, moved], || format!("{:?}", associations()))?;
    stage.configure(&stage.cluster())?;
    stage.apply()?;
    stage.expect_empty_plan()?;
    ensure(associations()?.is_empty(), || "something is left".to_owned())?;
    stage.expect_destroyed_completely()
}
