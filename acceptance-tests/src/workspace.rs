//! A folder with a configuration, and a CLI that runs in it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use serde_json::Value;
use tempfile::TempDir;

use crate::command_line::CommandLine;
use crate::plan_file::PlanFile;
use crate::processes::{self, Kind};
use crate::provider_binary::{self, Plugin};
use crate::run::{Run, Running};
use crate::state_file::StateFile;
use crate::{Explain, Result};

/// How the CLI finds the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Installation {
    /// A development override: no `init`, as provider developers work.
    Override,
    /// A filesystem mirror: `init` installs it, as users work.
    Mirror,
}

/// A working folder. It is removed with everything that still runs in it.
pub struct Workspace {
    folder: Option<TempDir>,
    path: PathBuf,
    command_line: CommandLine,
    mark: String,
    environment: Vec<(String, String)>,
    runs: AtomicU64,
}

impl Workspace {
    /// An empty folder in which the CLI uses the provider that was built.
    pub fn new(command_line: &CommandLine, installation: Installation) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("terraform-provider-eks-").tempdir();
        let folder = folder.explain("making a folder")?;
        let path = folder.path().to_path_buf();
        Self::in_folder(Some(folder), path, command_line, installation)
    }

    /// A folder that stays.
    pub fn at(path: &Path, command_line: &CommandLine, installation: Installation) -> Result<Self> {
        Self::in_folder(None, path.to_path_buf(), command_line, installation)
    }

    fn in_folder(
        folder: Option<TempDir>,
        path: PathBuf,
        command_line: &CommandLine,
        installation: Installation,
    ) -> Result<Self> {
        let plugin = provider_binary::plugin()?;
        let settings = path.join("cli.tfrc");
        fs::write(&settings, settings_text(plugin, installation)).explain(settings.display())?;
        let mark = path.display().to_string();
        let nowhere = path.join("no-such-file").display().to_string();
        let environment = [
            ("TF_CLI_CONFIG_FILE", settings.display().to_string()),
            (processes::MARK, mark.clone()),
            ("CHECKPOINT_DISABLE", "1".to_owned()),
            ("AWS_CONFIG_FILE", nowhere.clone()),
            ("AWS_SHARED_CREDENTIALS_FILE", nowhere),
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
        ];
        let environment = environment.map(|(name, value)| (name.to_owned(), value)).to_vec();
        let command_line = command_line.clone();
        Ok(Self { folder, path, command_line, mark, environment, runs: AtomicU64::new(0) })
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What marks the processes of this workspace.
    pub fn mark(&self) -> &str {
        &self.mark
    }

    /// The variables a command gets beside the cleaned environment of this process.
    pub fn environment(&self) -> &[(String, String)] {
        &self.environment
    }

    /// Adds a variable for all commands that follow.
    pub fn set_variable(&mut self, name: &str, value: &str) {
        self.environment.retain(|(known, _)| known != name);
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    /// Writes a file.
    pub fn write(&self, name: &str, content: &str) -> Result<()> {
        let path = self.path.join(name);
        fs::write(&path, content).explain(path.display())
    }

    /// Writes `main.tf`: the requirements, then these blocks.
    pub fn configure(&self, blocks: &[String]) -> Result<()> {
        let requirements = crate::configuration::requirements();
        self.write("main.tf", &format!("{requirements}\n{}", blocks.join("\n")))
    }

    /// Starts a command.
    pub fn start(&self, arguments: &[&str]) -> Result<Running> {
        let number = self.runs.fetch_add(1, Ordering::Relaxed);
        let stdout = self.path.join(format!("run-{number}.stdout"));
        let stderr = self.path.join(format!("run-{number}.stderr"));
        let mut command = Command::new(&self.command_line.program);
        command.args(arguments).arg("-no-color").current_dir(&self.path).stdin(Stdio::null());
        self.clean(&mut command);
        command.stdout(File::create(&stdout).explain(stdout.display())?);
        command.stderr(File::create(&stderr).explain(stderr.display())?);
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let shown = format!("{} {}", self.command_line.name, arguments.join(" "));
        let child = command.spawn().explain(&shown)?;
        let mark = self.mark.clone();
        Ok(Running { command: shown, mark, child, stdout, stderr, started: Instant::now() })
    }

    /// Runs a command whose output goes where ours goes; answers its exit code.
    pub fn run_visibly(&self, arguments: &[&str]) -> Result<i32> {
        let mut command = Command::new(&self.command_line.program);
        command.args(arguments).current_dir(&self.path).stdin(Stdio::null());
        if !std::io::IsTerminal::is_terminal(&std::io::stdout()) {
            command.arg("-no-color");
        }
        self.clean(&mut command);
        let shown = format!("{} {}", self.command_line.name, arguments.join(" "));
        Ok(command.status().explain(shown)?.code().unwrap_or(-1))
    }

    /// Neither the user's Terraform and AWS settings nor a proxy may reach a command.
    fn clean(&self, command: &mut Command) {
        for (name, _) in std::env::vars_os() {
            let upper = name.to_string_lossy().to_uppercase();
            let foreign = ["TF_", "AWS_", "PLUGIN_"].iter().any(|prefix| upper.starts_with(prefix));
            if foreign || upper.ends_with("_PROXY") {
                command.env_remove(&name);
            }
        }
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
    }

    /// Runs a command to its end.
    pub fn run(&self, arguments: &[&str]) -> Result<Run> {
        self.start(arguments)?.wait()
    }

    /// `apply -auto-approve`, with more arguments.
    pub fn apply(&self, more: &[&str]) -> Result<Run> {
        self.run(&[&["apply", "-auto-approve"], more].concat())
    }

    /// `plan -detailed-exitcode`, with more arguments: 0 is no change, 2 a change.
    pub fn plan(&self, more: &[&str]) -> Result<Run> {
        self.run(&[&["plan", "-detailed-exitcode"], more].concat())
    }

    /// `destroy -auto-approve`, with more arguments.
    pub fn destroy(&self, more: &[&str]) -> Result<Run> {
        self.run(&[&["destroy", "-auto-approve"], more].concat())
    }

    /// Plans, and answers the plan with the run that made it.
    pub fn plan_file(&self, more: &[&str]) -> Result<(PlanFile, Run)> {
        let run = self.plan(&[&["-out=plan.bin"], more].concat())?;
        let shown = self.run(&["show", "-json", "plan.bin"])?.expect_success()?;
        Ok((PlanFile::parse(&shown.stdout)?, run))
    }

    /// The state file; empty when there is none.
    pub fn state(&self) -> Result<StateFile> {
        let path = self.path.join("terraform.tfstate");
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error).explain(path.display()),
        };
        StateFile::parse(&text)
    }

    /// Changes the text of the state file, as a careless hand would.
    pub fn edit_state(&self, change: impl FnOnce(&mut Value)) -> Result<()> {
        let path = self.path.join("terraform.tfstate");
        let text = fs::read_to_string(&path).explain(path.display())?;
        let mut content: Value = serde_json::from_str(&text).explain(path.display())?;
        change(&mut content);
        fs::write(&path, content.to_string()).explain(path.display())
    }

    /// Removes the lock a killed CLI left behind.
    pub fn remove_lock(&self) -> Result<()> {
        let path = self.path.join(".terraform.tfstate.lock.info");
        match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error).explain(path.display()),
            _ => Ok(()),
        }
    }

    /// Fails if a provider process of this workspace stays.
    pub fn expect_no_provider_left(&self) -> Result<()> {
        processes::none_left(&self.mark)
    }

    /// Keeps the folder.
    pub fn keep(mut self) -> PathBuf {
        if let Some(folder) = self.folder.take() {
            return folder.keep();
        }
        self.path.clone()
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        if self.folder.is_none() {
            return;
        }
        // Only a failed test leaves something to end; its own failure is the one to report.
        for process in processes::providers(&self.mark).unwrap_or_default() {
            let _ = processes::signal(process, Kind::Kill);
        }
    }
}

fn settings_text(plugin: &Plugin, installation: Installation) -> String {
    let source = provider_binary::SOURCE;
    match installation {
        Installation::Override => {
            let folder = plugin.binary.parent().unwrap_or(Path::new("."));
            format!(
                "provider_installation {{\n  dev_overrides {{\n    \"{source}\" = \"{}\"\n  }}\n  direct {{}}\n}}\n",
                folder.display()
            )
        }
        Installation::Mirror => {
            format!(
                "provider_installation {{\n  filesystem_mirror {{\n    path = \"{}\"\n  }}\n}}\n",
                plugin.mirror.display()
            )
        }
    }
}
