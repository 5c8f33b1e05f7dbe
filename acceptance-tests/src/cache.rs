//! The folder that outlives a run: the Python environment, built CLIs, the provider as a plugin folder.
//! Test processes run side by side, so everything in it is made under a lock.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::{Explain, Result};

/// What is older than this is used by no run any more.
const LONGEST_RUN: Duration = Duration::from_secs(4 * 60 * 60);

/// `TERRAFORM_PROVIDER_EKS_CACHE`, else `terraform-provider-eks` in the user's cache folder.
pub fn folder() -> Result<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(chosen) = set("TERRAFORM_PROVIDER_EKS_CACHE") {
        return Ok(chosen);
    }
    let base = match set("XDG_CACHE_HOME") {
        Some(base) => base,
        None => set("HOME").explain("neither XDG_CACHE_HOME nor HOME is set")?.join(".cache"),
    };
    Ok(base.join("terraform-provider-eks"))
}

/// Runs `work` while no other process runs something under the same name.
pub fn exclusively<T>(name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let folder = folder()?.join("locks");
    fs::create_dir_all(&folder).explain(folder.display())?;
    let path = folder.join(name);
    let file = File::create(&path).explain(path.display())?;
    file.lock().explain(format_args!("waiting for {}", path.display()))?;
    work() // the lock ends with the file handle
}

/// A folder made once by `make` and complete when this returns. What a broken attempt left is removed first.
pub fn made_once(path: &Path, make: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    let complete = path.join(".complete");
    if complete.exists() {
        return Ok(());
    }
    let name = path.file_name().explain("a folder without a name")?.to_string_lossy().into_owned();
    exclusively(&name, || {
        if complete.exists() {
            return Ok(());
        }
        if path.exists() {
            fs::remove_dir_all(path).explain(format_args!("removing {}", path.display()))?;
        }
        make(path)?;
        File::create(&complete).explain(complete.display())?;
        Ok(())
    })
}

/// What is in a folder and older than any run, but for the newest `kept` entries.
pub fn old_entries(folder: &Path, kept: usize) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).explain(folder.display())? {
        let entry = entry.explain(folder.display())?;
        let facts = entry.metadata().and_then(|facts| facts.modified());
        let age = facts.ok().and_then(|changed| changed.elapsed().ok()).unwrap_or_default();
        found.push((age, entry.path()));
    }
    found.sort();
    Ok(found.into_iter().skip(kept).filter(|(age, _)| *age > LONGEST_RUN).map(|(_, path)| path).collect())
}

/// The top of the repository. Cargo says at run time where that is: a target folder that several clones share
/// may hold what was compiled in another one.
pub fn repository() -> PathBuf {
    let here = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    here.parent().map(Path::to_path_buf).unwrap_or(here)
}
