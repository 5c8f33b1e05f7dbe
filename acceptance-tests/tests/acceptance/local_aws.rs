//! The local AWS has a suite of its own; a model that is wrong proves nothing.

use std::process::{Command, Stdio};

use acceptance_tests::failure::ensure;
use acceptance_tests::{Explain, Result, python};

fn passes(module: &str, arguments: &[&str]) -> Result<()> {
    let mut command = Command::new(python::interpreter()?);
    command.args(["-m", module]).args(arguments).current_dir(python::source()).stdin(Stdio::null());
    let output = command.output().explain(module)?;
    let text =
        || format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    ensure(output.status.success(), text)
}

#[test]
fn its_own_tests_pass() -> Result<()> {
    passes("pytest", &["tests", "-q", "-p", "no:cacheprovider"])
}

#[test]
fn its_source_is_clean() -> Result<()> {
    passes("ruff", &["check", "--no-cache", "."])?;
    passes("ruff", &["format", "--no-cache", "--check", "."])
}
