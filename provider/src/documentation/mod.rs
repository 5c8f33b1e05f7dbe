//! The published pages under `docs/`, rendered from the schema and the examples. A test compares them with
//! the files; `UPDATE=1 cargo test -p terraform-provider-eks documentation` writes them. The guide
//! about permissions is rendered, too; the others are written by hand, and tests compare what they have to list.

mod guides;
mod page;
mod permissions;
mod rules_guide;
mod schema;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use terraform_plugin::AnyProvider;

use crate::provider::EksProvider;

/// Registries cut pages that are longer.
const LONGEST_PAGE: usize = 500_000;

/// One page.
struct Page {
    /// Below `docs/`.
    path: String,
    content: String,
}

fn provider() -> Arc<dyn AnyProvider> {
    terraform_plugin::provider(EksProvider::new())
}

/// The top of the repository.
fn repository() -> PathBuf {
    // Not what the compiler saw: clones may share a target folder.
    let here = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo runs the tests"));
    here.parent().map(Path::to_path_buf).unwrap_or(here)
}

fn read(path: &str) -> String {
    let path = repository().join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every page that is rendered.
fn pages() -> Vec<Page> {
    let provider = provider();
    assert_eq!(provider.functions().len(), 0, "functions need pages, too");
    let mut pages = vec![Page { path: "index.md".to_owned(), content: page::index(provider.as_ref()) }];
    for resource in provider.resources() {
        let name = page::short_name(provider.name(), resource.type_name());
        pages.push(Page {
            path: format!("resources/{name}.md"),
            content: page::resource(provider.as_ref(), resource.as_ref()),
        });
    }
    for source in provider.data_sources() {
        let name = page::short_name(provider.name(), source.type_name());
        pages.push(Page {
            path: format!("data-sources/{name}.md"),
            content: page::data_source(provider.as_ref(), source.as_ref()),
        });
    }
    pages.push(Page { path: permissions::PATH.to_owned(), content: permissions::guide() });
    pages.push(rules_guide::page());
    pages
}

#[test]
fn pages_say_what_the_code_says() {
    let update = std::env::var_os("UPDATE").is_some_and(|value| !value.is_empty());
    for page in pages() {
        let path = repository().join("docs").join(&page.path);
        if update {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, &page.content).unwrap();
        }
        let found = std::fs::read_to_string(&path).unwrap_or_default();
        let same = found.lines().zip(page.content.lines()).take_while(|(one, other)| one == other).count();
        assert!(
            found == page.content,
            "docs/{} differs from line {} on; write it anew: UPDATE=1 cargo test -p terraform-provider-eks \
             documentation",
            page.path,
            same + 1,
        );
        assert!(page.content.len() <= LONGEST_PAGE, "docs/{} is too long for registries", page.path);
    }
}

#[test]
fn nothing_is_published_that_is_not_rendered() {
    let rendered: Vec<String> = pages().into_iter().map(|page| page.path).collect();
    let docs = repository().join("docs");
    for folder in ["", "data-sources", "resources"] {
        for entry in std::fs::read_dir(docs.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(&docs).unwrap().to_string_lossy().into_owned();
            assert!(path.is_dir() || rendered.contains(&name), "nothing renders docs/{name}");
        }
    }
}

#[test]
fn every_attribute_is_described_and_fits_terraform() {
    let provider = provider();
    let schemas = provider.resources().iter().map(|resource| (resource.type_name(), resource.schema()));
    let sources = provider.data_sources();
    let schemas = schemas.chain(sources.iter().map(|source| (source.type_name(), source.schema())));
    for (name, schema) in schemas.chain([("provider", provider.schema())]) {
        let problems = terraform_plugin::schema::check(schema);
        assert!(problems.is_empty(), "{name}: {problems:?}");
    }
}
