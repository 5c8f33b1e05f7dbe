//! One command of a CLI: while it runs, and what came out.

use std::path::PathBuf;
use std::process::Child;
use std::time::{Duration, Instant};

use crate::processes::{self, Kind};
use crate::{Explain, Failure, Result, wait};

/// The longest any command of a test may take.
const LIMIT: Duration = Duration::from_secs(300);

/// A command that is running.
pub struct Running {
    pub(crate) command: String,
    pub(crate) mark: String,
    pub(crate) child: Child,
    pub(crate) stdout: PathBuf,
    pub(crate) stderr: PathBuf,
    pub(crate) started: Instant,
}

/// A command that has ended.
#[derive(Debug, Clone)]
pub struct Run {
    /// What was run.
    pub command: String,
    /// -1 when a signal ended it.
    pub exit_code: i32,
    pub stdout: String,
    pub stderr: String,
    pub duration: Duration,
}

impl Running {
    /// The process id of the CLI, which leads a process group of its own.
    pub fn process_id(&self) -> u32 {
        self.child.id()
    }

    /// Ctrl-C in a terminal: the CLI and the provider get it.
    pub fn interrupt(&self) -> Result<()> {
        processes::signal_group(self.process_id(), Kind::Interrupt)
    }

    /// The same with the polite request to end.
    pub fn terminate(&self) -> Result<()> {
        processes::signal_group(self.process_id(), Kind::Terminate)
    }

    /// `kill -9` of the CLI alone.
    pub fn kill_command_line(&self) -> Result<()> {
        processes::signal(self.process_id(), Kind::Kill)
    }

    /// `kill -9` of the provider alone. There must be one.
    pub fn kill_provider(&self) -> Result<()> {
        let found = processes::providers(&self.mark)?;
        if found.is_empty() {
            return Err(Failure::new(format!("{}: no provider process to kill", self.command)));
        }
        found.into_iter().try_for_each(|process| processes::signal(process, Kind::Kill))
    }

    /// `kill -9` of both at once.
    pub fn kill_everything(&self) -> Result<()> {
        processes::signal_group(self.process_id(), Kind::Kill)
    }

    /// Whether it has ended.
    pub fn has_ended(&mut self) -> Result<bool> {
        Ok(self.child.try_wait().explain(&self.command)?.is_some())
    }

    /// Waits for its end.
    pub fn wait(mut self) -> Result<Run> {
        let command = self.command.clone();
        let ended = wait::until(&command, LIMIT, || self.child.try_wait().explain(&command));
        let status = match ended {
            Ok(status) => status,
            Err(failure) => {
                self.kill_everything()?;
                self.child.wait().explain(&command)?;
                let (stdout, stderr) = self.output()?;
                return Err(Failure::new(format!("{failure}; it was ended\n{stdout}\n{stderr}")));
            }
        };
        let (stdout, stderr) = self.output()?;
        let exit_code = status.code().unwrap_or(-1);
        Ok(Run { command: self.command, exit_code, stdout, stderr, duration: self.started.elapsed() })
    }

    fn output(&self) -> Result<(String, String)> {
        let read = |path: &PathBuf| std::fs::read(path).explain(path.display());
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Ok((text(read(&self.stdout)?), text(read(&self.stderr)?)))
    }
}

impl Run {
    /// Both outputs.
    pub fn text(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }

    /// Both outputs on one line: CLIs wrap long messages and put bars before them.
    pub fn unwrapped(&self) -> String {
        let words = self.text().replace(['│', '╷', '╵', '\n'], " ");
        words.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Fails unless it ended like this.
    pub fn expect_exit(self, code: i32) -> Result<Self> {
        if self.exit_code == code {
            return Ok(self);
        }
        let Self { command, exit_code, .. } = &self;
        Err(Failure::new(format!("{command}: exit code {exit_code}, not {code}\n{}", self.text())))
    }

    /// Fails unless it ended well.
    pub fn expect_success(self) -> Result<Self> {
        self.expect_exit(0)
    }

    /// Fails unless the outputs, unwrapped, contain this.
    pub fn expect_text(self, wanted: &str) -> Result<Self> {
        if self.unwrapped().contains(wanted) {
            return Ok(self);
        }
        Err(Failure::new(format!("{}: the output lacks `{wanted}`\n{}", self.command, self.text())))
    }

    /// Fails if the outputs, unwrapped, contain this.
    pub fn expect_no_text(self, unwanted: &str) -> Result<Self> {
        if !self.unwrapped().contains(unwanted) {
            return Ok(self);
        }
        Err(Failure::new(format!("{}: the output has `{unwanted}`\n{}", self.command, self.text())))
    }
}
