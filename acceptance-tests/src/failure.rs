//! The one error type of the harness: a text that says what was being done.

use std::fmt;

/// What went wrong, as a text for people.
pub struct Failure {
    message: String,
}

/// The result of everything in this crate that can fail.
pub type Result<T> = std::result::Result<T, Failure>;

impl Failure {
    /// A failure with this text.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into() }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

/// A test that returns a failure prints it with `Debug`; the plain text reads better.
impl fmt::Debug for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl std::error::Error for Failure {}

/// Adds what was being done to an error of any kind.
pub trait Explain<T> {
    /// `Err(error)` becomes `"<what>: <error>"`.
    fn explain(self, what: impl fmt::Display) -> Result<T>;
}

impl<T, E: fmt::Display> Explain<T> for std::result::Result<T, E> {
    fn explain(self, what: impl fmt::Display) -> Result<T> {
        self.map_err(|error| Failure::new(format!("{what}: {error}")))
    }
}

impl<T> Explain<T> for Option<T> {
    fn explain(self, what: impl fmt::Display) -> Result<T> {
        self.ok_or_else(|| Failure::new(what.to_string()))
    }
}

/// `Err` with this text unless the condition holds.
pub fn ensure(condition: bool, message: impl FnOnce() -> String) -> Result<()> {
    if condition { Ok(()) } else { Err(Failure::new(message())) }
}
