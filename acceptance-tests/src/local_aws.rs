//! The local AWS as a process: started, asked, gone when the harness is gone.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::account::Account;
use crate::permissions::Published;
use crate::{Explain, Failure, Result, cache, http, python};

/// Virtual seconds per real second in tests: a cluster's ten minutes take a fifth of a second.
pub const SCALE_OF_TESTS: u32 = 3000;

/// How many logs stay, however old they are.
const KEPT_LOGS: usize = 20;

/// A running local AWS. It ends when this is dropped, and when the process that holds it dies.
pub struct LocalAws {
    address: String,
    process: Child,
    /// Its end is the signal to stop; held for that alone.
    _lifeline: Option<ChildStdin>,
    /// What it wrote to standard error.
    pub log: PathBuf,
    next_account: AtomicU64,
}

impl LocalAws {
    /// Starts one on a free port.
    pub fn start(scale: u32) -> Result<Self> {
        Self::launch(scale, true)
    }

    /// Starts one that goes on after this process has ended.
    pub fn start_detached(scale: u32) -> Result<Self> {
        Self::launch(scale, false)
    }

    fn launch(scale: u32, ends_with_us: bool) -> Result<Self> {
        let interpreter = python::interpreter()?;
        let logs = cache::folder()?.join("logs");
        std::fs::create_dir_all(&logs).explain(logs.display())?;
        static STARTED: AtomicU64 = AtomicU64::new(1);
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let log = logs.join(format!("local-aws-{}-{number}.log", std::process::id()));
        for old in cache::old_entries(&logs, KEPT_LOGS)? {
            // Another process may have removed it already.
            let _ = if old.is_dir() { std::fs::remove_dir_all(&old) } else { std::fs::remove_file(&old) };
        }
        let log_file = std::fs::File::create(&log).explain(log.display())?;
        let mut command = Command::new(interpreter);
        command.args(["-m", "local_aws", "--port", "0", "--scale", &scale.to_string()]);
        command.current_dir(python::source()).stdout(Stdio::piped()).stderr(log_file);
        if ends_with_us {
            command.arg("--exit-with-parent").stdin(Stdio::piped());
        } else {
            std::os::unix::process::CommandExt::process_group(command.stdin(Stdio::null()), 0);
        }
        let mut process = command.spawn().explain("starting the local AWS")?;
        let lifeline = process.stdin.take();
        let output = process.stdout.take().explain("the local AWS has no standard output")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line).explain("reading the local AWS's address")?;
        let ready: Value = serde_json::from_str(&line).map_err(|_| {
            let text = std::fs::read_to_string(&log).unwrap_or_default();
            Failure::new(format!("the local AWS did not start; its log {}:\n{text}", log.display()))
        })?;
        let url = ready["url"].as_str().explain("the local AWS named no url")?;
        let address = url.strip_prefix("http://").unwrap_or(url).trim_end_matches('/').to_owned();
        Ok(Self { address, process, _lifeline: lifeline, log, next_account: AtomicU64::new(200_000_000_001) })
    }

    /// One for each core, since each works on one core alone. In none of them anything is allowed that is not
    /// published.
    pub fn several(scale: u32) -> Result<Vec<Self>> {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        (0..cores).map(|_| Self::start(scale).and_then(Self::allowing_only_published)).collect()
    }

    /// One of those of this test process, in turns; they are started at the first use.
    pub fn shared() -> Result<&'static Self> {
        static SHARED: OnceLock<std::result::Result<Vec<LocalAws>, String>> = OnceLock::new();
        static TURN: AtomicUsize = AtomicUsize::new(0);
        let started = SHARED.get_or_init(|| {
            let started = crate::prerequisites::check().and_then(|()| Self::several(SCALE_OF_TESTS));
            started.map_err(|failure| failure.to_string())
        });
        let started = started.as_ref().map_err(Failure::new)?;
        let turn = TURN.fetch_add(1, Ordering::Relaxed);
        started.get(turn % started.len().max(1)).explain("no local AWS was started")
    }

    /// In no account anything is allowed that the guide about permissions does not publish: a call that is not
    /// published fails the test that makes it.
    fn allowing_only_published(self) -> Result<Self> {
        let order = json!({"documents": [Published::read()?.actions_on_everything()]});
        http::request(&self.address, "POST", "/_local/policies", Some(&order))?;
        Ok(self)
    }

    /// `127.0.0.1:port`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Where SDKs send their calls.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The process id.
    pub fn process_id(&self) -> u32 {
        self.process.id()
    }

    /// An account nobody else uses.
    pub fn account(&self) -> Account {
        let number = self.next_account.fetch_add(1, Ordering::Relaxed);
        Account::new(&self.address, format!("{number:012}"))
    }

    /// Answers of the local AWS that break AWS's own model. There must be none.
    pub fn violations(&self) -> Result<Vec<Value>> {
        let answer = http::request(&self.address, "GET", "/_local/violations", None)?;
        Ok(answer["violations"].as_array().cloned().unwrap_or_default())
    }

    /// Lets it go on running after this value is gone.
    pub fn leave_running(self) {
        std::mem::forget(self);
    }
}

impl Drop for LocalAws {
    fn drop(&mut self) {
        // A process that has ended already is what is wanted.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
