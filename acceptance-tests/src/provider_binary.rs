//! The provider: built once, and laid out as Terraform expects a plugin.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::{Explain, Failure, Result, cache, zig};

/// What users write as `source`.
pub const SOURCE: &str = "terraform-provider-eks/eks";
/// The name of the package and of the binary.
pub const NAME: &str = "terraform-provider-eks";

/// How many builds stay, however old they are.
const KEPT: usize = 3;

/// How the provider is built. A release on Linux is the static binary that is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    Debug,
    Release,
}

/// The provider laid out for the CLIs.
#[derive(Debug, Clone)]
pub struct Plugin {
    /// The binary.
    pub binary: PathBuf,
    /// What `filesystem_mirror` points at.
    pub mirror: PathBuf,
}

/// The provider binary: `TERRAFORM_PROVIDER_EKS_BINARY`, else what cargo builds.
pub fn build(profile: Profile) -> Result<PathBuf> {
    if let Some(chosen) = std::env::var_os("TERRAFORM_PROVIDER_EKS_BINARY") {
        let path = PathBuf::from(chosen);
        return path.canonicalize().explain(format_args!("TERRAFORM_PROVIDER_EKS_BINARY={}", path.display()));
    }
    cache::exclusively("provider-build", || {
        let mut command = match profile {
            // With the features of the whole workspace, else its test run would build the SDK a second time.
            Profile::Debug => cargo(&["build", "--bin", NAME, "--workspace"]),
            Profile::Release if cfg!(target_os = "linux") => zig::build(NAME)?,
            Profile::Release => cargo(&["build", "--release", "--locked", "-p", NAME]),
        };
        if profile == Profile::Release {
            eprintln!("{}", shown(&command));
        }
        command.args(["--message-format", "json-render-diagnostics"]);
        command.current_dir(cache::repository()).stdin(Stdio::null()).stderr(Stdio::inherit());
        let output = command.output().explain("cargo build")?;
        if !output.status.success() {
            return Err(Failure::new(format!("the provider does not build ({})", output.status)));
        }
        let text = String::from_utf8_lossy(&output.stdout);
        let messages = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let binaries = messages.filter(|message| message["target"]["name"] == NAME);
        let path =
            binaries.filter_map(|message| message["executable"].as_str().map(PathBuf::from)).next_back();
        path.explain("cargo named no executable")
    })
}

fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO"));
    command.args(arguments);
    command
}

/// What a person would type.
fn shown(command: &Command) -> String {
    let arguments: Vec<_> = command.get_args().map(|argument| argument.to_string_lossy()).collect();
    format!("cargo {}", arguments.join(" "))
}

/// The provider of this process, built at the first use.
pub fn plugin() -> Result<&'static Plugin> {
    static PLUGIN: OnceLock<std::result::Result<Plugin, String>> = OnceLock::new();
    let made = PLUGIN.get_or_init(|| {
        build(Profile::Debug).and_then(|binary| lay_out(&binary)).map_err(|failure| failure.to_string())
    });
    made.as_ref().map_err(Failure::new)
}

/// Puts a binary into a folder of its own, so that a build that happens meanwhile does not disturb anyone.
fn lay_out(binary: &Path) -> Result<Plugin> {
    let facts = fs::metadata(binary).explain(binary.display())?;
    let changed = facts.modified().explain(binary.display())?;
    let identity = format!("{}{:?}{}", binary.display(), changed, facts.len());
    let key: String = Sha256::digest(identity).iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    let plugins = cache::folder()?.join("plugins");
    fs::create_dir_all(&plugins).explain(plugins.display())?;
    let mirror = plugins.join(key);
    let platform = platform()?;
    let folder_of = |host: &str| mirror.join(host).join(SOURCE).join("0.1.0").join(&platform);
    cache::made_once(&mirror, |_| {
        for host in ["registry.terraform.io", "registry.opentofu.org"] {
            let folder = folder_of(host);
            fs::create_dir_all(&folder).explain(folder.display())?;
            let target = folder.join(NAME);
            if fs::hard_link(binary, &target).is_err() {
                fs::copy(binary, &target).explain(target.display())?;
            }
        }
        remove_old(&plugins)
    })?;
    Ok(Plugin { binary: folder_of("registry.terraform.io").join(NAME), mirror })
}

/// Removes the oldest plugin folders, but none that a run which is still going on may use.
fn remove_old(folder: &Path) -> Result<()> {
    for path in cache::old_entries(folder, KEPT)? {
        fs::remove_dir_all(&path).explain(path.display())?;
    }
    Ok(())
}

/// `linux_amd64`, as Terraform writes it.
fn platform() -> Result<String> {
    let system = match std::env::consts::OS {
        "macos" => "darwin",
        other => other,
    };
    let processor = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => return Err(Failure::new(format!("no Terraform platform is known for {other}"))),
    };
    Ok(format!("{system}_{processor}"))
}
