//! Judging a configuration by the production rules, and what its waivers accept.

use std::collections::BTreeMap;

use terraform_plugin::prelude::*;

use super::known::texts;
use super::model::ProductionCluster;
use super::report::{headline, wrong};
use crate::errors;
use crate::rules::{self, Rule};

/// The waivers of a configuration, which judge by a rule at a time.
pub struct Waivers {
    waivers: BTreeMap<String, String>,
    path: Path,
}

impl Waivers {
    /// None while they are unknown: nothing can be judged then.
    pub fn of(config: &ProductionCluster) -> Option<Self> {
        let path = ProductionCluster::at(&Path::root()).waivers;
        Some(Self { waivers: texts(&config.waivers)?.unwrap_or_default(), path })
    }

    /// Waivers of no rule, and without a reason.
    pub fn check(&self, diagnostics: &mut Diagnostics) {
        for (id, problem) in rules::wrong_waivers(&self.waivers) {
            wrong(diagnostics, &self.path.key(id), problem);
        }
    }

    /// An error for what is broken and not waived, each with its path; a warning for a waiver without need.
    /// Nothing is broken for certain while something that decides it is unknown (`known`).
    pub fn judge(&self, rule: Rule, known: bool, broken: Vec<(Path, String)>, diagnostics: &mut Diagnostics) {
        let is_waived = self.waivers.contains_key(rule.id);
        if broken.is_empty() && known && is_waived {
            diagnostics.warning_at(
                &self.path.key(rule.id),
                "A waiver is not needed",
                format!("The rule {} is not broken; remove its waiver.", rule.id),
            );
        }
        for (path, what) in broken.into_iter().filter(|_| !is_waived) {
            diagnostics.error_at(
                &path,
                headline("A production rule is broken", errors::RULE_BROKEN),
                format!(
                    "{what} {} {}\n\nTo accept it on record: waivers = {{ \"{}\" = \"<reason>\" }}.",
                    rule.why, rule.instead, rule.id
                ),
            );
        }
    }
}
