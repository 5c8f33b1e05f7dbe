//! Nothing of a control plane outlives the process that started it.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use acceptance_tests::failure::ensure;
use acceptance_tests::kubernetes::process::is_alive;
use acceptance_tests::{Explain, Result, wait};

use super::PATIENCE;

#[test]
fn every_process_ends_with_a_harness_that_is_killed() -> Result<()> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kubernetes"));
    let mut harness =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().explain("cargo kubernetes")?;
    let output = BufReader::new(harness.stdout.take().explain("standard output")?);
    let (mut folder, mut processes) = (None, Vec::new());
    // Held open: who cannot print any more would end by itself.
    let mut lines = output.lines();
    for line in lines.by_ref() {
        let line = line.explain("standard output")?;
        if let Some(path) = line.strip_prefix("export KUBECONFIG=") {
            folder = std::path::Path::new(path).parent().map(std::path::Path::to_path_buf);
        }
        if let Some(list) = line.strip_prefix("# processes: ") {
            let numbers = list.split(", ").filter_map(|entry| entry.rsplit_once(' ')?.1.parse::<u32>().ok());
            processes.extend(numbers);
            break;
        }
    }
    let alive = |processes: &[u32]| processes.iter().copied().filter(|id| is_alive(*id)).collect::<Vec<_>>();
    let running = alive(&processes);
    ensure(harness.try_wait().explain("the harness")?.is_none(), || "it ended by itself".to_owned())?;
    harness.kill().explain("killing it")?;
    harness.wait().explain("killing it")?;
    ensure(running.len() == 7, || format!("{running:?} of {processes:?} ran before"))?;
    wait::until("no process left", PATIENCE, || Ok(alive(&processes).is_empty().then_some(())))?;
    let folder = folder.explain("no kubeconfig was named")?;
    wait::until("no folder left", PATIENCE, || Ok((!folder.exists()).then_some(())))
}
