//! What the release is linked with: Zig as a C compiler for the static C library, made once for each version.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::{Explain, Failure, Result, cache, python};

/// From PyPI, so that no system needs to have it. `.goreleaser.yml` takes the newest of both.
const PACKAGES: [&str; 2] = ["ziglang==0.17.1", "cargo-zigbuild==0.24.0"];

/// The folder with `cargo-zigbuild`, to be first on the path.
fn tools() -> Result<PathBuf> {
    let versions: Vec<&str> = PACKAGES.iter().filter_map(|package| package.split("==").nth(1)).collect();
    let environment = cache::folder()?.join(format!("zig-{}", versions.join("-")));
    let commands = environment.join("bin");
    cache::made_once(&environment, |folder| {
        eprintln!("Preparing {} in {} (once) …", PACKAGES.join(", "), folder.display());
        python::run(Path::new("python3"), &["-m".as_ref(), "venv".as_ref(), folder.as_os_str()])?;
        let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
        let arguments: Vec<&std::ffi::OsStr> =
            install.iter().chain(&PACKAGES).map(|word| (*word).as_ref()).collect();
        python::run(&folder.join("bin").join("python"), &arguments)
    })?;
    Ok(commands)
}

/// The target of the release for this machine.
fn target() -> String {
    format!("{}-unknown-linux-musl", std::env::consts::ARCH)
}

/// `cargo zigbuild` for a static binary, as the release is built; the target is added to the toolchain.
pub fn build(package: &str) -> Result<Command> {
    let (tools, target) = (tools()?, target());
    let added = Command::new("rustup")
        .args(["target", "add", &target])
        .current_dir(cache::repository())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()
        .explain("rustup target add")?;
    if !added.success() {
        return Err(Failure::new(format!("rustup target add {target} failed ({added})")));
    }
    let mut path = vec![tools];
    path.extend(std::env::var_os("PATH").iter().flat_map(std::env::split_paths));
    let mut command = Command::new(env!("CARGO"));
    command.args(["zigbuild", "--release", "--locked", "--target", &target, "-p", package]);
    command.env("PATH", std::env::join_paths(path).explain("the path")?);
    Ok(command)
}
