//! The calls the local AWS saw.

use serde::Deserialize;

/// One call.
#[derive(Debug, Clone, Deserialize)]
pub struct Call {
    /// Number in the journal of the account.
    pub n: u64,
    /// `eks`, `iam`, `kms`, `logs`, `ec2`, `sts`.
    pub service: String,
    /// `CreateCluster`.
    pub operation: String,
    /// What the call is about, when the local AWS can tell.
    #[serde(default)]
    pub resource: Option<String>,
    /// Missing while the call is held.
    pub outcome: Option<Outcome>,
    /// `test` for calls the test itself made.
    #[serde(default)]
    pub caller: Option<String>,
    /// The access key that signed the call.
    #[serde(default)]
    pub access_key: Option<String>,
    /// The fault that hit it.
    #[serde(default)]
    pub fault: Option<Hit>,
    /// Whether the operation changes something.
    pub mutating: bool,
    /// When it came, in real seconds since the epoch.
    pub time: f64,
    /// When it came, in seconds of the account's scaled clock.
    pub virtual_time: f64,
    /// The same for calls that ask the same thing.
    pub request: String,
}

/// The fault that hit a call.
#[derive(Debug, Clone, Deserialize)]
pub struct Hit {
    /// What it did.
    pub action: String,
}

/// How a call ended. Status 0 is a connection that was reset.
#[derive(Debug, Clone, Deserialize)]
pub struct Outcome {
    pub status: u16,
    #[serde(default)]
    pub code: Option<String>,
}

impl Call {
    /// Whether the caller got a good answer.
    pub fn succeeded(&self) -> bool {
        self.outcome.as_ref().is_some_and(|outcome| (200..300).contains(&outcome.status))
    }

    /// `eks:CreateCluster`.
    pub fn action(&self) -> String {
        format!("{}:{}", self.service, self.operation)
    }
}

/// The calls of a journal that came from the provider, not from the test.
#[derive(Debug, Clone, Default)]
pub struct Journal {
    pub calls: Vec<Call>,
}

impl Journal {
    /// The calls of one operation, `eks:CreateCluster`.
    pub fn of(&self, action: &str) -> Vec<&Call> {
        self.calls.iter().filter(|call| call.action() == action).collect()
    }

    /// How many calls of one operation got a good answer.
    pub fn succeeded(&self, action: &str) -> usize {
        self.of(action).into_iter().filter(|call| call.succeeded()).count()
    }

    /// The calls that change something.
    pub fn mutating(&self) -> Vec<&Call> {
        self.calls.iter().filter(|call| call.mutating).collect()
    }

    /// One line per call, for messages.
    pub fn text(&self) -> String {
        let line = |call: &Call| {
            let outcome = match &call.outcome {
                Some(outcome) => format!("{} {}", outcome.status, outcome.code.as_deref().unwrap_or("")),
                None => "held".to_owned(),
            };
            let fault = call.fault.as_ref().map(|fault| format!(" [{}]", fault.action)).unwrap_or_default();
            format!(
                "{:>4} {} {} {outcome}{fault}",
                call.n,
                call.action(),
                call.resource.as_deref().unwrap_or("")
            )
        };
        self.calls.iter().map(line).collect::<Vec<_>>().join("\n")
    }
}
