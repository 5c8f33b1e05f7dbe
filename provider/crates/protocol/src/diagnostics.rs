//! What users are told: errors and warnings, each with the attribute it is about.

use std::fmt;

use crate::path::Path;
use crate::wire::tfplugin6;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The operation failed.
    Error,
    /// The operation went on.
    Warning,
}

/// One error or warning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// One line.
    pub summary: String,
    /// As many paragraphs as it takes.
    pub detail: String,
    /// The attribute it is about, if it is about one.
    pub path: Option<Path>,
}

impl Diagnostic {
    /// Before version 1.15 Terraform cannot show where an attribute within an attribute is, so the text says it.
    fn detail_with_path(&self) -> String {
        match &self.path {
            Some(path) if path.steps().len() > 1 && !self.detail.contains(&path.to_string()) => {
                format!("{}\n\nThe attribute is `{path}`.", self.detail).trim_start().to_owned()
            }
            _ => self.detail.clone(),
        }
    }
}

/// Errors and warnings in the order they were found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Diagnostics {
    items: Vec<Diagnostic>,
}

impl Diagnostics {
    /// Nothing to say.
    pub fn new() -> Self {
        Self::default()
    }

    /// A single error.
    pub fn from_error(summary: impl Into<String>, detail: impl Into<String>) -> Self {
        let mut diagnostics = Self::new();
        diagnostics.error(summary, detail);
        diagnostics
    }

    /// A single error about one attribute.
    pub fn from_error_at(path: &Path, summary: impl Into<String>, detail: impl Into<String>) -> Self {
        let mut diagnostics = Self::new();
        diagnostics.error_at(path, summary, detail);
        diagnostics
    }

    /// Adds an error.
    pub fn error(&mut self, summary: impl Into<String>, detail: impl Into<String>) {
        self.add(Severity::Error, None, summary.into(), detail.into());
    }

    /// Adds an error about one attribute.
    pub fn error_at(&mut self, path: &Path, summary: impl Into<String>, detail: impl Into<String>) {
        self.add(Severity::Error, Some(path), summary.into(), detail.into());
    }

    /// Adds a warning.
    pub fn warning(&mut self, summary: impl Into<String>, detail: impl Into<String>) {
        self.add(Severity::Warning, None, summary.into(), detail.into());
    }

    /// Adds a warning about one attribute.
    pub fn warning_at(&mut self, path: &Path, summary: impl Into<String>, detail: impl Into<String>) {
        self.add(Severity::Warning, Some(path), summary.into(), detail.into());
    }

    /// Adds everything of `other`.
    pub fn extend(&mut self, other: Diagnostics) {
        self.items.extend(other.items);
    }

    /// Adds one diagnostic.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.items.push(diagnostic);
    }

    /// Whether anything failed.
    pub fn has_errors(&self) -> bool {
        self.items.iter().any(|item| item.severity == Severity::Error)
    }

    /// Whether there is nothing to say.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// How many errors and warnings there are.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// All of them in order.
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.items.iter()
    }

    /// Only the errors: what a second run of the same checks should repeat.
    pub fn errors_only(mut self) -> Self {
        self.items.retain(|item| item.severity == Severity::Error);
        self
    }

    /// Nothing if there are no errors, all of it otherwise.
    pub fn into_result(self) -> Result<(), Diagnostics> {
        if self.has_errors() { Err(self) } else { Ok(()) }
    }

    fn add(&mut self, severity: Severity, path: Option<&Path>, summary: String, detail: String) {
        self.items.push(Diagnostic { severity, summary, detail, path: path.cloned() });
    }

    /// The form on the wire.
    pub fn into_wire(self) -> Vec<tfplugin6::Diagnostic> {
        use tfplugin6::diagnostic::Severity as Wire;
        self.items
            .into_iter()
            .map(|item| tfplugin6::Diagnostic {
                severity: match item.severity {
                    Severity::Error => Wire::Error.into(),
                    Severity::Warning => Wire::Warning.into(),
                },
                detail: item.detail_with_path(),
                summary: item.summary,
                attribute: item.path.as_ref().and_then(Path::to_wire),
            })
            .collect()
    }
}

impl IntoIterator for Diagnostics {
    type Item = Diagnostic;
    type IntoIter = std::vec::IntoIter<Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.into_iter()
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for item in &self.items {
            let kind = match item.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
            };
            match &item.path {
                Some(path) => writeln!(formatter, "{kind}: {} ({path}): {}", item.summary, item.detail)?,
                None => writeln!(formatter, "{kind}: {}: {}", item.summary, item.detail)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
