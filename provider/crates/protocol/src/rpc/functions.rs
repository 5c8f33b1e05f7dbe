//! GetFunctions and CallFunction.

use std::collections::HashMap;

use tonic::Status;

use crate::codec;
use crate::framework::{Function, FunctionError, Parameter};
use crate::rpc::Service;
use crate::serve::panics;
use crate::value::Value;
use crate::wire::tfplugin6::{self, DynamicValue, StringKind, call_function, function, get_functions};

pub(super) fn all(service: &Service) -> HashMap<String, tfplugin6::Function> {
    let functions = service.provider.functions().iter();
    functions.map(|function| (function.name().to_owned(), to_wire(function.as_ref()))).collect()
}

fn to_wire(function: &dyn Function) -> tfplugin6::Function {
    tfplugin6::Function {
        parameters: function.parameters().iter().map(parameter).collect(),
        variadic_parameter: function.variadic_parameter().as_ref().map(parameter),
        r#return: Some(function::Return { r#type: function.return_type().to_bytes() }),
        summary: function.summary().to_owned(),
        description: function.description().to_owned(),
        description_kind: StringKind::Markdown.into(),
        ..tfplugin6::Function::default()
    }
}

fn parameter(parameter: &Parameter) -> function::Parameter {
    function::Parameter {
        name: parameter.name.to_owned(),
        r#type: parameter.value_type.to_bytes(),
        allow_null_value: parameter.allow_null,
        allow_unknown_values: parameter.allow_unknown,
        description: parameter.description.to_owned(),
        description_kind: StringKind::Markdown.into(),
    }
}

pub(super) async fn get(
    service: &Service,
    _request: get_functions::Request,
) -> Result<get_functions::Response, Status> {
    Ok(get_functions::Response { functions: all(service), diagnostics: Vec::new() })
}

pub(super) async fn call(
    service: &Service,
    request: call_function::Request,
) -> Result<call_function::Response, Status> {
    let functions = service.provider.functions();
    let outcome = match functions.iter().find(|function| function.name() == request.name) {
        Some(function) => {
            panics::catch(async { called(function.as_ref(), &request.arguments) }).await.unwrap_or_else(
                |panic| Err(FunctionError::new(format!("The provider failed unexpectedly: {panic}"))),
            )
        }
        None => Err(FunctionError::new(format!("The provider has no function {:?}.", request.name))),
    };
    Ok(match outcome {
        Ok(result) => call_function::Response { result: Some(result), error: None },
        Err(error) => call_function::Response {
            result: None,
            error: Some(tfplugin6::FunctionError {
                text: error.text,
                function_argument: error.argument.and_then(|argument| i64::try_from(argument).ok()),
            }),
        },
    })
}

fn called(function: &dyn Function, arguments: &[DynamicValue]) -> Result<DynamicValue, FunctionError> {
    let parameters = function.parameters();
    let variadic = function.variadic_parameter();
    let mut values = Vec::with_capacity(arguments.len());
    for (position, argument) in arguments.iter().enumerate() {
        let Some(parameter) = parameters.get(position).or(variadic.as_ref()) else {
            return Err(FunctionError::at(position, "There are more arguments than parameters."));
        };
        let value: Value = codec::decode(Some(argument), &parameter.value_type)
            .map_err(|error| FunctionError::at(position, format!("The argument cannot be read: {error}.")))?;
        values.push(value);
    }
    if values.len() < parameters.len() {
        return Err(FunctionError::new("There are fewer arguments than parameters."));
    }
    let result = function.call(&values)?;
    Ok(codec::encode(&result, &function.return_type()))
}
