//! The Python environment of the local AWS: made once for each version of the lock file.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sha2::{Digest, Sha256};

use crate::{Explain, Failure, Result, cache};

/// The folder of the local AWS's source.
pub fn source() -> PathBuf {
    cache::repository().join("acceptance-tests").join("aws")
}

/// The interpreter of an environment that holds exactly what `requirements.lock` names.
pub fn interpreter() -> Result<PathBuf> {
    let lock = source().join("requirements.lock");
    let content = fs::read(&lock).explain(lock.display())?;
    let key: String = Sha256::digest(&content).iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    let environment = cache::folder()?.join(format!("venv-{key}"));
    let python = environment.join("bin").join("python");
    cache::made_once(&environment, |folder| {
        eprintln!("Preparing the Python environment in {} (once) …", folder.display());
        run(Path::new("python3"), &["-m".as_ref(), "venv".as_ref(), folder.as_os_str()])?;
        let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"];
        let mut arguments: Vec<&std::ffi::OsStr> = install.iter().map(|word| (*word).as_ref()).collect();
        arguments.push(lock.as_os_str());
        run(&python, &arguments)
    })?;
    Ok(python)
}

/// Runs a program to its good end.
pub(crate) fn run(program: &Path, arguments: &[&std::ffi::OsStr]) -> Result<()> {
    let shown = format!("{} {arguments:?}", program.display());
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output().explain(&shown)?;
    if output.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stderr);
    Err(Failure::new(format!("{shown} failed ({}):\n{}", output.status, text.trim())))
}
