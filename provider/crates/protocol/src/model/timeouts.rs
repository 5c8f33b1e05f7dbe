//! The classic `timeouts` block.

use std::time::Duration;

use crate::model::{Field, parse_duration};

crate::model! {
    /// How long each operation may take.
    pub struct Timeouts paths TimeoutsPaths {
        /// How long creating may take, such as `60m`.
        create: String = optional().check(is_duration, "be a duration such as \"60m\" or \"1h30m\""),
        /// How long reading may take, such as `5m`.
        read: String = optional().check(is_duration, "be a duration such as \"60m\" or \"1h30m\""),
        /// How long updating may take, such as `60m`.
        update: String = optional().check(is_duration, "be a duration such as \"60m\" or \"1h30m\""),
        /// How long deleting may take, such as `60m`.
        delete: String = optional().check(is_duration, "be a duration such as \"60m\" or \"1h30m\""),
    }
}

fn is_duration(text: &str) -> bool {
    parse_duration(text).is_ok()
}

impl Timeouts {
    /// How long creating may take.
    pub fn create_or(&self, otherwise: Duration) -> Duration {
        duration_or(&self.create, otherwise)
    }

    /// How long reading may take.
    pub fn read_or(&self, otherwise: Duration) -> Duration {
        duration_or(&self.read, otherwise)
    }

    /// How long updating may take.
    pub fn update_or(&self, otherwise: Duration) -> Duration {
        duration_or(&self.update, otherwise)
    }

    /// How long deleting may take.
    pub fn delete_or(&self, otherwise: Duration) -> Duration {
        duration_or(&self.delete, otherwise)
    }
}

fn duration_or(field: &Field<String>, otherwise: Duration) -> Duration {
    field.text().and_then(|text| parse_duration(text).ok()).unwrap_or(otherwise)
}
