//! `cargo quick`: what to run before every commit. Formatting, lints and unit tests; stops at the first failure.

use std::process::{Command, ExitCode};
use std::time::Instant;

const STEPS: [(&str, &[&str]); 3] = [
    ("formatting", &["fmt", "--all", "--check"]),
    ("lints", &["clippy", "--quiet", "--workspace", "--all-targets", "--", "--deny", "warnings"]),
    ("unit tests", &["test", "--quiet", "--workspace", "--lib", "--bins", "--exclude", "acceptance-tests"]),
];

fn main() -> ExitCode {
    for (name, arguments) in STEPS {
        let started = Instant::now();
        println!("{name}: cargo {}", arguments.join(" "));
        let mut command = Command::new(env!("CARGO"));
        command.args(arguments).current_dir(acceptance_tests::cache::repository());
        match command.status() {
            Ok(status) if status.success() => {
                println!("{name}: good, {:.1} s", started.elapsed().as_secs_f64())
            }
            Ok(_) => {
                println!("{name}: failed");
                return ExitCode::FAILURE;
            }
            Err(error) => {
                println!("{name}: cargo cannot be run: {error}");
                return ExitCode::FAILURE;
            }
        }
    }
    println!("All good.");
    ExitCode::SUCCESS
}
