//! What `state` of a part says when something is to be done about it. The texts are kept between runs, so they
//! are read again: writer and reader share them here.

use crate::decide::is_leaving;

/// Nothing is there.
pub(crate) const ABSENT: &str = "absent";
/// It is there and ours, and this ledger has not made it.
pub(crate) const FOUND: &str = "pending: found, not recorded yet";
/// A create was called and its answer never came.
pub(crate) const PERHAPS_MADE: &str = "pending: it may have been made, the answer is not known";

const REPLACE: &str = "replace: ";
const BUSY: &str = "busy: ";

/// It is to be made again, for this reason.
pub(crate) fn replace(reason: &str) -> String {
    format!("{REPLACE}{reason}")
}

/// It moves; the world's own word for it.
pub(crate) fn busy(status: &str) -> String {
    format!("{BUSY}{}", status.to_lowercase())
}

/// It is there and ours, not recorded, and differs.
pub(crate) fn found_with(changes: &[String]) -> String {
    if changes.is_empty() { FOUND.to_owned() } else { format!("{FOUND}; {}", changes.join("; ")) }
}

/// True when the next run may end with another object than the recorded one: what only the world can name is
/// then not known before.
pub fn may_be_made_anew(state: &str) -> bool {
    state == ABSENT
        || state == PERHAPS_MADE
        || state.starts_with(FOUND)
        || state.starts_with(REPLACE)
        || state.strip_prefix(BUSY).is_some_and(is_leaving)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_become_another_object_is_made_anew() {
        let anew = [
            ABSENT.to_owned(),
            PERHAPS_MADE.to_owned(),
            found_with(&[]),
            found_with(&["labels".to_owned()]),
            replace("instance types"),
            busy("DELETING"),
        ];
        for state in anew {
            assert!(may_be_made_anew(&state), "{state}");
        }
        for state in ["ready", "v1.2", "drifted: labels", "pending: still 2 nodes", "busy: updating"] {
            assert!(!may_be_made_anew(state), "{state}");
        }
    }
}
