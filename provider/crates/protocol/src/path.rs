//! Paths to attributes, as diagnostics and replacements name them.

use std::fmt;

use crate::wire::tfplugin6;

/// One step of a [`Path`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PathStep {
    /// An attribute of an object.
    Attribute(String),
    /// An element of a map.
    Key(String),
    /// An element of a list.
    Index(i64),
    /// An element of a set. Terraform has no name for those: on the wire the path ends at the set.
    Element,
}

/// The way from the root of a resource, data source or provider block to one value in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path {
    steps: Vec<PathStep>,
}

impl Path {
    /// The whole object.
    pub fn root() -> Self {
        Self::default()
    }

    /// An attribute below this path.
    pub fn attribute(&self, name: impl Into<String>) -> Self {
        self.with(PathStep::Attribute(name.into()))
    }

    /// An element of the map at this path.
    pub fn key(&self, key: impl Into<String>) -> Self {
        self.with(PathStep::Key(key.into()))
    }

    /// An element of the list at this path.
    pub fn index(&self, index: usize) -> Self {
        self.with(PathStep::Index(i64::try_from(index).unwrap_or(i64::MAX)))
    }

    /// Some element of the set at this path.
    pub fn element(&self) -> Self {
        self.with(PathStep::Element)
    }

    /// The steps from the root.
    pub fn steps(&self) -> &[PathStep] {
        &self.steps
    }

    /// Whether this is the whole object.
    pub fn is_root(&self) -> bool {
        self.steps.is_empty()
    }

    fn with(&self, step: PathStep) -> Self {
        let mut steps = Vec::with_capacity(self.steps.len() + 1);
        steps.extend_from_slice(&self.steps);
        steps.push(step);
        Self { steps }
    }

    /// The form on the wire; nothing for the root.
    pub fn to_wire(&self) -> Option<tfplugin6::AttributePath> {
        use tfplugin6::attribute_path::{Step, step::Selector};
        let steps: Vec<Step> = self
            .steps
            .iter()
            .map_while(|step| match step {
                PathStep::Attribute(name) => Some(Selector::AttributeName(name.clone())),
                PathStep::Key(key) => Some(Selector::ElementKeyString(key.clone())),
                PathStep::Index(index) => Some(Selector::ElementKeyInt(*index)),
                PathStep::Element => None,
            })
            .map(|selector| Step { selector: Some(selector) })
            .collect();
        (!steps.is_empty()).then_some(tfplugin6::AttributePath { steps })
    }
}

impl fmt::Display for Path {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, step) in self.steps.iter().enumerate() {
            match step {
                PathStep::Attribute(name) if position == 0 => formatter.write_str(name)?,
                PathStep::Attribute(name) => write!(formatter, ".{name}")?,
                PathStep::Key(key) => write!(formatter, "[{key:?}]")?,
                PathStep::Index(index) => write!(formatter, "[{index}]")?,
                PathStep::Element => formatter.write_str("[*]")?,
            }
        }
        Ok(())
    }
}
