//! Error codes and their texts. Each has an entry in `docs/guides/errors.md`; a test keeps both equal.

/// One kind of error that users can meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErrorCode {
    /// `EKS0001`
    pub code: &'static str,
    /// Headline, as it stands in the guide.
    pub title: &'static str,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $title:literal;)+) => {
        $($(#[$doc])* pub const $name: ErrorCode = ErrorCode { code: $code, title: $title };)+
        /// Every code, in order: what the guide must have.
        #[cfg(test)]
        pub const ALL: &[ErrorCode] = &[$($name),+];
    };
}

codes! {
    /// AWS answered with an error that will not pass.
    AWS_REFUSED = "EKS0001", "AWS refused a call";
    /// The credentials may not do it.
    ACCESS_DENIED = "EKS0002", "The credentials are not allowed to do this";
    /// The credentials have expired.
    CREDENTIALS_EXPIRED = "EKS0003", "The credentials have expired";
    /// Connection lost, time-out or server error.
    NO_ANSWER = "EKS0004", "AWS gave no usable answer";
    /// A create did not finish.
    CREATE_INCOMPLETE = "EKS0005", "The create did not finish";
    /// An update did not finish.
    UPDATE_INCOMPLETE = "EKS0006", "The update did not finish";
    /// A delete did not finish.
    DELETE_INCOMPLETE = "EKS0007", "The destroy did not finish";
    /// The object exists, is complete and carries our mark.
    ALREADY_COMPLETE = "EKS0008", "The cluster exists and is complete";
    /// The object exists and is not ours.
    FOREIGN = "EKS0009", "An object of that name belongs to someone else";
    /// Another run finished or took over the object.
    TAKEN_OVER = "EKS0010", "Another run took over";
    /// Deletion protection.
    DELETION_PROTECTED = "EKS0011", "Deletion protection is on";
    /// An argument that cannot change.
    IMMUTABLE = "EKS0012", "This argument cannot be changed";
    /// A production rule.
    RULE_BROKEN = "EKS0013", "A production rule is broken";
    /// A part of the cluster did not become healthy.
    UNHEALTHY = "EKS0014", "A part did not become healthy";
    /// The provider block does not fit.
    PROVIDER_CONFIGURATION = "EKS0015", "The provider configuration does not fit";
    /// The identity of the planned object is not known.
    UNKNOWN_IDENTITY = "EKS0016", "The identity of the object is not known";
    /// A wrong argument.
    INVALID_ARGUMENT = "EKS0017", "An argument is wrong";
    /// Nothing to import.
    NOTHING_TO_IMPORT = "EKS0018", "There is nothing to import";
    /// What exists differs in something that cannot change.
    IMPOSSIBLE = "EKS0019", "What exists cannot become what is configured";
    /// The time ran out.
    TIMEOUT = "EKS0020", "The time ran out";
    /// Interrupted by the user.
    INTERRUPTED = "EKS0021", "The run was interrupted";
    /// AWS runs a newer Kubernetes than configured.
    UPGRADED_BY_AWS = "EKS0022", "AWS upgraded the cluster";
    /// AWS refused a call because there were too many.
    THROTTLED = "EKS0023", "AWS throttled the calls";
}
