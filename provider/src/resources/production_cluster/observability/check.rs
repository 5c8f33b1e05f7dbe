//! What is wrong with the arguments, as far as they are known.

use terraform_plugin::prelude::*;

use super::super::known::{set, value};
use super::super::model::{BreakGlass, ProductionCluster, is_retention};
use super::super::report::wrong;
use super::alarms::KINDS;
use super::model::{Alarm, Alarms, Observability};
use super::{AUDIT, LOG_CLASS};

/// Everything that can be said without AWS.
pub fn check(config: &ProductionCluster, diagnostics: &mut Diagnostics) {
    let paths = ProductionCluster::at(&Path::root());
    if let Some(observability) = config.observability.known() {
        let at = Observability::at(&paths.observability);
        if let Some(days) = observability.log_retention_days.known().filter(|days| !is_retention(**days)) {
            let text = format!("CloudWatch Logs has no retention of {days} days.");
            wrong(diagnostics, &at.log_retention_days, text);
        }
        if let Some(alarms) = observability.alarms.known() {
            check_percentages(alarms, &at.alarms, diagnostics);
        }
    }
    check_break_glass(config, &paths.break_glass, diagnostics);
}

fn check_percentages(alarms: &Alarms, path: &Path, diagnostics: &mut Diagnostics) {
    let paths = Alarms::at(path);
    for kind in KINDS.iter().filter(|kind| kind.is_percentage) {
        let alarm = (kind.argument)(alarms).known();
        if let Some(threshold) =
            alarm.and_then(|alarm| alarm.threshold.known()).filter(|number| **number > 100)
        {
            let text = format!("{threshold} is more than 100 %: the alarm would never go off.");
            wrong(diagnostics, &Alarm::at((kind.path)(&paths)).threshold, text);
        }
    }
}

/// The alarm counts events of the audit log.
fn check_break_glass(config: &ProductionCluster, path: &Path, diagnostics: &mut Diagnostics) {
    if super::has_break_glass_alarm(config) != Some(true) {
        return;
    }
    let path = BreakGlass::at(path).alarm;
    let Some(logging) = value(&config.logging) else { return };
    let logging = logging.unwrap_or_default();
    if let Some(Some(types)) = set(&logging.types)
        && !types.contains(AUDIT)
    {
        let text = "The alarm on break_glass is fed by the audit log, which is off: add \"audit\" to logging.types, or \
                    set break_glass.alarm = false.";
        wrong(diagnostics, &path, text.to_owned());
    }
    if let Some(Some(class)) = value(&logging.class)
        && class != LOG_CLASS
    {
        let text = format!(
            "The alarm on break_glass counts events of the log group, which AWS does only for the class {LOG_CLASS}, \
             not for {class}: set break_glass.alarm = false, or choose that class for a new cluster."
        );
        wrong(diagnostics, &path, text);
    }
}
