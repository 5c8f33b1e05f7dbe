//! What a CLI keeps in `terraform.tfstate`.

use base64::Engine;
use serde_json::Value;

use crate::{Explain, Result};

/// A state file.
#[derive(Debug, Clone, Default)]
pub struct StateFile {
    content: Value,
}

/// One object of a resource.
#[derive(Debug, Clone)]
pub struct Instance {
    /// All attributes.
    pub attributes: Value,
    /// Whether the next plan replaces it.
    pub tainted: bool,
    /// Whether it stands beside its replacement.
    pub deposed: bool,
    /// What the provider keeps for itself.
    pub private: Option<Value>,
}

impl StateFile {
    /// Reads the JSON text; an empty text is an empty state.
    pub fn parse(text: &str) -> Result<Self> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        Ok(Self { content: serde_json::from_str(text).explain("the state file")? })
    }

    /// The addresses of everything in it, `eks_production_cluster.main`.
    pub fn addresses(&self) -> Vec<String> {
        let resources = self.content["resources"].as_array().cloned().unwrap_or_default();
        let address =
            |resource: &Value| Some(format!("{}.{}", resource["type"].as_str()?, resource["name"].as_str()?));
        resources.iter().filter_map(address).collect()
    }

    /// The objects of one resource.
    pub fn instances(&self, address: &str) -> Vec<Instance> {
        let (kind, name) = address.split_once('.').unwrap_or((address, ""));
        let resources = self.content["resources"].as_array().cloned().unwrap_or_default();
        let own = resources.iter().filter(|resource| resource["type"] == kind && resource["name"] == name);
        let instances =
            own.flat_map(|resource| resource["instances"].as_array().cloned().unwrap_or_default());
        instances.map(|instance| Instance::read(&instance)).collect()
    }

    /// The one current object of a resource.
    pub fn current(&self, address: &str) -> Option<Instance> {
        self.instances(address).into_iter().find(|instance| !instance.deposed)
    }

    /// The deposed objects of a resource.
    pub fn deposed(&self, address: &str) -> Vec<Instance> {
        self.instances(address).into_iter().filter(|instance| instance.deposed).collect()
    }
}

impl Instance {
    fn read(instance: &Value) -> Self {
        let private = instance["private"].as_str().and_then(|text| {
            let bytes = base64::engine::general_purpose::STANDARD.decode(text).ok()?;
            serde_json::from_slice(&bytes).ok()
        });
        Self {
            attributes: instance["attributes"].clone(),
            tainted: instance["status"] == "tainted",
            deposed: instance.get("deposed").is_some_and(|key| !key.is_null()),
            private,
        }
    }

    /// A text attribute; empty when it is not there.
    pub fn text(&self, attribute: &str) -> &str {
        self.attributes[attribute].as_str().unwrap_or_default()
    }

    /// `ready`, `incomplete`, `degraded`.
    pub fn status(&self) -> &str {
        self.text("status")
    }

    /// The text of a part's state.
    pub fn part_state(&self, part: &str) -> &str {
        self.attributes["parts"][part]["state"].as_str().unwrap_or_default()
    }
}
