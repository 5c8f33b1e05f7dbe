//! The Kubernetes API must not be open to the whole internet.

use super::Rule;

/// What people have to know about it.
pub const RULE: Rule = Rule {
    id: "public-endpoint-open",
    refuses: "A public endpoint that every address of the internet can reach (`0.0.0.0/0` or `::/0`).",
    why: "Everybody can then try credentials and unpatched holes of the API server.",
    instead: "Keep the private endpoint, or list the networks that need access in `endpoint_access.public_cidrs`.",
};

/// What is wrong with the endpoint, if anything.
pub fn broken<'a>(public: bool, cidrs: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let open = cidrs.into_iter().find(|cidr| cidr.ends_with("/0"));
    open.filter(|_| public).map(|cidr| format!("The public endpoint is open to {cidr}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_public_endpoint_can_be_open() {
        assert!(broken(true, ["10.0.0.0/8", "0.0.0.0/0"]).is_some());
        assert!(broken(true, ["::/0"]).is_some());
        assert_eq!(broken(true, ["203.0.113.0/24"]), None);
        assert_eq!(broken(false, ["0.0.0.0/0"]), None);
    }
}
