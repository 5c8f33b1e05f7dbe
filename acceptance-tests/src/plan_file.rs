//! A plan as `show -json` prints it: what it does, and what it touches.

use serde_json::{Map, Value, json};

use crate::{Explain, Result};

/// A plan.
#[derive(Debug, Clone)]
pub struct PlanFile {
    content: Value,
}

impl PlanFile {
    /// Reads what `show -json` printed; warnings may stand before it.
    pub fn parse(output: &str) -> Result<Self> {
        let line = output.lines().find(|line| line.starts_with('{')).explain("show -json printed no JSON")?;
        Ok(Self { content: serde_json::from_str(line).explain("the plan as JSON")? })
    }

    /// The JSON without the configuration, which repeats the provider block as the user wrote it.
    pub fn without_configuration(&self) -> Value {
        let mut content = self.content.clone();
        if let Some(members) = content.as_object_mut() {
            members.remove("configuration");
        }
        content
    }

    /// The addresses of everything that is changed.
    pub fn changed_addresses(&self) -> Vec<String> {
        let address = |change: &Value| change["address"].as_str().map(str::to_owned);
        self.changes().filter_map(address).collect()
    }

    fn changes(&self) -> impl Iterator<Item = &Value> {
        let all = self.content["resource_changes"].as_array().into_iter().flatten();
        all.filter(|change| ![json!(["no-op"]), json!(["read"])].contains(&change["change"]["actions"]))
    }

    /// The planned change of one resource: `actions`, `before`, `after`, `after_unknown`.
    pub fn change(&self, address: &str) -> Option<&Value> {
        self.changes().find(|change| change["address"] == address).map(|change| &change["change"])
    }

    /// The attributes of a resource that change or may change; of `parts`, which ones (`parts.cluster`).
    pub fn touched(&self, address: &str) -> Vec<String> {
        let Some(change) = self.change(address) else { return Vec::new() };
        let (before, after, unknown) = (&change["before"], &change["after"], &change["after_unknown"]);
        let differs = |name: &str, [before, after, unknown]: [&Value; 3]| {
            before[name] != after[name] || holds_true(&unknown[name])
        };
        let mut found = Vec::new();
        for name in names(before, after) {
            if name == "parts" {
                let of_parts = [&before[&name], &after[&name], &unknown[&name]];
                let parts =
                    names(of_parts[0], of_parts[1]).into_iter().filter(|part| differs(part, of_parts));
                found.extend(parts.map(|part| format!("parts.{part}")));
            } else if differs(&name, [before, after, unknown]) {
                found.push(name);
            }
        }
        found
    }
}

/// The members of both, each once.
fn names(one: &Value, other: &Value) -> Vec<String> {
    let members = [one, other].into_iter().filter_map(Value::as_object).flat_map(Map::keys);
    members.cloned().collect::<std::collections::BTreeSet<_>>().into_iter().collect()
}

/// Unknown values are marked with `true` at any depth.
fn holds_true(value: &Value) -> bool {
    match value {
        Value::Bool(value) => *value,
        Value::Array(items) => items.iter().any(holds_true),
        Value::Object(members) => members.values().any(holds_true),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::PlanFile;
    use crate::Result;
    use serde_json::json;

    #[test]
    fn what_a_plan_touches_is_named() -> Result<()> {
        let plan = json!({"resource_changes": [{"address": "a.b", "change": {
            "actions": ["update"],
            "before": {"size": 1, "status": "ready", "name": "x", "parts": {"one": {"state": "s"}, "two": {"state": "s"}}},
            "after": {"size": 2, "name": "x", "parts": {"one": {}, "two": {"state": "s"}}},
            "after_unknown": {"status": true, "parts": {"one": {"state": true}, "two": {"state": false}}}
        }}, {"address": "c.d", "change": {"actions": ["no-op"]}}]});
        let plan = PlanFile::parse(&format!("a warning\n{plan}"))?;
        assert_eq!(plan.changed_addresses(), ["a.b"]);
        assert_eq!(plan.touched("a.b"), ["parts.one", "size", "status"]);
        Ok(())
    }
}
