//! The faults of a sweep.

use crate::fault::Action;

/// One kind of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The call fails once with HTTP 500.
    InternalErrorOnce,
    /// After the call everything fails with HTTP 500 until the command has ended.
    InternalErrorToTheEnd,
    /// The call is throttled once.
    Throttle,
    /// After the call the credentials have expired.
    ExpiredToken,
    /// The call is not allowed, however often it is tried.
    AccessDenied,
    /// The connection is reset before the effect.
    ResetBefore,
    /// The connection is reset after the effect.
    ResetAfter,
    /// Ctrl-C while the call is in flight.
    Stop,
    /// `kill -9` of the provider while the call is in flight, after its effect.
    Kill,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 9] = [
        Kind::InternalErrorOnce,
        Kind::InternalErrorToTheEnd,
        Kind::Throttle,
        Kind::ExpiredToken,
        Kind::AccessDenied,
        Kind::ResetBefore,
        Kind::ResetAfter,
        Kind::Stop,
        Kind::Kill,
    ];

    /// As it is given on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Kind::InternalErrorOnce => "error-once",
            Kind::InternalErrorToTheEnd => "error-to-the-end",
            Kind::Throttle => "throttle",
            Kind::ExpiredToken => "expired-token",
            Kind::AccessDenied => "access-denied",
            Kind::ResetBefore => "reset-before",
            Kind::ResetAfter => "reset-after",
            Kind::Stop => "stop",
            Kind::Kill => "kill",
        }
    }

    /// What happens to the call itself, and whether it happens again when the call is tried again.
    pub(super) fn at_the_call(self) -> (Action, bool) {
        match self {
            Kind::InternalErrorOnce => (Action::InternalError, false),
            Kind::Throttle => (Action::Throttle, false),
            Kind::AccessDenied => (Action::AccessDenied, true),
            Kind::ResetBefore => (Action::ResetBefore, false),
            Kind::ResetAfter => (Action::ResetAfter, false),
            // The call is caught in flight, then the rest is arranged.
            Kind::InternalErrorToTheEnd | Kind::ExpiredToken | Kind::Stop | Kind::Kill => {
                (Action::Hold, false)
            }
        }
    }
}
