use super::*;
use crate::serve::listener::Listener;

fn environment<'text>(
    variables: &'text [(&'text str, &'text str)],
) -> impl Fn(&str) -> Option<String> + use<'text> {
    move |name| {
        variables.iter().find(|(candidate, _)| *candidate == name).map(|(_, value)| (*value).to_owned())
    }
}

fn certificate() -> (String, CertificateDer<'static>) {
    let (certificate, _) = crate::serve::tls::self_signed(&rcgen::PKCS_ECDSA_P521_SHA512).unwrap();
    let text = base64::engine::general_purpose::STANDARD.encode(&certificate);
    (format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n"), certificate)
}

#[test]
fn people_are_told_what_this_is() {
    for variables in [&[][..], &[(MAGIC_COOKIE.0, "wrong")][..]] {
        let error = Handshake::from_environment(environment(variables)).unwrap_err();
        assert_eq!(error.with_help("Help!".to_owned()).to_string(), "Help!");
    }
}

#[test]
fn old_terraform_is_refused() {
    let variables = [MAGIC_COOKIE, ("PLUGIN_PROTOCOL_VERSIONS", "4,5")];
    let error = Handshake::from_environment(environment(&variables)).unwrap_err().to_string();
    assert!(error.contains("offers 4,5"), "{error}");
}

#[test]
fn a_certificate_turns_tls_on() {
    let (pem, certificate) = certificate();
    let variables = [MAGIC_COOKIE, ("PLUGIN_CLIENT_CERT", &pem), ("PLUGIN_PROTOCOL_VERSIONS", "5,6")];
    let handshake = Handshake::from_environment(environment(&variables)).unwrap();
    assert_eq!(handshake.client_certificate, Some(certificate));

    let variables = [MAGIC_COOKIE, ("PLUGIN_CLIENT_CERT", &pem), ("TF_DISABLE_PLUGIN_TLS", "1")];
    assert!(Handshake::from_environment(environment(&variables)).unwrap().client_certificate.is_none());

    let variables = [MAGIC_COOKIE, ("PLUGIN_CLIENT_CERT", "no certificate")];
    assert!(Handshake::from_environment(environment(&variables)).is_err());
}

#[cfg(unix)]
#[tokio::test]
async fn the_line_has_a_seventh_field_for_those_who_ask() {
    use std::os::unix::fs::PermissionsExt as _;
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().display().to_string();
    let certificate = CertificateDer::from(vec![1, 2, 3, 4]);
    for (multiplex, end) in [("", ""), ("true", "|false")] {
        let variables =
            [MAGIC_COOKIE, ("PLUGIN_UNIX_SOCKET_DIR", &directory), ("PLUGIN_MULTIPLEX_GRPC", multiplex)];
        let handshake = Handshake::from_environment(environment(&variables)).unwrap();
        let listener = Listener::bind(&handshake).unwrap();
        let path = listener.path();
        let expected = format!("1|6|unix|{}|grpc|AQIDBA{end}", path.display());
        assert_eq!(handshake.line((listener.network(), &listener.address()), Some(&certificate)), expected);
        assert!(path.starts_with(&directory));
        let mode = path.parent().unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }
}
