//! The `model!` macro: attribute names, types, rules and texts are written once.

/// Defines models.
///
/// ```
/// use terraform_plugin::prelude::*;
///
/// model! {
///     /// A group of nodes.
///     pub struct NodeGroup paths NodeGroupPaths {
///         /// What the nodes are for.
///         purpose: String = optional().one_of(&["general", "system"]),
///         /// The fewest nodes.
///         min_size: i64 = optional().at_least(0),
///         /// Labels of every node.
///         labels: Map<String> = optional(),
///     }
/// }
///
/// let path = Path::root().attribute("groups").key("general");
/// assert_eq!(NodeGroup::at(&path).min_size.to_string(), "groups[\"general\"].min_size");
/// ```
///
/// Each field becomes `pub name: Field<Type>`, its comment the attribute's Markdown description and its rules
/// the schema. A type that is a model itself becomes a nested attribute, or a block with `block()`. With
/// `paths Name` a companion struct gives the paths of the attributes, so that no name is written twice.
#[macro_export]
macro_rules! model {
    () => {};
    (
        $(#[doc = $description:expr])*
        $visibility:vis struct $name:ident paths $paths:ident { $($body:tt)* }
        $($rest:tt)*
    ) => {
        $crate::model! { @model [$($description),*] $visibility $name { $($body)* } }
        $crate::model! { @paths $visibility $name $paths { $($body)* } }
        $crate::model! { $($rest)* }
    };
    (
        $(#[doc = $description:expr])*
        $visibility:vis struct $name:ident { $($body:tt)* }
        $($rest:tt)*
    ) => {
        $crate::model! { @model [$($description),*] $visibility $name { $($body)* } }
        $crate::model! { $($rest)* }
    };
    (
        @model [$($description:expr),*] $visibility:vis $name:ident {
            $($(#[doc = $text:expr])* $field:ident: $kind:ty = $rules:expr),* $(,)?
        }
    ) => {
        $(#[doc = $description])*
        #[derive(Clone, Debug, Default, PartialEq)]
        $visibility struct $name {
            $($(#[doc = $text])* pub $field: $crate::model::Field<$kind>,)*
        }

        impl $crate::model::Element for $name {
            fn shape() -> $crate::schema::Shape {
                $crate::schema::Shape::Nested(
                    $crate::schema::Nesting::Single,
                    <Self as $crate::model::Model>::attributes(),
                )
            }

            #[allow(unused_variables)]
            fn from_known(
                value: &$crate::value::Value,
                path: &$crate::Path,
                diagnostics: &mut $crate::Diagnostics,
            ) -> ::core::option::Option<Self> {
                if value.members().is_none() {
                    diagnostics.error_at(path, "Value of the wrong type", "Expected an object.");
                    return ::core::option::Option::None;
                }
                ::core::option::Option::Some(Self {
                    $($field: {
                        let name = $crate::model::attribute_name(stringify!($field));
                        $crate::model::Field::from_value(value.member(name), &path.attribute(name), diagnostics)
                    },)*
                })
            }

            fn to_known(&self) -> $crate::value::Value {
                $crate::value::Value::object([
                    $(($crate::model::attribute_name(stringify!($field)), self.$field.to_value()),)*
                ] as [(&str, $crate::value::Value); _])
            }
        }

        impl $crate::model::Model for $name {
            fn attributes() -> ::std::vec::Vec<$crate::schema::Attribute> {
                #[allow(unused_imports)]
                use $crate::schema::{block, computed, optional, required};
                ::std::vec![$($crate::schema::Attribute {
                    name: $crate::model::attribute_name(stringify!($field)),
                    description: $crate::model::description(&[$($text),*]),
                    shape: <$kind as $crate::model::Element>::shape(),
                    rules: $rules,
                }),*]
            }

            fn description() -> ::std::string::String {
                $crate::model::description(&[$($description),*])
            }
        }
    };
    (
        @paths $visibility:vis $name:ident $paths:ident {
            $($(#[doc = $text:expr])* $field:ident: $kind:ty = $rules:expr),* $(,)?
        }
    ) => {
        #[doc = concat!("The paths of the attributes of [`", stringify!($name), "`].")]
        // All paths are made together, and few models need each of them.
        #[allow(dead_code)]
        #[derive(Clone, Debug)]
        $visibility struct $paths {
            $(#[doc = concat!("The path of `", stringify!($field), "`.")] pub $field: $crate::Path,)*
        }

        #[allow(dead_code)]
        impl $name {
            /// The paths of the attributes of the object at `base`.
            $visibility fn at(base: &$crate::Path) -> $paths {
                $paths { $($field: base.attribute($crate::model::attribute_name(stringify!($field))),)* }
            }
        }
    };
}

/// The name users write for a field: keywords such as `r#type` lose their mark.
pub fn attribute_name(field: &'static str) -> &'static str {
    field.strip_prefix("r#").unwrap_or(field)
}

/// Joins the lines of a comment to Markdown: lines of a paragraph flow, paragraphs and lists stay apart.
pub fn description(lines: &[&str]) -> String {
    let mut text = String::new();
    let mut line_starts_new = true;
    for line in lines {
        let line = line.strip_prefix(' ').unwrap_or(line).trim_end();
        let trimmed = line.trim_start();
        if trimmed.is_empty() {
            if !text.is_empty() && !text.ends_with('\n') {
                text.push_str("\n\n");
            }
            line_starts_new = true;
            continue;
        }
        let is_item = trimmed.starts_with("* ") || trimmed.starts_with("- ") || trimmed.starts_with('|');
        if !line_starts_new {
            text.push(if is_item { '\n' } else { ' ' });
        }
        text.push_str(if is_item { line } else { trimmed });
        line_starts_new = false;
    }
    text.trim_end().to_owned()
}
