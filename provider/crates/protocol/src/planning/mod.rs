//! Planning, in the order that keeps Terraform from finding the result inconsistent.

mod checks;
mod stages;

use crate::diagnostics::Diagnostics;
use crate::framework::AnyResource;
use crate::path::Path;
use crate::schema::tree;
use crate::value::Value;

/// What is to be planned.
#[derive(Debug)]
pub(crate) struct PlanInput {
    pub(crate) config: Value,
    pub(crate) prior: Value,
    pub(crate) proposed: Value,
    pub(crate) prior_private: Vec<u8>,
}

/// A plan.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) planned: Value,
    pub(crate) requires_replace: Vec<Path>,
    pub(crate) private: Vec<u8>,
    pub(crate) diagnostics: Diagnostics,
}

/// Plans a create, an update or a deletion.
pub(crate) async fn plan(resource: &dyn AnyResource, input: PlanInput) -> Plan {
    let PlanInput { config, prior, proposed, prior_private } = input;
    if proposed.is_null() {
        let plan = resource.plan_destroy(&prior, &prior_private).await;
        return Plan {
            planned: Value::Null,
            requires_replace: Vec::new(),
            private: plan.private,
            diagnostics: plan.diagnostics,
        };
    }
    let attributes = &resource.schema().attributes;
    let mut diagnostics = Diagnostics::new();
    tree::validate(attributes, &config, &Path::root(), &mut diagnostics);
    diagnostics.extend(resource.validate(&config));
    // Warnings were shown when Terraform validated the same configuration a moment ago.
    let mut diagnostics = diagnostics.errors_only();
    if diagnostics.has_errors() {
        return Plan { planned: proposed, requires_replace: Vec::new(), private: prior_private, diagnostics };
    }

    let mut planned = proposed;
    stages::apply_defaults(attributes, &config, &mut planned);
    tree::clear_write_only(attributes, &mut planned);
    let changed = prior.is_null() || planned != prior || resource.unsettled(&prior, &prior_private);
    if changed {
        stages::mark_computed(attributes, &config, &mut planned);
    }
    let mut requires_replace = Vec::new();
    stages::modify(attributes, &config, &prior, &mut planned, &Path::root(), &mut requires_replace);

    let customised = resource.plan(&prior, &config, planned, &prior_private, changed).await;
    let mut planned = customised.planned;
    diagnostics.extend(customised.diagnostics);
    requires_replace.extend(customised.requires_replace);
    requires_replace.sort();
    requires_replace.dedup();
    tree::clear_write_only(attributes, &mut planned);
    tree::fill_blocks(attributes, &mut planned);
    if !diagnostics.has_errors() {
        checks::check_plan(attributes, &prior, &config, &planned, &mut diagnostics);
    }
    Plan { planned, requires_replace, private: customised.private, diagnostics }
}

#[cfg(test)]
mod tests;
