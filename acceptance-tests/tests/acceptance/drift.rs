//! Somebody changes or deletes a part behind our back. The next plan says so; apply mends it or explains.

use acceptance_tests::configuration::CLUSTER;
use acceptance_tests::failure::ensure;
use acceptance_tests::{Explain, Result};
use serde_json::{Value, json};

use crate::stage::{NAME, Stage, refuse};

/// The tag that says whose an object is.
const OWNER: &str = "terraform-provider-eks/owner";

/// The next plan names the part; apply mends it; the cluster is the same and the plan after that empty.
fn expect_mended(stage: &Stage, created_at: &str, part: &str) -> Result<()> {
    let (plan, run) = stage.workspace.plan_file(&[])?;
    let run = run.expect_exit(2)?;
    let actions = plan.change(CLUSTER).map(|change| change["actions"].clone());
    ensure(actions == Some(json!(["update"])), || format!("{part}: {actions:?}\n{}", run.text()))?;
    let is_touched = plan.touched(CLUSTER).contains(&format!("parts.{part}"));
    ensure(is_touched, || format!("the plan does not touch {part}\n{}", run.text()))?;
    stage.apply()?;
    stage.expect_resumed(created_at)
}

/// The names in a list of AWS.
fn names(
    stage: &Stage,
    service: &str,
    operation: &str,
    parameters: Value,
    list: &str,
) -> Result<Vec<String>> {
    let answer = stage.account.call(service, operation, parameters)?;
    let items = answer[list].as_array().cloned().unwrap_or_default();
    Ok(items.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect())
}

fn role(stage: &Stage, attribute: &str) -> Result<String> {
    let current = stage.current()?;
    let arn = current.text(attribute).to_owned();
    arn.rsplit('/').next().map(str::to_owned).filter(|name| !name.is_empty()).explain(attribute.to_owned())
}

fn node_group(stage: &Stage) -> Result<String> {
    let groups = names(stage, "eks", "ListNodegroups", json!({"clusterName": NAME}), "nodegroups")?;
    groups.into_iter().next().explain("no node group")
}

/// Detaches everything from a role and deletes it.
fn delete_role(stage: &Stage, role: &str) -> Result<()> {
    let attached = stage.account.call("iam", "ListAttachedRolePolicies", json!({"RoleName": role}))?;
    for policy in attached["AttachedPolicies"].as_array().into_iter().flatten() {
        let parameters = json!({"RoleName": role, "PolicyArn": policy["PolicyArn"]});
        stage.account.call("iam", "DetachRolePolicy", parameters)?;
    }
    for policy in names(stage, "iam", "ListRolePolicies", json!({"RoleName": role}), "PolicyNames")? {
        stage.account.call("iam", "DeleteRolePolicy", json!({"RoleName": role, "PolicyName": policy}))?;
    }
    stage.account.call("iam", "DeleteRole", json!({"RoleName": role})).map(drop)
}

#[test]
fn a_deleted_role_is_made_again() -> Result<()> {
    let stage = Stage::new()?;
    let created_at = stage.made(&stage.cluster())?;
    delete_role(&stage, &role(&stage, "cluster_role_arn")?)?;
    expect_mended(&stage, &created_at, "iam-role/cluster")?;
    stage.expect_destroyed_completely()
}

#[test]
fn a_detached_policy_is_attached_again() -> Result<()> {
    let stage = Stage::new()?;
    let created_at = stage.made(&stage.cluster())?;
    let role = role(&stage, "node_role_arn")?;
    let attached = stage.account.call("iam", "ListAttachedRolePolicies", json!({"RoleName": role}))?;
    let policy = attached["AttachedPolicies"][0]["PolicyArn"].clone();
    stage.account.call("iam", "DetachRolePolicy", json!({"RoleName": role, "PolicyArn": policy}))?;
    let name = policy.as_str().and_then(|arn| arn.rsplit('/').next()).unwrap_or_default().to_owned();
    stage.workspace.plan(&[])?.expect_exit(2)?.expect_text(&name)?;
    expect_mended(&stage, &created_at, "iam-role/node")?;
    stage.expect_destroyed_completely()
}

#[test]
fn a_changed_trust_policy_is_put_right() -> Result<()> {
    let stage = Stage::new()?;
    let created_at = stage.made(&stage.cluster())?;
    let trust = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ec2.amazonaws.com"}
    }]});
    let parameters =
        json!({"RoleName": role(&stage, "cluster_role_arn")?, "PolicyDocument": trust.to_string()});
    stage.account.call("iam", "UpdateAssumeRolePolicy", parameters)?;
    expect_mended(&stage, &created_at, "iam-role/cluster")?;
    stage.expect_destroyed_completely()
}

#[test]
fn a_deleted_log_group_is_made_again() -> Result<()> {
    let stage = Stage::new()?;
    let created_at = stage.made(&stage.cluster())?;
    let name = stage.current()?.text("log_group_name").to_owned();
    stage.account.call("logs", "DeleteLogGroup", json!({"logGroupName": name}))?;
    expect_mended(&stage, &created_at, "log-group/control-plane")?;
    stage.expect_destroyed_completely()
}

#[test]
fn a_changed_retention_is_put_right() -> Result<()> {
    let stage = Stage::new()?;
    let created_at = stage.made(&stage.cluster())?;
    let name = stage.current()?.text("log_group_name").to_owned();
    stage.account.call("logs", "PutRetentionPolicy", json!({"logGroupName": name, "retentionInDays": 1}))?;
    expect_mended(&stage, &created_at, "log-group/control-plane")?;
    stage.expect_destroyed_completely()
}

#[test]
fn a_key_without_rotation_is_put_right() -> Result<()> {
    let stage = Stage::new()?;
    let created_at = stage.made(&stage.cluster())?;
    let key = stage.current()?.text("kms_key_arn").to_owned();
    stage.account.call("kms", "DisableKeyRotation", json!({"KeyId": key}))?;
    expect_mended(&stage, &created_at, "kms-key/cluster")?;
    stage.expect_destroyed_completely()
}

#[test]
fn a_deleted_node_group_is_made_again() -> Result<()> {
    let stage = Stage::new()?;
    let created_at = stage.made(&stage.cluster())?;
    let group = node_group(&stage)?;
    let parameters = json!({"clusterName": NAME, "nodegroupName": group});
    stage.account.call("eks", "DeleteNodegroup", parameters)?;
    let gone = || names(&stage, "eks", "ListNodegroups", json!({"clusterName": NAME}), "nodegroups");
    acceptance_tests::wait::until("the node group is gone", std::time::Duration::from_secs(60), || {
        Ok(gone()?.is_empty().then_some(()))
    })?;
    expect_mended(&stage, &created_at, "node-group/general")?;
    stage.expect_destroyed_completely()
}

#[test]
fn changed_labels_are_put_right() -> Result<()> {
    let stage = Stage::new()?;
    let created_at = stage.made(&stage.cluster())?;
    let group = node_group(&stage)?;
    let labels = json!({"addOrUpdateLabels": {"strange": "label"}});
    let parameters = json!({"clusterName": NAME, "nodegroupName": group, "labels": labels});
    stage.account.call("eks", "UpdateNodegroupConfig", parameters)?;
    settled(&stage, &group)?;
    expect_mended(&stage, &created_at, "node-group/general")?;
    stage.expect_destroyed_completely()
}

fn settled(stage: &Stage, group: &str) -> Result<()> {
    let parameters = json!({"clusterName": NAME, "nodegroupName": group});
    acceptance_tests::wait::until("the node group settles", std::time::Duration::from_secs(60), || {
        let answer = stage.account.call("eks", "DescribeNodegroup", parameters.clone())?;
        Ok((answer["nodegroup"]["status"] == "ACTIVE").then_some(()))
    })
}

#[test]
fn the_autoscalers_size_is_no_change() -> Result<()> {
    let stage = Stage::new()?;
    stage.made(&stage.cluster())?;
    let group = node_group(&stage)?;
    let scaling = json!({"desiredSize": 5});
    let parameters = json!({"clusterName": NAME, "nodegroupName": group, "scalingConfig": scaling});
    stage.account.call("eks", "UpdateNodegroupConfig", parameters)?;
    settled(&stage, &group)?;
    stage.expect_empty_plan()?;
    stage.workspace.plan(&["-refresh-only"])?.expect_exit(0)?;
    stage.expect_destroyed_completely()
}

#[test]
fn a_deleted_add_on_is_made_again() -> Result<()> {
    let stage = Stage::new()?;
    let created_at = stage.made(&stage.cluster())?;
    let parameters = json!({"clusterName": NAME, "addonName": "coredns"});
    stage.account.call("eks", "DeleteAddon", parameters)?;
    acceptance_tests::wait::until("the add-on is gone", std::time::Duration::from_secs(60), || {
        let addons = names(&stage, "eks", "ListAddons", json!({"clusterName": NAME}), "addons")?;
        Ok((!addons.contains(&"coredns".to_owned())).then_some(()))
    })?;
    expect_mended(&stage, &created_at, "addon/coredns")?;
    stage.expect_destroyed_completely()
}

#[test]
fn an_opened_endpoint_is_closed_again() -> Result<()> {
    let stage = Stage::new()?;
    let created_at = stage.made(&stage.cluster())?;
    let access = json!({"endpointPublicAccess": true, "publicAccessCidrs": ["0.0.0.0/0"]});
    stage.account.call("eks", "UpdateClusterConfig", json!({"name": NAME, "resourcesVpcConfig": access}))?;
    acceptance_tests::wait::until("the cluster settles", std::time::Duration::from_secs(60), || {
        let answer = stage.account.call("eks", "DescribeCluster", json!({"name": NAME}))?;
        let is_open = answer["cluster"]["resourcesVpcConfig"]["endpointPublicAccess"] == json!(true);
        Ok((answer["cluster"]["status"] == "ACTIVE" && is_open).then_some(()))
    })?;
    expect_mended(&stage, &created_at, "cluster")?;
    stage.expect_destroyed_completely()
}

#[test]
fn a_key_somebody_scheduled_for_deletion_is_kept() -> Result<()> {
    let stage = Stage::new()?;
    let created_at = stage.made(&stage.cluster())?;
    let key = stage.current()?.text("kms_key_arn").to_owned();
    stage.account.call("kms", "ScheduleKeyDeletion", json!({"KeyId": key, "PendingWindowInDays": 7}))?;
    stage.workspace.plan(&[])?.expect_exit(2)?.expect_text("scheduled for deletion")?;
    expect_mended(&stage, &created_at, "kms-key/cluster")?;
    let answer = stage.account.call("kms", "DescribeKey", json!({"KeyId": key}))?;
    ensure(answer["KeyMetadata"]["KeyState"] == "Enabled", || answer.to_string())?;
    ensure(stage.current()?.text("kms_key_arn") == key, || "another key".to_owned())?;
    stage.expect_destroyed_completely()
}

#[test]
fn nodes_whose_launch_template_was_deleted_serve_until_others_are_there() -> Result<()> {
    let stage = Stage::new()?;
    let created_at = stage.made(&stage.cluster())?;
    for round in ["first", "second"] {
        let templates = stage.account.call("ec2", "DescribeLaunchTemplates", json!({}))?;
        let id = templates["LaunchTemplates"][0]["LaunchTemplateId"].clone();
        stage.account.call("ec2", "DeleteLaunchTemplate", json!({"LaunchTemplateId": id}))?;
        let mark = stage.account.mark()?;
        let (plan, run) = stage.workspace.plan_file(&[])?;
        let touched = plan.touched(CLUSTER);
        for part in ["launch-template/general", "node-group/general"] {
            ensure(touched.contains(&format!("parts.{part}")), || {
                format!("{round}: the plan does not touch {part}\n{}", run.text())
            })?;
        }
        expect_mended(&stage, &created_at, "launch-template/general")?;
        let journal = stage.account.journal_since(mark)?;
        let calls = journal.mutating();
        let at = |action: &str| calls.iter().position(|call| call.action() == action);
        let (made, deleted) = (at("eks:CreateNodegroup"), at("eks:DeleteNodegroup"));
        ensure(made.is_some() && made < deleted, || format!("{round}: {}", journal.text()))?;
    }
    stage.expect_destroyed_completely()
}

#[test]
fn a_node_group_that_is_degraded_later_is_shown_and_can_be_updated() -> Result<()> {
    let stage = Stage::new()?;
    let created_at = stage.made(&stage.cluster())?;
    let issues = json!([{"code": "Ec2SubnetInvalidConfiguration", "message": "no public addresses", "resourceIds": []}]);
    stage.account.script(&format!("nodegroup/{NAME}/general"), "degrade", issues)?;
    stage.expect_empty_plan()?;
    let refreshed = stage.workspace.plan(&["-refresh-only"])?.expect_exit(2)?;
    refreshed.expect_text("degraded (Ec2SubnetInvalidConfiguration)")?;
    let labels = json!({"general": {"labels": {"mended": "yes"}}});
    let cluster = stage.cluster().with("node_groups", labels);
    stage.configure(&cluster)?;
    stage.apply()?;
    // Tags are no update that EKS tells the end of.
    stage.configure(&cluster.with("tags", json!({"team": "platform"})))?;
    stage.apply()?;
    stage.expect_resumed(&created_at)?;
    stage.account.clear_scripts()?;
    stage.expect_destroyed_completely()
}

#[test]
fn drift_that_was_accepted_into_the_state_is_mended_all_the_same() -> Result<()> {
    let stage = Stage::new()?;
    let created_at = stage.made(&stage.cluster())?;
    let name = stage.current()?.text("log_group_name").to_owned();
    stage.account.call("logs", "PutRetentionPolicy", json!({"logGroupName": name, "retentionInDays": 1}))?;
    stage.workspace.plan(&["-refresh-only"])?.expect_exit(2)?.expect_text("log-group/control-plane")?;
    stage.workspace.apply(&["-refresh-only"])?.expect_success()?;
    stage.workspace.plan(&["-refresh=false"])?.expect_exit(2)?;
    expect_mended(&stage, &created_at, "log-group/control-plane")?;
    stage.expect_destroyed_completely()
}

#[test]
fn a_removed_ownership_tag_is_put_back() -> Result<()> {
    let stage = Stage::new()?;
    let created_at = stage.made(&stage.cluster())?;
    let role = role(&stage, "node_role_arn")?;
    stage.account.call("iam", "UntagRole", json!({"RoleName": role, "TagKeys": [OWNER]}))?;
    expect_mended(&stage, &created_at, "iam-role/node")?;
    stage.expect_destroyed_completely()
}

#[test]
fn an_object_that_somebody_else_marked_as_theirs_is_neither_changed_nor_deleted() -> Result<()> {
    let stage = Stage::new()?;
    stage.made(&stage.cluster())?;
    let role = role(&stage, "node_role_arn")?;
    let tags = stage.account.call("iam", "ListRoleTags", json!({"RoleName": role}))?["Tags"].clone();
    let theirs = json!([{"Key": OWNER, "Value": "eks_production_cluster/eu-central-1/theirs"}]);
    stage.account.call("iam", "TagRole", json!({"RoleName": role, "Tags": theirs}))?;
    stage.workspace.plan(&[])?.expect_no_text("No changes.")?.expect_text("iam-role/node")?;
    let mark = stage.account.mark()?;
    stage.workspace.apply(&[])?.expect_exit(1)?.expect_text("EKS0009")?;
    let journal = stage.account.journal_since(mark)?;
    let touched = journal.mutating().into_iter().find(|call| call.resource.as_deref() == Some(role.as_str()));
    ensure(touched.is_none(), || format!("{touched:?}"))?;
    stage.account.call("iam", "GetRole", json!({"RoleName": role}))?;
    let ours: Vec<&Value> = tags.as_array().into_iter().flatten().filter(|tag| tag["Key"] == OWNER).collect();
    stage.account.call("iam", "TagRole", json!({"RoleName": role, "Tags": ours}))?;
    stage.apply()?;
    stage.expect_ready()?;
    stage.expect_empty_plan()?;
    stage.expect_destroyed_completely()
}

#[test]
fn a_cluster_that_somebody_deleted_is_planned_again() -> Result<()> {
    let stage = Stage::new()?;
    stage.made(&stage.cluster())?;
    for addon in names(&stage, "eks", "ListAddons", json!({"clusterName": NAME}), "addons")? {
        stage.account.call("eks", "DeleteAddon", json!({"clusterName": NAME, "addonName": addon}))?;
    }
    let group = node_group(&stage)?;
    stage.account.call("eks", "DeleteNodegroup", json!({"clusterName": NAME, "nodegroupName": group}))?;
    acceptance_tests::wait::until("the node group is gone", std::time::Duration::from_secs(60), || {
        let groups = names(&stage, "eks", "ListNodegroups", json!({"clusterName": NAME}), "nodegroups")?;
        Ok(groups.is_empty().then_some(()))
    })?;
    stage.delete_left_interfaces()?;
    acceptance_tests::wait::until("the cluster can be deleted", std::time::Duration::from_secs(60), || {
        Ok(stage.account.call("eks", "DeleteCluster", json!({"name": NAME})).is_ok().then_some(()))
    })?;
    acceptance_tests::wait::until("the cluster is gone", std::time::Duration::from_secs(60), || {
        Ok(stage.account.clusters()?.is_empty().then_some(()))
    })?;
    stage.workspace.plan(&[])?.expect_exit(2)?;
    stage.apply()?;
    stage.expect_ready()?;
    stage.expect_empty_plan()?;
    stage.expect_destroyed_completely()
}

#[test]
fn what_breaks_between_plan_and_apply_is_told_by_the_status() -> Result<()> {
    let stage = Stage::new()?;
    let created_at = stage.made(&stage.cluster())?;
    stage.configure(&stage.cluster().with("on_failed_create", json!("warn")))?;
    let (plan, run) = stage.workspace.plan_file(&[])?;
    run.expect_exit(2)?;
    let touched = plan.touched(CLUSTER);
    ensure(touched == ["on_failed_create"], || format!("{touched:?}"))?;
    let name = stage.current()?.text("log_group_name").to_owned();
    stage.account.call("logs", "PutRetentionPolicy", json!({"logGroupName": name, "retentionInDays": 1}))?;
    let fault = stage.account.inject(&refuse("logs:PutRetentionPolicy"))?;
    stage.workspace.run(&["apply", "plan.bin"])?.expect_exit(1)?.expect_text("EKS0006")?;
    fault.clear()?;
    let current = stage.current()?;
    ensure(current.status() == "degraded", || format!("{current:?}"))?;
    stage.apply()?;
    stage.expect_resumed(&created_at)?;
    stage.expect_destroyed_completely()
}
