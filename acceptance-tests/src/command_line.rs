//! The Terraform-compatible CLIs of this machine.

use std::path::PathBuf;

use crate::{Explain, Result, cache};

/// One CLI.
#[derive(Debug, Clone)]
pub struct CommandLine {
    /// `terraform`, `terraform-1.16.4`, `tofu-1.12.6`.
    pub name: String,
    /// What is run.
    pub program: PathBuf,
}

impl CommandLine {
    /// The `terraform` on the path.
    pub fn terraform() -> Self {
        Self { name: "terraform".to_owned(), program: PathBuf::from("terraform") }
    }

    /// Whether this is OpenTofu.
    pub fn is_tofu(&self) -> bool {
        self.name.starts_with("tofu")
    }

    /// The `terraform` on the path and those built by `cases/build-clis.sh`.
    pub fn all() -> Result<Vec<Self>> {
        let mut found = vec![Self::terraform()];
        let folder = cache::folder()?.join("bin");
        if folder.is_dir() {
            let entries = std::fs::read_dir(&folder).explain(folder.display())?;
            let paths = entries.filter_map(|entry| entry.ok().map(|entry| entry.path()));
            let mut built: Vec<Self> = paths.filter_map(Self::built).collect();
            built.sort_by(|one, other| one.name.cmp(&other.name));
            found.extend(built);
        }
        Ok(found)
    }

    fn built(program: PathBuf) -> Option<Self> {
        let name = program.file_name()?.to_string_lossy().into_owned();
        let known = name.starts_with("terraform-") || name.starts_with("tofu-");
        known.then_some(Self { name, program })
    }
}
