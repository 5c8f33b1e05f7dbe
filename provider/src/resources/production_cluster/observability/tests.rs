//! Alarms and log groups, without AWS.

use std::collections::BTreeSet;

use resource_graph::{Identity, Outputs, PartKey, Record, RecordState};
use terraform_plugin::prelude::*;

use super::super::model::{BreakGlass, Logging, ProductionCluster};
use super::alarms::{KINDS, Level};
use super::expansion::definition;
use super::model::{Alarm, Alarms, Observability};
use super::{
    BREAK_GLASS, Groups, Settings, alarm, break_glass_alarm, check, container_insights_logs, read_back, specs,
};
use crate::parts::{log_group, metric_alarm};

fn with(observability: Observability) -> ProductionCluster {
    ProductionCluster { observability: Field::Known(observability), ..ProductionCluster::default() }
}

fn settings(observability: Observability) -> Settings {
    Settings::of(&with(observability)).expect("known")
}

fn level(threshold: i64, minutes: i64) -> Alarm {
    Alarm { enabled: Field::Null, threshold: threshold.into(), minutes: minutes.into() }
}

/// What exists for settings.
fn existing(settings: &Settings) -> Vec<metric_alarm::Existing> {
    let alarm = |(name, level): (&&str, &Level)| {
        let kind = KINDS.iter().find(|kind| kind.name == *name).expect("a kind");
        let topics = settings.topics.clone();
        metric_alarm::Existing {
            record: record(alarm(name)),
            definition: Some(metric_alarm::Definition { topics, ..definition(kind, *level, "prod") }),
        }
    };
    settings.alarms.iter().map(alarm).collect()
}

fn record(key: PartKey) -> Record {
    Record {
        key,
        state: RecordState::Made,
        identity: Identity::default(),
        instance: None,
        outputs: Outputs::default(),
        needs: Vec::new(),
        spec: String::new(),
    }
}

fn groups(settings: &Settings) -> Groups {
    let group = log_group::Existing {
        retention_days: Some(settings.retention_days),
        kms_key_arn: settings.kms_key_arn.clone().or_else(|| Some("arn:key".to_owned())),
        class: None,
    };
    let keys = container_insights_logs().into_iter().filter(|_| settings.container_insights);
    keys.map(|key| (key, group.clone())).collect()
}

#[test]
fn an_import_reads_back_what_was_configured() {
    let topics: Set<String> = ["arn:aws:sns:eu-central-1:111122223333:a".to_owned()].into_iter().collect();
    let off = Alarm { enabled: false.into(), ..Alarm::default() };
    let alarms = Alarms {
        sns_topic_arns: Field::Known(topics),
        node_cpu: Field::Known(level(70, 3)),
        pod_restarts: Field::Known(level(7, 1)),
        api_errors: Field::Known(off),
        ..Alarms::default()
    };
    let configured = [
        Observability::default(),
        Observability { container_insights: false.into(), ..Observability::default() },
        Observability {
            log_retention_days: 30.into(),
            kms_key_arn: "arn:another".into(),
            alarms: Field::Known(alarms),
            ..Observability::default()
        },
        Observability {
            alarms: Field::Known(Alarms { enabled: false.into(), ..Alarms::default() }),
            ..Observability::default()
        },
    ];
    for observability in configured {
        let settings = settings(observability.clone());
        let read = read_back(&existing(&settings), &groups(&settings), Some("arn:key"));
        assert_eq!(read.unwrap_or_default(), observability);
    }
}

#[test]
fn an_import_sees_whether_break_glass_has_its_alarm() {
    assert_eq!(break_glass_alarm(&[]), Field::Known(false));
    let there = metric_alarm::Existing { record: record(alarm(BREAK_GLASS)), definition: None };
    assert_eq!(break_glass_alarm(&[there]), Field::Null);
}

#[test]
fn without_container_insights_only_the_alarms_of_the_api_server_are_left() {
    let off = Observability { container_insights: false.into(), ..Observability::default() };
    let names: Vec<&str> = settings(off.clone()).alarms.into_keys().collect();
    assert_eq!(names, ["api-errors", "api-throttles"]);
    let keys: Vec<PartKey> = specs(&with(off)).expect("known").into_keys().collect();
    assert_eq!(keys, [alarm("api-errors"), alarm("api-throttles")]);
}

#[test]
fn metrics_and_dimensions_are_those_that_are_sent() {
    let sent = |kind: &super::Kind| {
        let sent = definition(kind, Level { threshold: 1, minutes: 5 }, "prod");
        format!(
            "{} {} {:?} {} {}x{}s {}",
            sent.namespace,
            sent.metric,
            sent.dimensions,
            sent.statistic,
            sent.periods,
            sent.period_seconds,
            sent.missing_data
        )
    };
    let sent: Vec<String> = KINDS.iter().map(sent).collect();
    insta::assert_snapshot!(sent.join("\n"));
}

#[test]
fn unknown_topics_hide_no_text_and_an_unknown_threshold_hides_its_own() {
    let alarms = Alarms {
        sns_topic_arns: Field::Unknown,
        node_disk: Field::Known(Alarm { threshold: Field::Unknown, ..Alarm::default() }),
        ..Alarms::default()
    };
    let model = with(Observability { alarms: Field::Known(alarms), ..Observability::default() });
    assert_eq!(Settings::of(&model), None);
    let specs = specs(&model).expect("the keys are known");
    let hidden: Vec<PartKey> =
        specs.into_iter().filter_map(|(key, spec)| spec.is_none().then_some(key)).collect();
    assert_eq!(hidden, [alarm("node-disk")]);
    let unknown = Alarm { enabled: Field::Unknown, ..Alarm::default() };
    let alarms = Alarms { node_disk: Field::Known(unknown), ..Alarms::default() };
    let model = with(Observability { alarms: Field::Known(alarms), ..Observability::default() });
    assert_eq!(super::specs(&model), None);
}

#[test]
fn what_cannot_be_is_refused_where_it_stands() {
    let break_glass = |logging: Logging| ProductionCluster {
        break_glass: Field::Known(BreakGlass::default()),
        logging: Field::Known(logging),
        ..ProductionCluster::default()
    };
    let api_only: Set<String> = ["api".to_owned()].into_iter().collect();
    let alarms = Alarms { node_cpu: Field::Known(level(101, 1)), ..Alarms::default() };
    let cases = [
        (
            with(Observability { log_retention_days: 8.into(), ..Observability::default() }),
            "observability.log_retention_days",
        ),
        (
            with(Observability { alarms: Field::Known(alarms), ..Observability::default() }),
            "observability.alarms.node_cpu.threshold",
        ),
        (break_glass(Logging { types: Field::Known(api_only), ..Logging::default() }), "break_glass.alarm"),
        (
            break_glass(Logging { class: "INFREQUENT_ACCESS".into(), ..Logging::default() }),
            "break_glass.alarm",
        ),
    ];
    for (config, path) in cases {
        let mut diagnostics = Diagnostics::new();
        check(&config, &mut diagnostics);
        let paths: BTreeSet<String> =
            diagnostics.iter().filter_map(|found| found.path.as_ref().map(ToString::to_string)).collect();
        assert_eq!(paths, [path.to_owned()].into());
    }
}
