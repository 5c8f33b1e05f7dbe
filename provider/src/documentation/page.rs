//! Whole pages, in the order registries expect.

use terraform_plugin::{AnyDataSource, AnyProvider, AnyResource};

use super::schema::section;
use super::{read, repository};

/// `production_cluster` of `eks_production_cluster`.
pub(super) fn short_name<'a>(provider: &str, type_name: &'a str) -> &'a str {
    type_name.strip_prefix(provider).and_then(|rest| rest.strip_prefix('_')).unwrap_or(type_name)
}

/// The page of the provider block.
pub(super) fn index(provider: &dyn AnyProvider) -> String {
    let name = provider.name();
    let schema = provider.schema();
    [
        front_matter(&format!("{name} Provider"), &schema.description),
        format!("# {name} Provider"),
        schema.description.clone(),
        "## Example Usage".to_owned(),
        code("terraform", &read("examples/provider/provider.tf")),
        section(&schema.attributes),
        guides(),
    ]
    .join("\n\n")
        + "\n"
}

/// The page of a resource type.
pub(super) fn resource(provider: &dyn AnyProvider, resource: &dyn AnyResource) -> String {
    let name = resource.type_name();
    let schema = resource.schema();
    let examples = format!("examples/resources/{name}");
    let mut parts = vec![
        front_matter(
            &format!("{name} Resource - terraform-provider-{}", provider.name()),
            &schema.description,
        ),
        format!("# {name} (Resource)"),
        schema.description.clone(),
        "## Example Usage".to_owned(),
        code("terraform", &read(&format!("{examples}/resource.tf"))),
        section(&schema.attributes),
    ];
    if repository().join(&examples).join("import.sh").exists() {
        parts.extend([
            "## Import".to_owned(),
            "With an `import` block:".to_owned(),
            code("terraform", &read(&format!("{examples}/import-by-string-id.tf"))),
            "Or with the command:".to_owned(),
            code("shell", &read(&format!("{examples}/import.sh"))),
        ]);
    }
    parts.join("\n\n") + "\n"
}

/// The page of a data source.
pub(super) fn data_source(provider: &dyn AnyProvider, source: &dyn AnyDataSource) -> String {
    let name = source.type_name();
    let schema = source.schema();
    let examples = format!("examples/data-sources/{name}");
    let mut parts = vec![
        front_matter(
            &format!("{name} Data Source - terraform-provider-{}", provider.name()),
            &schema.description,
        ),
        format!("# {name} (Data Source)"),
        schema.description.clone(),
        "## Example Usage".to_owned(),
        code("terraform", &read(&format!("{examples}/data-source.tf"))),
        section(&schema.attributes),
    ];
    if repository().join(&examples).join("by-hand.sh").exists() {
        parts.extend([
            "## Without Terraform".to_owned(),
            code("shell", &read(&format!("{examples}/by-hand.sh"))),
        ]);
    }
    parts.join("\n\n") + "\n"
}

/// The description is the first paragraph: registries show it in lists.
fn front_matter(title: &str, description: &str) -> String {
    let first = description.split("\n\n").next().unwrap_or_default().replace('\n', " ");
    format!("---\npage_title: \"{title}\"\nsubcategory: \"\"\ndescription: |-\n  {first}\n---")
}

pub(super) fn code(language: &str, text: &str) -> String {
    format!("```{language}\n{}\n```", text.trim_end())
}

fn guides() -> String {
    "## Guides\n\n\
     - [Errors](guides/errors.md): what each code means and what to do.\n\
     - [Production rules](guides/production-rules.md): what is refused, why, and how to accept it on record.\n\
     - [Permissions](guides/permissions.md): the IAM policies that plan and apply need."
        .to_owned()
}
