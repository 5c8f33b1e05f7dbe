use super::*;

#[test]
fn paths_are_said_where_terraform_may_not_show_them() {
    let root = Path::root();
    let nested = root.attribute("groups").key("a").attribute("size");
    let mut diagnostics = Diagnostics::new();
    diagnostics.error("Whole", "Detail.");
    diagnostics.error_at(&root.attribute("name"), "Top", "Detail.");
    diagnostics.warning_at(&nested, "Nested", "Detail.");
    diagnostics.error_at(&nested, "Nested", format!("`{nested}` is wrong."));
    let wire = diagnostics.into_wire();
    let details: Vec<&str> = wire.iter().map(|diagnostic| diagnostic.detail.as_str()).collect();
    assert_eq!(
        details,
        [
            "Detail.",
            "Detail.",
            "Detail.\n\nThe attribute is `groups[\"a\"].size`.",
            "`groups[\"a\"].size` is wrong.",
        ]
    );
    assert!(wire[0].attribute.is_none());
    assert_eq!(wire[2].attribute.as_ref().map(|path| path.steps.len()), Some(3));
    assert_eq!((wire[1].severity, wire[2].severity), (1, 2));
}

#[test]
fn only_errors_fail() {
    let mut diagnostics = Diagnostics::new();
    diagnostics.warning("Careful", "Detail.");
    assert!(!diagnostics.has_errors() && diagnostics.clone().into_result().is_ok());
    diagnostics.extend(Diagnostics::from_error("Failed", "Detail."));
    assert!(diagnostics.has_errors());
    assert_eq!(diagnostics.clone().errors_only().len(), 1);
    assert_eq!(diagnostics.to_string(), "warning: Careful: Detail.\nerror: Failed: Detail.\n");
}

#[test]
fn paths_end_at_sets_on_the_wire() {
    let path = Path::root().attribute("rules").element().attribute("port");
    assert_eq!(path.to_wire().map(|path| path.steps.len()), Some(1));
    assert_eq!(path.to_string(), "rules[*].port");
}
