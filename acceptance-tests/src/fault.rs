//! Faults the local AWS injects. Nothing in the provider knows of them.

use serde_json::{Value, json};

/// What happens to a call that a fault hits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// HTTP 500 in the service's own protocol; no effect.
    InternalError,
    /// Throttled; no effect.
    Throttle,
    /// The credentials have expired; no effect.
    ExpiredToken,
    /// Not allowed; no effect.
    AccessDenied,
    /// The connection is reset before the effect.
    ResetBefore,
    /// The effect happens, then the connection is reset.
    ResetAfter,
    /// The effect happens, the answer waits until it is released.
    Hold,
    /// The call waits before its effect.
    HoldBefore,
    /// Answered two seconds late.
    Stall,
    /// A read is answered as it was before the last change.
    StaleRead,
}

impl Action {
    /// The name the local AWS knows.
    pub fn name(self) -> &'static str {
        match self {
            Action::InternalError => "error500",
            Action::Throttle => "throttle",
            Action::ExpiredToken => "expired_token",
            Action::AccessDenied => "access_denied",
            Action::ResetBefore => "reset_before",
            Action::ResetAfter => "reset_after",
            Action::Hold => "hold",
            Action::HoldBefore => "hold_before",
            Action::Stall => "stall",
            Action::StaleRead => "stale_read",
        }
    }
}

/// Which calls are hit, and how often.
#[derive(Debug, Clone)]
pub struct Fault {
    action: Action,
    service: String,
    operation: String,
    resource: String,
    occurrence: usize,
    times: usize,
    until_cleared: bool,
}

impl Fault {
    /// Hits the first call of any operation once.
    pub fn new(action: Action) -> Self {
        Self {
            action,
            service: "*".to_owned(),
            operation: "*".to_owned(),
            resource: "*".to_owned(),
            occurrence: 1,
            times: 1,
            until_cleared: false,
        }
    }

    /// Only calls of this operation, `eks:CreateNodegroup`; both halves are patterns.
    pub fn at(mut self, action: &str) -> Self {
        let (service, operation) = action.split_once(':').unwrap_or(("*", action));
        self.service = service.to_owned();
        self.operation = operation.to_owned();
        self
    }

    /// Only calls about this resource; a pattern.
    pub fn resource(mut self, pattern: &str) -> Self {
        self.resource = pattern.to_owned();
        self
    }

    /// The first call that is hit, counted from one among those that match.
    pub fn occurrence(mut self, number: usize) -> Self {
        self.occurrence = number;
        self
    }

    /// How many calls in a row are hit.
    pub fn times(mut self, count: usize) -> Self {
        self.times = count;
        self
    }

    /// From the first hit on, every call.
    pub fn until_cleared(mut self) -> Self {
        self.until_cleared = true;
        self
    }

    /// The body of the control request.
    pub(crate) fn body(&self, account: &str) -> Value {
        json!({
            "account": account,
            "service": self.service,
            "operation": self.operation,
            "resource": self.resource,
            "occurrence": self.occurrence,
            "times": self.times,
            "until_cleared": self.until_cleared,
            "action": self.action.name(),
        })
    }
}
