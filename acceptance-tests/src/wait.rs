//! Waiting for a condition, never for an amount of time.

use std::time::{Duration, Instant};

use crate::{Failure, Result};

/// Looks every few milliseconds until `look` answers a value. A deadline turns waiting into a failure.
pub fn until<T>(what: &str, limit: Duration, mut look: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(found) = look()? {
            return Ok(found);
        }
        if Instant::now() >= deadline {
            return Err(Failure::new(format!("{what}: not within {} s", limit.as_secs())));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}
