//! What may stand in a model: text, numbers, booleans, collections of those, and other models.

use std::fmt::Debug;

use crate::diagnostics::Diagnostics;
use crate::path::Path;
use crate::schema::{Attribute, Shape};
use crate::value::{Number, Type, Value};

/// A known value of a model.
pub trait Element: Clone + Debug + PartialEq + Send + Sync + 'static {
    /// What the value is made of.
    fn shape() -> Shape;

    /// Reads a value that is neither null nor unknown; what does not fit is an error about `path`.
    fn from_known(value: &Value, path: &Path, diagnostics: &mut Diagnostics) -> Option<Self>;

    /// The value in Terraform's type system.
    fn to_known(&self) -> Value;
}

/// The shape of a configuration, a plan and a state. Written with [`model!`](crate::model!).
pub trait Model: Element + Default {
    /// Attributes and blocks in the order they were written down.
    fn attributes() -> Vec<Attribute>;

    /// What the model's own comment says, as Markdown.
    fn description() -> String;

    /// Reads an object.
    fn from_value(value: &Value, path: &Path) -> Result<Self, Diagnostics> {
        let mut diagnostics = Diagnostics::new();
        match Self::from_known(value, path, &mut diagnostics) {
            Some(model) if !diagnostics.has_errors() => Ok(model),
            _ => Err(diagnostics),
        }
    }

    /// The object in Terraform's type system.
    fn to_value(&self) -> Value {
        self.to_known()
    }
}

/// Adds the error that `value` is not what the schema promised.
pub(crate) fn mismatch(expected: &str, value: &Value, path: &Path, diagnostics: &mut Diagnostics) {
    let got = match value {
        Value::Null => "null",
        Value::Unknown => "an unknown value",
        Value::Bool(_) => "a bool",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::List(_) => "a list",
        Value::Set(_) => "a set",
        Value::Map(_) => "a map",
        Value::Object(_) => "an object",
        Value::Dynamic(_) => "a value of dynamic type",
    };
    diagnostics.error_at(path, "Value of the wrong type", format!("Expected {expected}, but got {got}."));
}

impl Element for String {
    fn shape() -> Shape {
        Shape::Plain(Type::String)
    }

    fn from_known(value: &Value, path: &Path, diagnostics: &mut Diagnostics) -> Option<Self> {
        let text = value.as_str();
        if text.is_none() {
            mismatch("a string", value, path, diagnostics);
        }
        text.map(str::to_owned)
    }

    fn to_known(&self) -> Value {
        Value::String(self.clone())
    }
}

impl Element for bool {
    fn shape() -> Shape {
        Shape::Plain(Type::Bool)
    }

    fn from_known(value: &Value, path: &Path, diagnostics: &mut Diagnostics) -> Option<Self> {
        let flag = value.as_bool();
        if flag.is_none() {
            mismatch("a bool", value, path, diagnostics);
        }
        flag
    }

    fn to_known(&self) -> Value {
        Value::Bool(*self)
    }
}

impl Element for Number {
    fn shape() -> Shape {
        Shape::Plain(Type::Number)
    }

    fn from_known(value: &Value, path: &Path, diagnostics: &mut Diagnostics) -> Option<Self> {
        let number = value.as_number();
        if number.is_none() {
            mismatch("a number", value, path, diagnostics);
        }
        number.cloned()
    }

    fn to_known(&self) -> Value {
        Value::Number(self.clone())
    }
}

impl Element for f64 {
    fn shape() -> Shape {
        Shape::Plain(Type::Number)
    }

    fn from_known(value: &Value, path: &Path, diagnostics: &mut Diagnostics) -> Option<Self> {
        Number::from_known(value, path, diagnostics).map(|number| number.to_f64())
    }

    fn to_known(&self) -> Value {
        Value::from(*self)
    }
}

macro_rules! whole_number {
    ($($kind:ty),*) => {$(
        impl Element for $kind {
            fn shape() -> Shape {
                Shape::Plain(Type::Number)
            }

            fn from_known(value: &Value, path: &Path, diagnostics: &mut Diagnostics) -> Option<Self> {
                let number = Number::from_known(value, path, diagnostics)?;
                let whole = number
                    .as_i64()
                    .and_then(|whole| <$kind>::try_from(whole).ok())
                    .or_else(|| number.as_u64().and_then(|whole| <$kind>::try_from(whole).ok()));
                if whole.is_none() {
                    diagnostics.error_at(
                        path,
                        "Invalid value",
                        format!("{number} is not a whole number from {} to {}.", <$kind>::MIN, <$kind>::MAX),
                    );
                }
                whole
            }

            fn to_known(&self) -> Value {
                Value::from(*self)
            }
        }
    )*};
}
whole_number!(i32, i64, u16, u32, u64);
