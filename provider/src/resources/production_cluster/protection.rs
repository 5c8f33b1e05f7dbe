//! Deletion protection of a cluster that is finished, whether or not its last update was.

use terraform_plugin::prelude::*;

use super::memory::Identity;
use super::model::ProductionCluster;
use super::report::headline;
use super::state::INCOMPLETE;
use crate::errors;

/// True while the cluster must not go.
pub fn is_on(model: &ProductionCluster) -> bool {
    model.status.text() != Some(INCOMPLETE) && model.deletion_protection.known() != Some(&false)
}

/// The refusal of a protected cluster's end, in one wording.
pub fn refuse(diagnostics: &mut Diagnostics, identity: &Identity, verb: &str) {
    diagnostics.error_at(
        &ProductionCluster::at(&Path::root()).deletion_protection,
        headline("Deletion protection is on", errors::DELETION_PROTECTED),
        format!(
            "This plan {verb} the cluster {identity}, which is finished and protected. First apply \
             deletion_protection = false with the waiver \"deletion-protection-off\"; then run this again."
        ),
    );
}
