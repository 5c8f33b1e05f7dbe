//! What we made, with its edges. Kept by the caller between runs; plain data, serde both ways.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

use crate::{Input, PartKey, graph::Source};

/// What names an object in the world: field → value, such as `{"cluster": "prod", "name": "coredns"}`.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Identity(pub BTreeMap<String, String>);

impl Identity {
    /// An identity of the given fields.
    pub fn new<const N: usize>(fields: [(&str, &str); N]) -> Self {
        Self(fields.into_iter().map(|(field, value)| (field.to_owned(), value.to_owned())).collect())
    }

    /// The value of a field; empty when the identity has no such field.
    pub fn get(&self, field: &str) -> &str {
        self.0.get(field).map_or("", String::as_str)
    }
}

/// What only the world can name or decide: output → value, such as `{"arn": "…"}`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Outputs(pub BTreeMap<String, String>);

impl Outputs {
    /// Outputs of the given values.
    pub fn new<const N: usize>(values: [(&str, &str); N]) -> Self {
        Self(values.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    /// The value of an output, when it is known.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Sets an output.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.0.insert(name.to_owned(), value.into());
    }

    /// Takes over every value of `newer`.
    pub fn merge(&mut self, newer: Outputs) {
        self.0.extend(newer.0);
    }
}

/// How much of a recorded part is certain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordState {
    /// A create was about to be called, or was called and its answer never came.
    Intended,
    /// It was made, and something about it is not finished (it still settles, or changes are left).
    Made,
    /// It was made and has settled.
    Settled,
    /// Another object takes its place; it is deleted when that one has settled.
    Retired,
}

/// One object we made, or were about to make.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Key of the part.
    pub key: PartKey,
    /// How much of it is certain.
    pub state: RecordState,
    /// What names it in the world; never derived again.
    pub identity: Identity,
    /// What tells this object from one made later under the same name, where the world has such a thing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// What only the world can name.
    #[serde(default)]
    pub outputs: Outputs,
    /// Keys of the parts it stands on: it is deleted before them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<PartKey>,
    /// The text of the configuration that was last really carried out.
    #[serde(default)]
    pub spec: String,
}

/// What we made, with its edges. At most one record of a key is not [`RecordState::Retired`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    /// The records, in the order in which they were first written.
    pub records: Vec<Record>,
}

impl Ledger {
    /// The current record of a part.
    pub fn get(&self, key: &PartKey) -> Option<&Record> {
        self.records.iter().find(|record| record.key == *key && record.state != RecordState::Retired)
    }

    /// Takes over the outputs that were seen of recorded parts.
    pub fn learn(&mut self, seen: &BTreeMap<PartKey, Outputs>) {
        for record in self.records.iter_mut().filter(|record| record.state != RecordState::Retired) {
            if let Some(outputs) = seen.get(&record.key) {
                record.outputs.merge(outputs.clone());
            }
        }
    }

    /// True when nothing was made.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Writes the current record of a part, in the place of the one before.
    pub fn put(&mut self, record: Record) {
        let current = |other: &&mut Record| other.key == record.key && other.state != RecordState::Retired;
        match self.records.iter_mut().find(current) {
            Some(existing) => *existing = record,
            None => self.records.push(record),
        }
    }

    /// The records whose successor has not settled yet, or that wait for their deletion.
    pub(crate) fn retired(&self) -> impl Iterator<Item = &Record> {
        self.records.iter().filter(|record| record.state == RecordState::Retired)
    }

    /// The record of exactly this object, current or retired.
    pub(crate) fn of(&self, key: &PartKey, identity: &Identity) -> Option<&Record> {
        self.records.iter().find(|record| record.key == *key && record.identity == *identity)
    }

    /// Drops the record of exactly this object.
    pub(crate) fn remove(&mut self, key: &PartKey, identity: &Identity) {
        self.records.retain(|record| record.key != *key || record.identity != *identity);
    }

    /// The value of an input as the current records know it.
    pub(crate) fn resolve(&self, input: &Input) -> Option<String> {
        match &input.0 {
            Source::Known(value) => Some(value.clone()),
            Source::Output { part, name } => self.get(part)?.outputs.get(name).map(str::to_owned),
        }
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (field, value)) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(formatter, "{separator}{field} {value}")?;
        }
        Ok(())
    }
}
