//! The clock of the engine: how often it looks, how long it is patient.

use std::time::Duration;

/// How the engine waits and how much it does at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// How many calls of parts are under way at once.
    pub concurrency: usize,
    /// Pause after the first look of a wait; each one after it is twice as long.
    pub poll_first: Duration,
    /// The longest pause between two looks. With more than eight waits at once pauses grow beyond it, so that
    /// the world is not asked more often.
    pub poll_longest: Duration,
    /// How long [`FailureKind::NotYet`](crate::FailureKind::NotYet) of one object is believed, and
    /// [`FailureKind::Expired`](crate::FailureKind::Expired) of all.
    pub not_yet_limit: Duration,
    /// How many looks in a row must fail to end a wait.
    pub bad_polls: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            concurrency: 8,
            poll_first: Duration::from_millis(500),
            poll_longest: Duration::from_secs(2),
            not_yet_limit: Duration::from_secs(120),
            bad_polls: 5,
        }
    }
}

/// Growing pauses, with jitter so that many waits do not look at the same moment.
#[derive(Debug)]
pub(crate) struct Pauses {
    next: Duration,
    longest: Duration,
}

impl Pauses {
    pub(crate) fn new(settings: &Settings) -> Self {
        // Never without any pause at all, whatever was configured.
        let longest = settings.poll_longest.max(Duration::from_millis(1));
        Self { next: settings.poll_first.clamp(Duration::from_millis(1), longest), longest }
    }

    pub(crate) fn next(&mut self) -> Duration {
        let pause = self.next;
        self.next = pause.saturating_mul(2).min(self.longest);
        pause.mul_f64(rand::random_range(0.75..=1.0))
    }
}
