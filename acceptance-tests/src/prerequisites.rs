//! The tools that must be installed. A missing one is a clear error, never a skipped test.

use std::process::{Command, Stdio};

use crate::{Failure, Result};

/// The oldest Terraform the tests know.
pub const OLDEST_TERRAFORM: (u32, u32) = (1, 11);
/// The oldest Python the local AWS runs on.
pub const OLDEST_PYTHON: (u32, u32) = (3, 11);

/// A tool, how its version is asked for, and where it comes from.
struct Tool {
    name: &'static str,
    question: &'static [&'static str],
    oldest: Option<(u32, u32)>,
    way_out: &'static str,
}

const TOOLS: [Tool; 5] = [
    Tool { name: "cargo", question: &["--version"], oldest: None, way_out: "install Rust with rustup" },
    Tool {
        name: "cc",
        question: &["--version"],
        oldest: None,
        way_out: "install a C compiler (Debian: build-essential; macOS: xcode-select --install)",
    },
    Tool {
        name: "terraform",
        question: &["version"],
        oldest: Some(OLDEST_TERRAFORM),
        way_out: "install Terraform 1.11 or newer",
    },
    Tool {
        name: "python3",
        question: &["--version"],
        oldest: Some(OLDEST_PYTHON),
        way_out: "install Python 3.11 or newer",
    },
    Tool {
        name: "python3",
        question: &["-c", "import ensurepip, venv; print('venv')"],
        oldest: None,
        way_out: "install Python's venv module (Debian: python3-venv)",
    },
];

/// What the programs of the Kubernetes test bed are built with; nothing else needs it.
const GO: Tool = Tool {
    name: "go",
    question: &["version"],
    oldest: Some((1, 26)),
    way_out: "install Go 1.26 or newer (https://go.dev/dl)",
};

/// Fails unless Go is there.
pub fn check_go() -> Result<()> {
    complaint(&GO).map_or(Ok(()), |complaint| Err(missing(&[complaint])))
}

/// Fails with one line for each tool that is missing or too old.
pub fn check() -> Result<()> {
    let complaints: Vec<String> = TOOLS.iter().filter_map(complaint).collect();
    if complaints.is_empty() { Ok(()) } else { Err(missing(&complaints)) }
}

fn missing(complaints: &[String]) -> Failure {
    Failure::new(format!("something is missing on this machine:\n  - {}", complaints.join("\n  - ")))
}

fn complaint(tool: &Tool) -> Option<String> {
    let asked = format!("{} {}", tool.name, tool.question.join(" "));
    let mut command = Command::new(tool.name);
    // A version question must not depend on the user's settings.
    command.args(tool.question).env_remove("TF_CLI_CONFIG_FILE").env("CHECKPOINT_DISABLE", "1");
    let output = match command.stdin(Stdio::null()).output() {
        Ok(output) if output.status.success() => output,
        Ok(output) => {
            let text = String::from_utf8_lossy(&output.stderr);
            return Some(format!("`{asked}` failed ({}): {}", text.trim(), tool.way_out));
        }
        Err(error) => return Some(format!("`{asked}` cannot be run ({error}): {}", tool.way_out)),
    };
    let oldest = tool.oldest?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    match version_in(&text) {
        Some(found) if found >= oldest => None,
        Some(found) => {
            Some(format!("{} is {}.{}, which is too old: {}", tool.name, found.0, found.1, tool.way_out))
        }
        None => Some(format!("`{asked}` named no version: {}", tool.way_out)),
    }
}

/// The first `N.N` in a text.
fn version_in(text: &str) -> Option<(u32, u32)> {
    text.split(|letter: char| !letter.is_ascii_digit() && letter != '.').find_map(|word| {
        let mut numbers = word.split('.');
        Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
    })
}

#[cfg(test)]
mod tests {
    use super::version_in;

    #[test]
    fn versions_are_found_in_the_words_tools_print() {
        assert_eq!(version_in("Terraform v1.11.4\non linux_amd64"), Some((1, 11)));
        assert_eq!(version_in("OpenTofu v1.12.6\n"), Some((1, 12)));
        assert_eq!(version_in("Python 3.11.7"), Some((3, 11)));
        assert_eq!(version_in("go version go1.26.8 linux/amd64"), Some((1, 26)));
        assert_eq!(version_in("no version here"), None);
    }
}
