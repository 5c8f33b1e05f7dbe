//! What a run that did not finish tells people: what failed, what exists now, what to do next.

use resource_graph::{Action, Ended, Failure, PartFailure, RecordState, Report};
use terraform_plugin::{Diagnostics, Path};

use crate::errors::{self, ErrorCode};

/// Headline with the code of its page.
pub fn headline(title: &str, code: ErrorCode) -> String {
    format!("{title} ({})", code.code)
}

/// An argument that cannot be so.
pub fn wrong(diagnostics: &mut Diagnostics, path: &Path, detail: String) {
    diagnostics.error_at(path, headline("An argument is wrong", errors::INVALID_ARGUMENT), detail);
}

/// A failure in one paragraph.
pub fn failure(failure: &Failure) -> String {
    match failure.code {
        Some(code) => format!("{} ({code})", failure.message),
        None => failure.message.clone(),
    }
}

/// Everything that went wrong, and what exists now.
pub fn detail(report: &Report, next: &str) -> String {
    let mut paragraphs: Vec<String> = report.failures.iter().map(part_failure).collect();
    match &report.ended {
        Ended::GuardRefused(refusal) => paragraphs.push(failure(refusal)),
        Ended::DeadlineReached => paragraphs.push(format!(
            "The time was over ({}). Set a longer one in the timeouts block if this was too short.",
            errors::TIMEOUT.code
        )),
        Ended::Stopped => paragraphs.push(format!("The run was interrupted ({}).", errors::INTERRUPTED.code)),
        Ended::Finished => {}
    }
    if !report.waits.is_empty() {
        let waits: Vec<String> = report.waits.iter().map(|(key, text)| format!("{key}: {text}")).collect();
        paragraphs.push(format!("Still waited for. {}.", waits.join("; ")));
    }
    if !report.blocked.is_empty() {
        let blocked: Vec<&str> = report.blocked.iter().map(|key| key.as_str()).collect();
        paragraphs.push(format!("Not begun because of that: {}.", blocked.join(", ")));
    }
    paragraphs.push(exists(report));
    paragraphs.push(next.to_owned());
    paragraphs.join("\n\n")
}

fn part_failure(part: &PartFailure) -> String {
    let is_unhealthy = part.action == Action::Settle && part.failure.code.is_none();
    let code = if is_unhealthy { format!(" ({})", errors::UNHEALTHY.code) } else { String::new() };
    format!("{}, {}: {}{code}", part.key, part.action, failure(&part.failure))
}

fn exists(report: &Report) -> String {
    let of = |wanted: fn(RecordState) -> bool| {
        let records = report.ledger.records.iter().filter(move |record| wanted(record.state));
        records.map(|record| record.key.as_str()).collect::<Vec<_>>().join(", ")
    };
    let settled = of(|state| state == RecordState::Settled);
    let unfinished = of(|state| matches!(state, RecordState::Made | RecordState::Retired));
    let intended = of(|state| state == RecordState::Intended);
    let mut sentences = Vec::new();
    if !settled.is_empty() {
        sentences.push(format!("Finished: {settled}."));
    }
    if !unfinished.is_empty() {
        sentences.push(format!("Not finished: {unfinished}."));
    }
    if !intended.is_empty() {
        sentences.push(format!("Perhaps made, AWS has not answered: {intended}."));
    }
    if sentences.is_empty() {
        "Nothing exists.".to_owned()
    } else {
        format!("What exists now. {}", sentences.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use resource_graph::{Ledger, PartKey};

    use super::*;

    #[test]
    fn a_run_out_of_time_names_what_it_waited_for() {
        let waits = [("cluster", "CREATING"), ("node-group/general", "waits for cluster")];
        let report = Report {
            ledger: Ledger::default(),
            views: BTreeMap::new(),
            failures: Vec::new(),
            blocked: Vec::new(),
            warnings: Vec::new(),
            ended: Ended::DeadlineReached,
            changed: true,
            waits: waits.map(|(key, text)| (PartKey::parse(key), text.to_owned())).into(),
        };
        let text = detail(&report, "Next.");
        assert!(
            text.contains("Still waited for. cluster: CREATING; node-group/general: waits for cluster."),
            "{text}"
        );
    }
}
