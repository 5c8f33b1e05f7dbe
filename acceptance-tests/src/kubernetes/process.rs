//! A program that runs beside the harness and never outlives it.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::{Explain, Result};

/// Waits for the program, and for the end of its own standard input: that comes when the harness lets go of it or
/// dies, however it dies. Then the program is killed, and the folder that it worked in is removed.
/// The watch is a process of its own, so that it also ends a program whose shell was killed.
const LIFELINE: &str = r#"
folder=$1; shift
exec 3<&0
"$@" </dev/null 3<&- &
program=$!
echo "$program"
exec >&-
{ read -r _ <&3; kill -KILL "$program" 2>/dev/null; } 2>/dev/null &
watch=$!
exec 3<&-
wait "$program"
code=$?
kill "$watch" 2>/dev/null
if [ -n "$folder" ]; then rm -rf "$folder"; fi
exit "$code"
"#;

/// A running program. It is killed when this is dropped, and when the process that holds it dies.
pub struct Process {
    name: String,
    /// The shell with the lifeline; its standard input is the line.
    shell: Child,
    id: u32,
    log: PathBuf,
}

/// What is to run.
pub struct Order<'a> {
    /// The name for people and for the log.
    pub name: &'a str,
    /// The program's file.
    pub program: &'a Path,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Where its log goes.
    pub logs: &'a Path,
    /// A folder that nobody needs after the program's end.
    pub removed_afterwards: Option<&'a Path>,
}

impl Process {
    /// Starts a program.
    pub fn start(order: Order<'_>) -> Result<Self> {
        let name = order.name;
        let log = order.logs.join(format!("{name}.log"));
        let output = File::options().append(true).create(true).open(&log).explain(log.display())?;
        let mut command = Command::new("sh");
        command.args(["-c", LIFELINE, "lifeline"]);
        command.arg(order.removed_afterwards.unwrap_or(Path::new("")));
        // Standard output of the shell tells the process id; what the program says goes to the log.
        command.args(["sh", "-c", r#"log=$1; shift; exec "$@" >>"$log" 2>&1"#, "log"]).arg(&log);
        command.arg(order.program).args(&order.arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(output);
        // Ctrl-C reaches whole process groups; the harness decides when this ends.
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut shell = command.spawn().explain(format_args!("starting {name}"))?;
        let mut said = String::new();
        let output = shell.stdout.take().explain("the lifeline has no standard output")?;
        std::io::BufRead::read_line(&mut std::io::BufReader::new(output), &mut said).explain(name)?;
        let id = said.trim().parse().explain(format_args!("the process id of {name}: {said:?}"))?;
        Ok(Self { name: name.to_owned(), shell, id, log })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// Fails, with the end of its log, if it is not running any more.
    pub fn expect_running(&mut self) -> Result<()> {
        let Some(status) = self.shell.try_wait().explain(&self.name)? else { return Ok(()) };
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        let end = lines.get(lines.len().saturating_sub(15)..).unwrap_or_default().join("\n");
        Err(crate::Failure::new(format!(
            "{} has ended ({status}); its log {} ends with\n{end}",
            self.name,
            self.log.display()
        )))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        // A process that has ended already is what is wanted.
        let _ = self.shell.wait();
    }
}

/// Whether a process is there and not only waiting to be collected.
pub fn is_alive(id: u32) -> bool {
    let Ok(status) = std::fs::read_to_string(format!("/proc/{id}/stat")) else { return false };
    // The state follows the name, which stands in parentheses and may hold anything.
    status.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with(['Z', 'X']))
}

#[cfg(test)]
mod tests {
    use super::{Order, Process, is_alive};
    use std::path::Path;
    use std::time::Duration;

    fn start(folder: &Path, script: &str, removed_afterwards: Option<&Path>) -> Process {
        let arguments = vec!["-c".to_owned(), script.to_owned()];
        let program = Path::new("/bin/sh");
        Process::start(Order { name: "test", program, arguments, logs: folder, removed_afterwards }).unwrap()
    }

    #[test]
    fn a_program_and_its_folder_end_with_its_owner() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        std::fs::create_dir(&data).unwrap();
        let mut process = start(folder.path(), "exec tail -f /dev/null", Some(&data));
        process.expect_running().unwrap();
        let id = process.id();
        assert!(is_alive(id));
        drop(process);
        assert!(!is_alive(id));
        assert!(!data.exists());
    }

    #[test]
    fn an_early_end_is_told_with_the_log() {
        let folder = tempfile::tempdir().unwrap();
        let mut process = start(folder.path(), "echo no such flag; exit 3", None);
        let failure =
            crate::wait::until("its end", Duration::from_secs(30), || Ok(process.expect_running().err()));
        let failure = failure.unwrap().to_string();
        assert!(failure.contains("exit status: 3") && failure.contains("no such flag"), "{failure}");
    }
}
