//! What an argument means that is not set.

/// Days logs are kept.
pub const RETENTION_DAYS: i64 = 365;
/// Class of the log group.
pub const LOG_CLASS: &str = "STANDARD";
/// Days before a key that was made is deleted.
pub const DELETION_WINDOW_DAYS: i64 = 30;
/// Volume of a node for images and pods, GiB.
pub const DISK_GIB: i64 = 50;
/// Nodes that may be missing during an update, percent.
pub const MAX_UNAVAILABLE_PERCENTAGE: i64 = 33;
/// Newest images of a repository that stay.
pub const KEEP_IMAGES: i64 = 100;
/// Days before an image without a tag goes.
pub const EXPIRE_UNTAGGED_DAYS: i64 = 14;
