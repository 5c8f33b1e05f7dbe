//! What values may be. Validators skip what is null or unknown: it is looked at again when it is known.

use std::fmt;

use crate::diagnostics::Diagnostics;
use crate::path::Path;
use crate::value::{Number, Value};

/// One rule about a value. On a collection, rules about text and numbers hold for each element.
#[derive(Clone, Debug)]
pub enum Validator {
    /// One of these texts.
    OneOf(Vec<String>),
    /// Text of this many characters.
    Length {
        /// The fewest characters.
        least: usize,
        /// The most characters.
        most: usize,
    },
    /// A number in this range.
    Range {
        /// The least number.
        least: Option<i64>,
        /// The greatest number.
        most: Option<i64>,
    },
    /// Text or collection that is not empty.
    NonEmpty,
    /// Text that passes a function.
    Check {
        /// Whether text passes.
        holds: fn(&str) -> bool,
        /// Completes "must …".
        text: &'static str,
    },
    /// Map keys that pass a function.
    Keys {
        /// Whether a key passes.
        holds: fn(&str) -> bool,
        /// Completes "keys must …".
        text: &'static str,
    },
    /// A collection with this many elements.
    Size {
        /// The fewest elements.
        least: usize,
        /// The most elements.
        most: Option<usize>,
    },
}

impl fmt::Display for Validator {
    /// The rule as it completes "must …".
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OneOf(allowed) => {
                let quoted: Vec<String> = allowed.iter().map(|text| format!("`{text}`")).collect();
                write!(formatter, "be one of {}", quoted.join(", "))
            }
            Self::Length { least, most } if least == most => {
                write!(formatter, "have exactly {least} characters")
            }
            Self::Length { least, most } => write!(formatter, "have {least} to {most} characters"),
            Self::Range { least: Some(least), most: Some(most) } => {
                write!(formatter, "be from {least} to {most}")
            }
            Self::Range { least: Some(least), most: None } => write!(formatter, "be at least {least}"),
            Self::Range { least: None, most: Some(most) } => write!(formatter, "be at most {most}"),
            Self::Range { least: None, most: None } => formatter.write_str("be a number"),
            Self::NonEmpty => formatter.write_str("not be empty"),
            Self::Check { text, .. } => formatter.write_str(text),
            Self::Keys { text, .. } => write!(formatter, "have keys that {text}"),
            Self::Size { least, most: Some(most) } if least == most => {
                write!(formatter, "have exactly {least} elements")
            }
            Self::Size { least, most: Some(most) } => write!(formatter, "have {least} to {most} elements"),
            Self::Size { least, most: None } => write!(formatter, "have at least {least} elements"),
        }
    }
}

impl Validator {
    /// Adds an error for each violation in `value`. The text of sensitive values is never repeated.
    pub(crate) fn validate(
        &self,
        value: &Value,
        path: &Path,
        sensitive: bool,
        diagnostics: &mut Diagnostics,
    ) {
        match self {
            Self::NonEmpty | Self::Size { .. } | Self::Keys { .. } => {
                self.validate_whole(value, path, diagnostics);
            }
            _ => match value {
                Value::List(elements) => {
                    for (index, element) in elements.iter().enumerate() {
                        self.validate(element, &path.index(index), sensitive, diagnostics);
                    }
                }
                Value::Set(elements) => {
                    for element in elements {
                        self.validate(element, &path.element(), sensitive, diagnostics);
                    }
                }
                Value::Map(members) => {
                    for (key, element) in members {
                        self.validate(element, &path.key(key), sensitive, diagnostics);
                    }
                }
                Value::String(text) if !self.allows_text(text) => {
                    self.refuse(Some(format!("{text:?}")).filter(|_| !sensitive), path, diagnostics);
                }
                Value::Number(number) if !self.allows_number(number) => {
                    self.refuse(Some(number.to_string()).filter(|_| !sensitive), path, diagnostics);
                }
                _ => {}
            },
        }
    }

    fn validate_whole(&self, value: &Value, path: &Path, diagnostics: &mut Diagnostics) {
        let size = match value {
            Value::List(elements) | Value::Set(elements) => Some(elements.len()),
            Value::Map(members) => Some(members.len()),
            _ => None,
        };
        match (self, value, size) {
            (Self::NonEmpty, Value::String(text), _) if text.is_empty() => {
                self.refuse(None, path, diagnostics)
            }
            (Self::NonEmpty, _, Some(0)) => self.refuse(None, path, diagnostics),
            // Unknown elements of a set may turn out to be equal, so only known sets are counted.
            (Self::Size { .. }, Value::Set(_), _) if !value.is_wholly_known() => {}
            (Self::Size { least, most }, _, Some(size))
                if size < *least || most.is_some_and(|most| size > most) =>
            {
                self.refuse(Some(format!("{size} elements")), path, diagnostics);
            }
            (Self::Keys { holds, .. }, Value::Map(members), _) => {
                for key in members.keys().filter(|key| !holds(key)) {
                    self.refuse(Some(format!("{key:?}")), path, diagnostics);
                }
            }
            _ => {}
        }
    }

    fn allows_text(&self, text: &str) -> bool {
        match self {
            Self::OneOf(allowed) => allowed.iter().any(|candidate| candidate == text),
            Self::Length { least, most } => {
                let length = text.chars().count();
                (*least..=*most).contains(&length)
            }
            Self::Check { holds, .. } => holds(text),
            _ => true,
        }
    }

    fn allows_number(&self, number: &Number) -> bool {
        match self {
            Self::Range { least, most } => {
                least.is_none_or(|least| *number >= Number::from(least))
                    && most.is_none_or(|most| *number <= Number::from(most))
            }
            _ => true,
        }
    }

    fn refuse(&self, got: Option<String>, path: &Path, diagnostics: &mut Diagnostics) {
        let name = match path.to_string() {
            name if name.is_empty() => "The value".to_owned(),
            name => format!("`{name}`"),
        };
        let got = got.map(|got| format!(", but got {got}")).unwrap_or_default();
        diagnostics.error_at(path, "Invalid value", format!("{name} must {self}{got}."));
    }
}
