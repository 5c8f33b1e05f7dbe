//! Schemas as the provider sends them.

use std::collections::BTreeMap;

use terraform_plugin::wire::tfplugin6 as wire;

use super::value::Type;
use crate::{Explain, Failure, Result};

/// How nested attributes and blocks are repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nesting {
    Single,
    List,
    Set,
    Map,
}

/// One attribute.
#[derive(Debug, Clone)]
pub struct Attribute {
    pub required: bool,
    pub optional: bool,
    pub computed: bool,
    pub sensitive: bool,
    pub write_only: bool,
    pub shape: Shape,
}

/// What an attribute holds.
#[derive(Debug, Clone)]
pub enum Shape {
    Plain(Type),
    Nested(Nesting, BTreeMap<String, Attribute>),
}

/// A block of attributes and blocks.
#[derive(Debug, Clone, Default)]
pub struct Block {
    pub attributes: BTreeMap<String, Attribute>,
    pub blocks: BTreeMap<String, NestedBlock>,
}

/// A block within a block.
#[derive(Debug, Clone)]
pub struct NestedBlock {
    pub nesting: Nesting,
    pub block: Block,
}

/// What the provider says about itself.
#[derive(Debug, Clone)]
pub struct Schemas {
    pub provider: Block,
    /// Version and block of each resource type.
    pub resources: BTreeMap<String, (i64, Block)>,
    /// Whether destroy plans are asked for.
    pub plan_destroy: bool,
}

impl Schemas {
    pub(super) fn read(response: wire::get_provider_schema::Response) -> Result<Self> {
        let provider = response.provider.and_then(|schema| schema.block).unwrap_or_default();
        let mut resources = BTreeMap::new();
        for (name, schema) in response.resource_schemas {
            let block = schema.block.explain(format_args!("the schema of {name} has no block"))?;
            resources.insert(name, (schema.version, Block::read(block)?));
        }
        let plan_destroy = response.server_capabilities.is_some_and(|capabilities| capabilities.plan_destroy);
        Ok(Self { provider: Block::read(provider)?, resources, plan_destroy })
    }

    /// The schema of one resource type.
    pub fn resource(&self, name: &str) -> Result<&(i64, Block)> {
        self.resources.get(name).explain(format_args!("the provider has no resource {name}"))
    }
}

impl Block {
    fn read(block: wire::schema::Block) -> Result<Self> {
        let mut read = Self { attributes: read_attributes(block.attributes)?, blocks: BTreeMap::new() };
        for nested in block.block_types {
            use wire::schema::nested_block::NestingMode;
            let nesting = match nested.nesting() {
                NestingMode::Single | NestingMode::Group => Nesting::Single,
                NestingMode::List => Nesting::List,
                NestingMode::Set => Nesting::Set,
                NestingMode::Map => Nesting::Map,
                NestingMode::Invalid => return Err(Failure::new("a block without nesting")),
            };
            let inner = nested.block.explain("a nested block without a block")?;
            read.blocks.insert(nested.type_name, NestedBlock { nesting, block: Self::read(inner)? });
        }
        Ok(read)
    }

    /// The type of its values.
    pub fn value_type(&self) -> Type {
        let mut members = attributes_type(&self.attributes);
        for (name, nested) in &self.blocks {
            members.insert(name.clone(), nested.nesting.around(nested.block.value_type()));
        }
        Type::Object(members)
    }
}

impl Nesting {
    fn around(self, inner: Type) -> Type {
        match self {
            Nesting::Single => inner,
            Nesting::List => Type::List(Box::new(inner)),
            Nesting::Set => Type::Set(Box::new(inner)),
            Nesting::Map => Type::Map(Box::new(inner)),
        }
    }
}

fn attributes_type(attributes: &BTreeMap<String, Attribute>) -> BTreeMap<String, Type> {
    let kind = |attribute: &Attribute| match &attribute.shape {
        Shape::Plain(kind) => kind.clone(),
        Shape::Nested(nesting, inner) => nesting.around(Type::Object(attributes_type(inner))),
    };
    attributes.iter().map(|(name, attribute)| (name.clone(), kind(attribute))).collect()
}

fn read_attributes(attributes: Vec<wire::schema::Attribute>) -> Result<BTreeMap<String, Attribute>> {
    attributes.into_iter().map(|attribute| Ok((attribute.name.clone(), read_attribute(attribute)?))).collect()
}

fn read_attribute(attribute: wire::schema::Attribute) -> Result<Attribute> {
    let name = attribute.name;
    let shape = match (attribute.nested_type, attribute.r#type.is_empty()) {
        (Some(nested), true) => {
            use wire::schema::object::NestingMode;
            let nesting = match nested.nesting() {
                NestingMode::Single => Nesting::Single,
                NestingMode::List => Nesting::List,
                NestingMode::Set => Nesting::Set,
                NestingMode::Map => Nesting::Map,
                NestingMode::Invalid => return Err(Failure::new(format!("{name} has no nesting"))),
            };
            Shape::Nested(nesting, read_attributes(nested.attributes)?)
        }
        (None, false) => {
            let notation =
                serde_json::from_slice(&attribute.r#type).explain(format_args!("the type of {name}"))?;
            Shape::Plain(Type::parse(&notation)?)
        }
        _ => return Err(Failure::new(format!("{name} must have a type or a nested type, not both"))),
    };
    Ok(Attribute {
        required: attribute.required,
        optional: attribute.optional,
        computed: attribute.computed,
        sensitive: attribute.sensitive,
        write_only: attribute.write_only,
        shape,
    })
}
