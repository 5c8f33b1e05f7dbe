//! Processes of the provider: found by a mark in their environment, signalled, and none left behind.

use std::path::PathBuf;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use crate::{Explain, Failure, Result, provider_binary, wait};

/// The variable that marks the processes of one workspace; the provider inherits it from the CLI.
pub const MARK: &str = "TERRAFORM_PROVIDER_EKS_WORKSPACE";

/// A signal the tests send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Ctrl-C.
    Interrupt,
    /// The polite request to end.
    Terminate,
    /// `kill -9`.
    Kill,
}

impl Kind {
    fn signal(self) -> Signal {
        match self {
            Kind::Interrupt => Signal::INT,
            Kind::Terminate => Signal::TERM,
            Kind::Kill => Signal::KILL,
        }
    }
}

fn pid(number: u32) -> Result<Pid> {
    i32::try_from(number).ok().and_then(Pid::from_raw).explain(format_args!("{number} is no process id"))
}

/// Sends a signal to one process. One that has ended already is no error.
pub fn signal(process: u32, kind: Kind) -> Result<()> {
    match kill_process(pid(process)?, kind.signal()) {
        Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
        Err(error) => Err(Failure::new(format!("signalling {process}: {error}"))),
    }
}

/// Sends a signal to a process group, as a terminal does.
pub fn signal_group(leader: u32, kind: Kind) -> Result<()> {
    match kill_process_group(pid(leader)?, kind.signal()) {
        Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
        Err(error) => Err(Failure::new(format!("signalling the group of {leader}: {error}"))),
    }
}

/// The running provider processes that carry this mark.
pub fn providers(mark: &str) -> Result<Vec<u32>> {
    let wanted = format!("{MARK}={mark}");
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").explain("/proc")? {
        let Ok(entry) = entry else { continue };
        let Some(process) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        if carries(&entry.path(), &wanted) {
            found.push(process);
        }
    }
    Ok(found)
}

/// Processes come and go while they are looked at: what cannot be read is not there.
fn carries(process: &std::path::Path, wanted: &str) -> bool {
    let program: Option<PathBuf> = std::fs::read_link(process.join("exe")).ok();
    let is_provider = program.is_some_and(|path| {
        path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(provider_binary::NAME))
    });
    is_provider
        && std::fs::read(process.join("environ")).is_ok_and(|environment| {
            environment.split(|byte| *byte == 0).any(|entry| entry == wanted.as_bytes())
        })
}

/// Waits until no provider process with this mark is left.
pub fn none_left(mark: &str) -> Result<()> {
    wait::until("no provider process left", Duration::from_secs(15), || {
        Ok(providers(mark)?.is_empty().then_some(()))
    })
}

/// Those of these processes that have not ended.
pub fn still_running(processes: &[u32]) -> Vec<u32> {
    let runs = |process: &&u32| {
        let program = std::fs::read_link(format!("/proc/{process}/exe"));
        program.is_ok_and(|path| path.to_string_lossy().contains(provider_binary::NAME))
    };
    processes.iter().filter(runs).copied().collect()
}

/// Memory of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// What it holds now, in KiB.
    pub resident: u64,
    /// The most it ever held, in KiB.
    pub peak: u64,
}

/// The memory of a process; nothing when it has ended.
pub fn memory(process: u32) -> Option<Memory> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let entry = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim_start_matches(':').trim().trim_end_matches(" kB").parse().ok()
    };
    Some(Memory { resident: entry("VmRSS")?, peak: entry("VmHWM")? })
}
