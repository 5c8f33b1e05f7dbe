//! Log groups of Container Insights, alarms, and the watch over the way in for emergencies.

use acceptance_tests::configuration::CLUSTER;
use acceptance_tests::failure::ensure;
use acceptance_tests::{Explain, Result};
use serde_json::{Value, json};

use crate::stage::{NAME, Stage};

const LOGS: [&str; 4] = ["application", "dataplane", "host", "performance"];
const ALARMS: [&str; 7] =
    ["api-errors", "api-throttles", "failed-nodes", "node-cpu", "node-disk", "node-memory", "pod-restarts"];

/// A role of the account that is no part of the cluster.
fn emergency_role(stage: &Stage) -> Result<String> {
    let trust = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ec2.amazonaws.com"}
    }]});
    let parameters = json!({"RoleName": "emergency", "AssumeRolePolicyDocument": trust.to_string()});
    let made = stage.account.call("iam", "CreateRole", parameters)?;
    stage.account.set_baseline()?;
    made["Role"]["Arn"].as_str().map(str::to_owned).explain("the role's ARN")
}

fn topic(stage: &Stage, name: &str) -> String {
    format!("arn:aws:sns:{}:{}:{name}", stage.account.region(), stage.account.id())
}

/// The groups of Container Insights, as AWS describes them.
fn groups(stage: &Stage) -> Result<Vec<Value>> {
    let parameters = json!({"logGroupNamePrefix": format!("/aws/containerinsights/{NAME}/")});
    let answer = stage.account.call("logs", "DescribeLogGroups", parameters)?;
    Ok(answer["logGroups"].as_array().cloned().unwrap_or_default())
}

/// The alarms of the cluster, by the middle of their names: `prod-node-cpu-0a1b2c3d` → `node-cpu`.
fn alarms(stage: &Stage) -> Result<Vec<(String, Value)>> {
    let answer = stage.account.call("monitoring", "DescribeAlarms", json!({}))?;
    let alarms = answer["MetricAlarms"].as_array().cloned().unwrap_or_default();
    let named = |alarm: Value| {
        let name = alarm["AlarmName"].as_str().unwrap_or_default();
        let name = name.strip_prefix(&format!("{NAME}-")).unwrap_or(name);
        (name.rsplit_once('-').map_or(name, |(stem, _)| stem).to_owned(), alarm)
    };
    let mut alarms: Vec<(String, Value)> = alarms.into_iter().map(named).collect();
    alarms.sort_by(|one, other| one.0.cmp(&other.0));
    Ok(alarms)
}

fn alarm(stage: &Stage, name: &str) -> Result<Value> {
    let found = alarms(stage)?.into_iter().find(|(found, _)| found == name);
    found.map(|(_, alarm)| alarm).explain(format!("there is no alarm {name}"))
}

fn expect_alarms(stage: &Stage, expected: &[&str]) -> Result<()> {
    let names: Vec<String> = alarms(stage)?.into_iter().map(|(name, _)| name).collect();
    ensure(names == expected, || format!("alarms {names:?} instead of {expected:?}"))
}

fn filters(stage: &Stage) -> Result<Vec<Value>> {
    let parameters = json!({"logGroupName": format!("/aws/eks/{NAME}/cluster")});
    let answer = stage.account.call("logs", "DescribeMetricFilters", parameters)?;
    Ok(answer["metricFilters"].as_array().cloned().unwrap_or_default())
}

/// The next plan names the part and why; apply mends it, and the plan after that is empty.
fn expect_mended(stage: &Stage, part: &str, state: &str) -> Result<()> {
    let (plan, run) = stage.workspace.plan_file(&[])?;
    let run = run.expect_exit(2)?.expect_text(state)?;
    let is_touched = plan.touched(CLUSTER).contains(&format!("parts.{part}"));
    ensure(is_touched, || format!("the plan does not touch {part}\n{}", run.text()))?;
    stage.apply()?;
    stage.expect_empty_plan()
}

#[test]
fn a_minimal_cluster_has_its_log_groups_and_alarms() -> Result<()> {
    let stage = Stage::new()?;
    stage.made(&stage.cluster())?;
    stage.expect_empty_plan()?;
    let key = stage.current()?.text("kms_key_arn").to_owned();
    let groups = groups(&stage)?;
    ensure(groups.len() == LOGS.len(), || format!("{groups:?}"))?;
    for (group, name) in groups.iter().zip(LOGS) {
        let is_right = group["logGroupName"] == format!("/aws/containerinsights/{NAME}/{name}")
            && group["retentionInDays"] == 90
            && group["kmsKeyId"] == json!(key)
            && group["logGroupClass"] == "STANDARD";
        ensure(is_right, || format!("{group:#}"))?;
    }
    expect_alarms(&stage, &ALARMS)?;
    let cpu = alarm(&stage, "node-cpu")?;
    let is_right = cpu["Namespace"] == "ContainerInsights"
        && cpu["MetricName"] == "node_cpu_utilization"
        && cpu["Dimensions"] == json!([{"Name": "ClusterName", "Value": NAME}])
        && cpu["Statistic"] == "Maximum"
        && cpu["Threshold"] == json!(90.0)
        && cpu["TreatMissingData"] == "missing"
        && cpu["AlarmActions"] == json!([]);
    ensure(is_right, || format!("{cpu:#}"))?;
    ensure(filters(&stage)?.is_empty(), || "a filter without break_glass".to_owned())?;
    stage.expect_import_to_fit()?;
    stage.expect_destroyed_completely()
}

#[test]
fn everything_can_be_changed_and_an_import_reads_it_back() -> Result<()> {
    let stage = Stage::new()?;
    let emergency = emergency_role(&stage)?;
    let created_at = stage.made(&stage.cluster())?;
    let (first, second) = (topic(&stage, "first"), topic(&stage, "second"));
    let full = |observability: Value| {
        stage
            .cluster()
            .with("break_glass", json!({"principal_arn": emergency}))
            .with("observability", observability)
            .with("tags", json!({"team": "platform"}))
    };
    let observability = json!({
        "log_retention_days": 30,
        "alarms": {
            "sns_topic_arns": [first],
            "node_cpu": {"threshold": 75, "minutes": 5},
            "pod_restarts": {"threshold": 3},
            "api_throttles": {"enabled": false},
        },
    });
    stage.configure(&full(observability))?;
    stage.apply()?;
    stage.expect_resumed(&created_at)?;
    ensure(groups(&stage)?.iter().all(|group| group["retentionInDays"] == 30), || "retention".to_owned())?;
    let mut expected: Vec<&str> = ALARMS.into_iter().filter(|name| *name != "api-throttles").collect();
    expected.insert(1, "break-glass");
    expect_alarms(&stage, &expected)?;
    let cpu = alarm(&stage, "node-cpu")?;
    let is_right = cpu["Threshold"] == json!(75.0)
        && cpu["EvaluationPeriods"] == 5
        && cpu["AlarmActions"] == json!([first])
        && cpu["OKActions"] == json!([first]);
    ensure(is_right, || format!("{cpu:#}"))?;
    let failed = alarm(&stage, "failed-nodes")?;
    ensure(failed["InsufficientDataActions"] == json!([first]), || format!("{failed:#}"))?;
    let filter = filters(&stage)?.into_iter().next().explain("no metric filter")?;
    let pattern = filter["filterPattern"].as_str().unwrap_or_default();
    ensure(pattern.contains("$.user.username = \"break-glass:*\""), || format!("{filter:#}"))?;
    let watch = alarm(&stage, "break-glass")?;
    let metric = &filter["metricTransformations"][0];
    let is_fed = watch["MetricName"] == metric["metricName"]
        && watch["Namespace"] == metric["metricNamespace"]
        && watch["AlarmActions"] == json!([first])
        && watch["Dimensions"] == json!([]);
    ensure(is_fed, || format!("{watch:#}\n{filter:#}"))?;
    stage.expect_import_to_fit()?;

    stage.configure(&full(json!({"alarms": {"sns_topic_arns": [second]}})))?;
    stage.apply()?;
    stage.expect_resumed(&created_at)?;
    let cpu = alarm(&stage, "node-cpu")?;
    let is_right = cpu["Threshold"] == json!(90.0) && cpu["AlarmActions"] == json!([second]);
    ensure(is_right, || format!("{cpu:#}"))?;
    stage.expect_destroyed_completely()
}

#[test]
fn what_somebody_changed_is_shown_and_mended() -> Result<()> {
    let stage = Stage::new()?;
    let emergency = emergency_role(&stage)?;
    stage.made(&stage.cluster().with("break_glass", json!({"principal_arn": emergency})))?;

    let cpu = alarm(&stage, "node-cpu")?;
    stage.account.call("monitoring", "DeleteAlarms", json!({"AlarmNames": [cpu["AlarmName"]]}))?;
    expect_mended(&stage, "metric-alarm/node-cpu", "absent")?;

    let disk = alarm(&stage, "node-disk")?;
    let changed = json!({
        "AlarmName": disk["AlarmName"], "Namespace": disk["Namespace"], "MetricName": disk["MetricName"],
        "Dimensions": disk["Dimensions"], "Statistic": disk["Statistic"], "Period": disk["Period"],
        "EvaluationPeriods": disk["EvaluationPeriods"], "ComparisonOperator": disk["ComparisonOperator"],
        "AlarmDescription": disk["AlarmDescription"], "TreatMissingData": disk["TreatMissingData"],
        "Threshold": 99.0,
    });
    stage.account.call("monitoring", "PutMetricAlarm", changed)?;
    expect_mended(&stage, "metric-alarm/node-disk", "drifted: threshold")?;
    let names = json!({"AlarmNames": [disk["AlarmName"]]});
    stage.account.call("monitoring", "DisableAlarmActions", names)?;
    expect_mended(&stage, "metric-alarm/node-disk", "drifted: actions disabled")?;
    let parameters = json!({"ResourceARN": disk["AlarmArn"], "TagKeys": ["terraform-provider-eks/part"]});
    stage.account.call("monitoring", "UntagResource", parameters)?;
    expect_mended(&stage, "metric-alarm/node-disk", "drifted: tags")?;

    let filter = filters(&stage)?.into_iter().next().explain("no metric filter")?;
    let parameters = json!({"logGroupName": filter["logGroupName"], "filterName": filter["filterName"]});
    stage.account.call("logs", "DeleteMetricFilter", parameters)?;
    expect_mended(&stage, "metric-filter/break-glass", "absent")?;
    // EKS makes its group again, without the filter.
    stage.account.call("logs", "DeleteLogGroup", json!({"logGroupName": filter["logGroupName"]}))?;
    expect_mended(&stage, "metric-filter/break-glass", "absent")?;

    let group = format!("/aws/containerinsights/{NAME}/host");
    stage.account.call("logs", "DeleteLogGroup", json!({"logGroupName": group}))?;
    // An agent makes it again, as it likes it.
    stage.account.call("logs", "CreateLogGroup", json!({"logGroupName": group}))?;
    expect_mended(&stage, "log-group/host", "found, not recorded yet; retention; encryption key")?;
    stage.expect_destroyed_completely()
}

#[test]
fn what_is_switched_off_goes() -> Result<()> {
    let stage = Stage::new()?;
    let emergency = emergency_role(&stage)?;
    let with = |break_glass: Value, observability: Value| {
        stage.cluster().with("break_glass", break_glass).with("observability", observability)
    };
    let created_at = stage.made(&with(json!({"principal_arn": emergency}), Value::Null))?;
    stage.configure(&with(
        json!({"principal_arn": emergency, "alarm": false}),
        json!({"container_insights": false}),
    ))?;
    stage.apply()?;
    stage.expect_resumed(&created_at)?;
    ensure(groups(&stage)?.is_empty(), || "groups are left".to_owned())?;
    ensure(filters(&stage)?.is_empty(), || "a filter is left".to_owned())?;
    expect_alarms(&stage, &["api-errors", "api-throttles"])?;
    stage.expect_import_to_fit()?;

    stage.configure(&with(json!({"principal_arn": emergency}), json!({"alarms": {"enabled": false}})))?;
    stage.apply()?;
    expect_alarms(&stage, &["break-glass"])?;
    stage.expect_import_to_fit()?;

    stage.configure(&with(Value::Null, json!({"alarms": {"enabled": false}})))?;
    stage.apply()?;
    expect_alarms(&stage, &[])?;
    ensure(filters(&stage)?.is_empty(), || "a filter is left".to_owned())?;
    stage.expect_destroyed_completely()
}

#[test]
fn topics_may_be_unknown_until_apply() -> Result<()> {
    let stage = Stage::new()?;
    let topic = topic(&stage, "later");
    let block = format!("resource \"terraform_data\" \"topic\" {{\n  input = \"{topic}\"\n}}\n");
    let cluster = stage
        .cluster()
        .with_expression("observability", "{ alarms = { sns_topic_arns = [terraform_data.topic.output] } }");
    stage.configure_with(&cluster, &block)?;
    stage.apply()?;
    stage.expect_ready()?;
    stage.expect_empty_plan()?;
    let cpu = alarm(&stage, "node-cpu")?;
    ensure(cpu["AlarmActions"] == json!([topic]), || format!("{cpu:#}"))?;
    stage.expect_destroyed_completely()
}

#[test]
fn logs_of_a_cluster_that_keeps_them_stay() -> Result<()> {
    let stage = Stage::new()?;
    stage.made(&stage.cluster().with("logging", json!({"on_destroy": "retain"})))?;
    stage.workspace.destroy(&[])?.expect_success()?;
    let left = groups(&stage)?;
    ensure(left.len() == LOGS.len(), || format!("{left:?}"))?;
    expect_alarms(&stage, &[])?;
    // The next cluster of that name takes them over.
    stage.made(&stage.cluster())?;
    stage.expect_empty_plan()?;
    stage.expect_destroyed_completely()
}

#[test]
fn a_watch_that_would_see_nothing_is_refused() -> Result<()> {
    let stage = Stage::new()?;
    let break_glass = json!({"principal_arn": "arn:aws:iam::111122223333:role/a"});
    for (logging, text) in [
        (json!({"types": ["api"]}), "fed by the audit log"),
        (json!({"class": "INFREQUENT_ACCESS"}), "only for the class STANDARD"),
    ] {
        let cluster = stage.cluster().with("break_glass", break_glass.clone()).with("logging", logging);
        stage.configure(&cluster)?;
        stage.workspace.plan(&[])?.expect_exit(1)?.expect_text(text)?;
    }
    for (argument, value, text) in [
        ("logging", json!({"retention_days": 180}), "log-retention-short"),
        ("logging", json!({"types": ["audit"]}), "logs-incomplete"),
        ("observability", json!({"log_retention_days": 8}), "no retention of 8 days"),
        ("observability", json!({"alarms": {"sns_topic_arns": ["arn:aws:sqs:::a"]}}), "SNS topic"),
        ("observability", json!({"alarms": {"node_disk": {"threshold": 200}}}), "never go off"),
    ] {
        stage.configure(&stage.cluster().with(argument, value))?;
        stage.workspace.plan(&[])?.expect_exit(1)?.expect_text(text)?;
    }
    Ok(())
}
