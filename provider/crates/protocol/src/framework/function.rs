//! Functions that users call as `provider::name::function(…)`. They are pure and need no configured provider.

use crate::value::{Type, Value};

/// A provider-defined function.
pub trait Function: Send + Sync + 'static {
    /// The name users write.
    fn name(&self) -> &'static str;

    /// One line.
    fn summary(&self) -> &'static str;

    /// Markdown.
    fn description(&self) -> &'static str;

    /// The parameters in order.
    fn parameters(&self) -> Vec<Parameter>;

    /// The parameter that takes all further arguments.
    fn variadic_parameter(&self) -> Option<Parameter> {
        None
    }

    /// The type of the result.
    fn return_type(&self) -> Type;

    /// Computes the result. Arguments fit the parameters; further ones follow one by one.
    fn call(&self, arguments: &[Value]) -> Result<Value, FunctionError>;
}

/// A parameter of a function.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// The name in documentation and errors.
    pub name: &'static str,
    /// Markdown.
    pub description: &'static str,
    /// The type of the argument.
    pub value_type: Type,
    /// Whether null may be passed; otherwise Terraform refuses it.
    pub allow_null: bool,
    /// Whether unknown values are passed; otherwise the result of an unknown argument is unknown.
    pub allow_unknown: bool,
}

impl Parameter {
    /// A parameter that is neither null nor unknown.
    pub fn new(name: &'static str, value_type: Type, description: &'static str) -> Self {
        Self { name, description, value_type, allow_null: false, allow_unknown: false }
    }
}

/// Why a function has no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct FunctionError {
    /// One sentence.
    pub text: String,
    /// The argument at fault, counted from zero.
    pub argument: Option<usize>,
}

impl FunctionError {
    /// An error about the call.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), argument: None }
    }

    /// An error about one argument, counted from zero.
    pub fn at(argument: usize, text: impl Into<String>) -> Self {
        Self { text: text.into(), argument: Some(argument) }
    }
}
