//! What went wrong with one call of a part.

/// Why a call of a part failed, as far as the engine has to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// Something made a moment ago is not visible everywhere yet. The engine tries again, for at most
    /// [`Settings::not_yet_limit`](crate::Settings).
    NotYet,
    /// The credentials of the run have expired. They may be renewed, so the engine tries again; its patience is one
    /// for the whole run, at most [`Settings::not_yet_limit`](crate::Settings), since every call meets it.
    Expired,
    /// The world is busy with something else for a while (an update of the cluster in progress). The
    /// engine tries again until the deadline.
    Busy,
    /// The object is already there. The engine observes it, and adopts it when it is ours.
    Conflict,
    /// Nobody knows whether the call had its effect (connection lost, time-out, server error). The
    /// engine observes before it decides.
    Unknown,
    /// The world refused, for good.
    Refused,
}

/// One failed call: its kind for the engine, its text for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// What the engine does about it.
    pub kind: FailureKind,
    /// What people read: complete, with what the world said.
    pub message: String,
    /// Code of the page that explains it, such as `EKS0007`. The engine only carries it.
    pub code: Option<&'static str>,
}

impl Failure {
    /// A failure of the given kind with its text.
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), code: None }
    }

    /// The world refused, for good.
    pub fn refused(message: impl Into<String>) -> Self {
        Self::new(FailureKind::Refused, message)
    }

    /// Adds the code of the page that explains it.
    #[must_use]
    pub fn with_code(mut self, code: &'static str) -> Self {
        self.code = Some(code);
        self
    }
}
