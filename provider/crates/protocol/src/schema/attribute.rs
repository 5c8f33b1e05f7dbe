//! Attributes and what they are made of.

use crate::schema::Rules;
use crate::value::Type;

/// The schema of a resource, a data source or the provider block.
#[derive(Clone, Debug)]
pub struct Schema {
    /// Rises when states of older versions need an upgrade.
    pub version: i64,
    /// Markdown.
    pub description: String,
    /// Attributes and blocks in the order they were written down.
    pub attributes: Vec<Attribute>,
}

/// One attribute or block.
#[derive(Clone, Debug)]
pub struct Attribute {
    /// The name users write.
    pub name: &'static str,
    /// Markdown.
    pub description: String,
    /// What the value is made of.
    pub shape: Shape,
    /// Who may set it, and what it may be.
    pub rules: Rules,
}

/// What a value is made of.
#[derive(Clone, Debug)]
pub enum Shape {
    /// A value without attributes of its own.
    Plain(Type),
    /// Objects with attributes of their own.
    Nested(Nesting, Vec<Attribute>),
}

/// How nested objects are arranged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nesting {
    /// One object.
    Single,
    /// Objects in order.
    List,
    /// Objects without order.
    Set,
    /// Objects by key.
    Map,
}

impl Schema {
    /// The type of the whole object.
    pub fn value_type(&self) -> Type {
        object_type(&self.attributes)
    }
}

impl Attribute {
    /// The type of the attribute's value.
    pub fn value_type(&self) -> Type {
        self.shape.value_type()
    }

    /// The attributes of nested objects; none for plain values.
    pub fn nested(&self) -> &[Attribute] {
        match &self.shape {
            Shape::Plain(_) => &[],
            Shape::Nested(_, attributes) => attributes,
        }
    }

    /// The validators' texts, for documentation.
    pub fn validator_texts(&self) -> Vec<String> {
        self.rules.validators.iter().map(ToString::to_string).collect()
    }

    /// The default as users would write it, for documentation.
    pub fn default_text(&self) -> Option<String> {
        self.rules.default.as_ref().map(|value| crate::codec::json::encode(value).to_string())
    }
}

impl Shape {
    /// The type of a value of this shape.
    pub fn value_type(&self) -> Type {
        match self {
            Self::Plain(kind) => kind.clone(),
            Self::Nested(nesting, attributes) => {
                let object = object_type(attributes);
                match nesting {
                    Nesting::Single => object,
                    Nesting::List => Type::list(object),
                    Nesting::Set => Type::set(object),
                    Nesting::Map => Type::map(object),
                }
            }
        }
    }

    /// The shape of a collection whose elements have this shape.
    pub(crate) fn collected(self, nesting: Nesting) -> Self {
        match self {
            Self::Nested(Nesting::Single, attributes) => Self::Nested(nesting, attributes),
            // Terraform nests objects one level of collection deep; deeper ones are plain types.
            other => {
                let element = other.value_type();
                Self::Plain(match nesting {
                    Nesting::Single => element,
                    Nesting::List => Type::list(element),
                    Nesting::Set => Type::set(element),
                    Nesting::Map => Type::map(element),
                })
            }
        }
    }
}

fn object_type(attributes: &[Attribute]) -> Type {
    Type::object(attributes.iter().map(|attribute| (attribute.name, attribute.value_type())))
}
