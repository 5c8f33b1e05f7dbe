//! The programs of the control plane, built once from Go modules. `acceptance-tests/kubernetes/programs/` pins
//! every module by its hash.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sha2::{Digest, Sha256};

use crate::{Explain, Failure, Result, cache, prerequisites};

/// A folder with a `go.mod`, and what is built from it.
#[derive(Debug)]
struct Module {
    folder: &'static str,
    /// The programs and their packages.
    programs: &'static [(&'static str, &'static str)],
    /// The variable of the linker that tells the version, and the module whose version it is.
    version: Option<(&'static str, &'static str)>,
    /// What is changed in the source.
    changes: &'static [Change],
    /// Files that are needed beside the programs, with the module they are in.
    files: Option<(&'static str, &'static [&'static str])>,
}

/// A text that stands in a file of a module exactly once, and what takes its place.
#[derive(Debug)]
struct Change {
    file: &'static str,
    from: &'static str,
    to: &'static str,
}

const WEBHOOK: &str = "github.com/aws/amazon-eks-pod-identity-webhook/main.go";

const MODULES: [Module; 4] = [
    Module {
        folder: "etcd",
        programs: &[("etcd", "go.etcd.io/etcd/server/v3")],
        version: None,
        changes: &[],
        files: None,
    },
    Module {
        folder: "kubernetes",
        programs: &[
            ("kube-apiserver", "k8s.io/kubernetes/cmd/kube-apiserver"),
            ("kube-controller-manager", "k8s.io/kubernetes/cmd/kube-controller-manager"),
            ("kube-scheduler", "k8s.io/kubernetes/cmd/kube-scheduler"),
        ],
        version: Some(("k8s.io/component-base/version", "k8s.io/kubernetes")),
        changes: &[],
        files: None,
    },
    Module {
        folder: "kwok",
        programs: &[("kwok", "sigs.k8s.io/kwok/cmd/kwok")],
        version: None,
        changes: &[],
        files: Some((
            "sigs.k8s.io/kwok",
            &[
                "kustomize/stage/node/fast/node-initialize.yaml",
                "kustomize/stage/node/heartbeat-with-lease/node-heartbeat-with-lease.yaml",
                "kustomize/stage/pod/fast/pod-ready.yaml",
                "kustomize/stage/pod/fast/pod-complete.yaml",
                "kustomize/stage/pod/fast/pod-delete.yaml",
            ],
        )),
    },
    Module {
        folder: "pod-identity-webhook",
        programs: &[("amazon-eks-pod-identity-webhook", "github.com/aws/amazon-eks-pod-identity-webhook")],
        version: None,
        // It listens on every interface, and no flag changes that.
        changes: &[
            Change {
                file: WEBHOOK,
                from: r#"fmt.Sprintf(":%d", *port)"#,
                to: r#"fmt.Sprintf("127.0.0.1:%d", *port)"#,
            },
            Change {
                file: WEBHOOK,
                from: r#"fmt.Sprintf(":%d", *metricsPort)"#,
                to: r#"fmt.Sprintf("127.0.0.1:%d", *metricsPort)"#,
            },
        ],
        files: None,
    },
];

/// Where the programs are.
#[derive(Debug, Clone)]
pub struct Programs {
    /// One for each module.
    folders: Vec<PathBuf>,
}

impl Programs {
    /// Builds what is not built yet; the first time that takes many minutes.
    pub fn built() -> Result<Self> {
        let folders = MODULES.iter().map(Module::built).collect::<Result<Vec<_>>>()?;
        Ok(Self { folders })
    }

    /// The file of a program.
    pub fn path(&self, name: &str) -> Result<PathBuf> {
        let found = self.folders.iter().map(|folder| folder.join(name)).find(|path| path.is_file());
        found.explain(format_args!("no program {name} was built"))
    }

    /// The stages that kwok plays: how nodes and pods become ready, and how pods end.
    pub fn stages(&self) -> Vec<PathBuf> {
        let files =
            MODULES.iter().zip(&self.folders).filter_map(|(module, folder)| Some((module.files?.1, folder)));
        files.flat_map(|(files, folder)| files.iter().map(|file| folder.join(file_name(file)))).collect()
    }
}

impl Module {
    fn source(&self) -> PathBuf {
        cache::repository().join("acceptance-tests").join("kubernetes").join("programs").join(self.folder)
    }

    /// The folder with everything built from this module.
    fn built(&self) -> Result<PathBuf> {
        let mut hash = Sha256::new_with_prefix(format!("{self:?}"));
        for file in ["go.mod", "go.sum"] {
            let path = self.source().join(file);
            hash.update(fs::read(&path).explain(path.display())?);
        }
        let key: String = hash.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect();
        let folder = cache::folder()?.join("kubernetes").join(format!("{}-{key}", self.folder));
        cache::made_once(&folder, |folder| self.build(folder))?;
        Ok(folder)
    }

    fn build(&self, folder: &Path) -> Result<()> {
        prerequisites::check_go()?;
        eprintln!("Building {} in {} (once, some minutes) …", self.folder, folder.display());
        // A copy, since the repository is not written to.
        let source = folder.join("source");
        fs::create_dir_all(&source).explain(source.display())?;
        for file in ["go.mod", "go.sum"] {
            fs::copy(self.source().join(file), source.join(file)).explain(file)?;
        }
        // Without a change the modules are used where they are; what is changed is copied first.
        let mode = if self.changes.is_empty() { "-mod=readonly" } else { "-mod=vendor" };
        if !self.changes.is_empty() {
            go(&source, &["mod", "vendor"])?;
            self.changes.iter().try_for_each(|change| change.make(&source.join("vendor")))?;
        }
        let flags = format!("-ldflags={}", self.linker_flags(&source)?);
        for (name, package) in self.programs {
            let output = folder.join(name).display().to_string();
            go(&source, &["build", mode, "-trimpath", "-buildvcs=false", &flags, "-o", &output, package])?;
        }
        if let Some((module, files)) = self.files {
            let place =
                PathBuf::from(go(&source, &["list", "-mod=readonly", "-m", "-f", "{{.Dir}}", module])?);
            for file in files {
                let content = fs::read(place.join(file)).explain(file)?;
                fs::write(folder.join(file_name(file)), content).explain(file)?;
            }
        }
        fs::remove_dir_all(&source).explain(source.display())
    }

    fn linker_flags(&self, source: &Path) -> Result<String> {
        let mut flags = "-s -w".to_owned();
        if let Some((variable, module)) = self.version {
            let version = go(source, &["list", "-mod=readonly", "-m", "-f", "{{.Version}}", module])?;
            let mut numbers = version.trim_start_matches('v').split('.');
            let (major, minor) = (numbers.next().explain(module)?, numbers.next().explain(module)?);
            for (name, value) in [
                ("gitVersion", version.as_str()),
                ("gitMajor", major),
                ("gitMinor", minor),
                ("gitTreeState", "clean"),
            ] {
                flags.push_str(&format!(" -X {variable}.{name}={value}"));
            }
        }
        Ok(flags)
    }
}

impl Change {
    fn make(&self, vendored: &Path) -> Result<()> {
        let path = vendored.join(self.file);
        let text = fs::read_to_string(&path).explain(path.display())?;
        let found = text.matches(self.from).count();
        if found != 1 {
            return Err(Failure::new(format!("{}: {:?} stands there {found} times", self.file, self.from)));
        }
        fs::write(&path, text.replace(self.from, self.to)).explain(path.display())
    }
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Runs `go` to its good end and answers what it printed.
fn go(folder: &Path, arguments: &[&str]) -> Result<String> {
    let shown = format!("go {}", arguments.join(" "));
    let mut command = Command::new("go");
    command.args(arguments).current_dir(folder).stdin(Stdio::null());
    // Nothing of the user's settings but where modules come from and go to.
    command.env("CGO_ENABLED", "0").env("GOWORK", "off").env_remove("GOFLAGS");
    let output = command.output().explain(&shown)?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
    }
    let text = String::from_utf8_lossy(&output.stderr);
    Err(Failure::new(format!("{shown} failed ({}):\n{}", output.status, text.trim())))
}

#[cfg(test)]
mod tests {
    use super::{Change, MODULES, file_name};

    #[test]
    fn every_module_pins_what_it_builds() {
        for module in &MODULES {
            let go_mod = std::fs::read_to_string(module.source().join("go.mod")).unwrap();
            for (_, package) in module.programs {
                assert!(
                    go_mod.lines().any(|line| line.trim_start_matches("tool").trim() == *package),
                    "{package}"
                );
            }
            let go_sum = std::fs::read_to_string(module.source().join("go.sum")).unwrap();
            let built = go_mod.lines().find_map(|line| line.strip_prefix("require ")).unwrap();
            assert!(!built.starts_with('('), "{}: what is built comes first", module.folder);
            assert!(go_sum.lines().any(|line| line.starts_with(&format!("{built} h1:"))), "{built}");
        }
    }

    #[test]
    fn a_change_that_does_not_fit_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let change = Change { file: "main.go", from: "8080", to: "9090" };
        std::fs::write(folder.path().join("main.go"), "listen(8080)").unwrap();
        change.make(folder.path()).unwrap();
        assert_eq!(std::fs::read_to_string(folder.path().join("main.go")).unwrap(), "listen(9090)");
        assert!(change.make(folder.path()).unwrap_err().to_string().contains("0 times"));
        assert_eq!(file_name("a/b/c.yaml"), "c.yaml");
    }
}
