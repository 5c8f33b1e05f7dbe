//! The type of values that a schema on the wire stands for.

use crate::value::{Type, TypeError};
use crate::wire::tfplugin6::{self, schema};

/// The type of the objects that a schema describes: what a driver needs to write and read values.
pub fn value_type(schema: &tfplugin6::Schema) -> Result<Type, TypeError> {
    schema.block.as_ref().map_or_else(|| Ok(Type::Object(Default::default())), block_type)
}

fn block_type(block: &schema::Block) -> Result<Type, TypeError> {
    let mut members = attribute_types(&block.attributes)?;
    for nested in &block.block_types {
        use schema::nested_block::NestingMode;
        let object = match &nested.block {
            Some(block) => block_type(block)?,
            None => Type::Object(Default::default()),
        };
        let kind = match nested.nesting() {
            NestingMode::List => Type::list(object),
            NestingMode::Set => Type::set(object),
            NestingMode::Map => Type::map(object),
            NestingMode::Single | NestingMode::Group | NestingMode::Invalid => object,
        };
        members.push((nested.type_name.clone(), kind));
    }
    Ok(Type::object(members))
}

fn attribute_types(attributes: &[schema::Attribute]) -> Result<Vec<(String, Type)>, TypeError> {
    use schema::object::NestingMode;
    let mut members = Vec::with_capacity(attributes.len());
    for attribute in attributes {
        let kind = match &attribute.nested_type {
            None => Type::from_bytes(&attribute.r#type)?,
            Some(nested) => {
                let object = Type::object(attribute_types(&nested.attributes)?);
                match nested.nesting() {
                    NestingMode::List => Type::list(object),
                    NestingMode::Set => Type::set(object),
                    NestingMode::Map => Type::map(object),
                    NestingMode::Single | NestingMode::Invalid => object,
                }
            }
        };
        members.push((attribute.name.clone(), kind));
    }
    Ok(members)
}
