//! Schemas on the wire.

use crate::schema::{Attribute, Nesting, Schema, Shape};
use crate::wire::tfplugin6::{self, StringKind, schema};

impl Schema {
    /// The form on the wire.
    pub fn to_wire(&self) -> tfplugin6::Schema {
        tfplugin6::Schema {
            version: self.version,
            block: Some(schema::Block {
                description: self.description.clone(),
                description_kind: StringKind::Markdown.into(),
                ..block(&self.attributes)
            }),
        }
    }
}

fn block(members: &[Attribute]) -> schema::Block {
    let (blocks, attributes): (Vec<_>, Vec<_>) = members.iter().partition(|member| member.rules.block);
    schema::Block {
        attributes: attributes.into_iter().map(attribute).collect(),
        block_types: blocks.into_iter().map(nested_block).collect(),
        ..schema::Block::default()
    }
}

fn attribute(attribute: &Attribute) -> schema::Attribute {
    let rules = &attribute.rules;
    let (kind, nested) = match &attribute.shape {
        Shape::Plain(kind) => (kind.to_bytes(), None),
        Shape::Nested(nesting, attributes) => (Vec::new(), Some(object(*nesting, attributes))),
    };
    schema::Attribute {
        name: attribute.name.to_owned(),
        r#type: kind,
        nested_type: nested,
        description: attribute.description.clone(),
        description_kind: StringKind::Markdown.into(),
        required: rules.required,
        optional: rules.optional,
        computed: rules.computed,
        sensitive: rules.sensitive,
        deprecated: rules.deprecated.is_some(),
        deprecation_message: rules.deprecated.clone().unwrap_or_default(),
        write_only: rules.write_only,
    }
}

fn object(nesting: Nesting, attributes: &[Attribute]) -> schema::Object {
    use schema::object::NestingMode;
    let nesting = match nesting {
        Nesting::Single => NestingMode::Single,
        Nesting::List => NestingMode::List,
        Nesting::Set => NestingMode::Set,
        Nesting::Map => NestingMode::Map,
    };
    schema::Object {
        attributes: attributes.iter().map(attribute).collect(),
        nesting: nesting.into(),
        ..schema::Object::default()
    }
}

fn nested_block(member: &Attribute) -> schema::NestedBlock {
    use schema::nested_block::NestingMode;
    let nesting = match &member.shape {
        Shape::Nested(Nesting::Single, _) => NestingMode::Single,
        Shape::Nested(Nesting::List, _) => NestingMode::List,
        Shape::Nested(Nesting::Set, _) => NestingMode::Set,
        Shape::Nested(Nesting::Map, _) => NestingMode::Map,
        Shape::Plain(_) => NestingMode::Invalid,
    };
    schema::NestedBlock {
        type_name: member.name.to_owned(),
        nesting: nesting.into(),
        block: Some(schema::Block {
            description: member.description.clone(),
            description_kind: StringKind::Markdown.into(),
            deprecated: member.rules.deprecated.is_some(),
            deprecation_message: member.rules.deprecated.clone().unwrap_or_default(),
            ..block(member.nested())
        }),
        ..schema::NestedBlock::default()
    }
}
