//! Throw-away certificates: an authority for each control plane, and what it issued.

use std::fs;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::{Explain, Result};

/// Signs everything of one control plane.
pub struct Authority {
    folder: PathBuf,
    issuer: Issuer<'static, KeyPair>,
    certificate: rcgen::Certificate,
}

/// A certificate with its key, in memory and as files.
pub struct Issued {
    /// The certificate's file.
    pub certificate: PathBuf,
    /// The key's file.
    pub key: PathBuf,
    chain: CertificateDer<'static>,
    secret: Vec<u8>,
}

impl Authority {
    /// A new one, whose files go into this folder.
    pub fn new(folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder).explain(folder.display())?;
        let mut parameters = named("kubernetes", None)?;
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().explain("a key")?;
        let certificate = parameters.self_signed(&key).explain("the authority's certificate")?;
        let authority =
            Self { folder: folder.to_path_buf(), issuer: Issuer::new(parameters, key), certificate };
        write(&authority.path(), &authority.pem())?;
        Ok(authority)
    }

    /// Its certificate as a text.
    pub fn pem(&self) -> String {
        self.certificate.pem()
    }

    /// The file with its certificate.
    pub fn path(&self) -> PathBuf {
        self.folder.join("ca.crt")
    }

    /// Its certificate for a list of trusted ones.
    pub fn der(&self) -> CertificateDer<'static> {
        self.certificate.der().clone()
    }

    /// For a server on loopback.
    pub fn server(&self, name: &str) -> Result<Issued> {
        let mut parameters = named(name, None)?;
        for host in ["127.0.0.1", "localhost", "kubernetes.default.svc"] {
            let alternative = match host.parse() {
                Ok(address) => rcgen::SanType::IpAddress(address),
                Err(_) => rcgen::SanType::DnsName(host.try_into().explain(host)?),
            };
            parameters.subject_alt_names.push(alternative);
        }
        self.issue(name, parameters, ExtendedKeyUsagePurpose::ServerAuth)
    }

    /// For a user of the API server, as whom Kubernetes takes name and organization.
    pub fn client(&self, file: &str, user: &str, group: Option<&str>) -> Result<Issued> {
        self.issue(file, named(user, group)?, ExtendedKeyUsagePurpose::ClientAuth)
    }

    /// A key pair without a certificate, as the files of its private and its public half.
    pub fn key_pair(&self, file: &str) -> Result<(PathBuf, PathBuf)> {
        let (private, public) =
            (self.folder.join(format!("{file}.key")), self.folder.join(format!("{file}.pub")));
        let pair = KeyPair::generate().explain("a key")?;
        write(&private, &pair.serialize_pem())?;
        write(&public, &pair.public_key_pem())?;
        Ok((private, public))
    }

    fn issue(
        &self,
        file: &str,
        mut parameters: CertificateParams,
        usage: ExtendedKeyUsagePurpose,
    ) -> Result<Issued> {
        parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        parameters.extended_key_usages = vec![usage];
        parameters.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate().explain("a key")?;
        let made =
            parameters.signed_by(&key, &self.issuer).explain(format_args!("the certificate of {file}"))?;
        let issued = Issued {
            certificate: self.folder.join(format!("{file}.crt")),
            key: self.folder.join(format!("{file}.key")),
            chain: made.der().clone(),
            secret: key.serialize_der(),
        };
        write(&issued.certificate, &made.pem())?;
        write(&issued.key, &key.serialize_pem())?;
        Ok(issued)
    }
}

impl Issued {
    /// As rustls takes a client's certificate.
    pub fn chain_and_key(&self) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
        (vec![self.chain.clone()], PrivatePkcs8KeyDer::from(self.secret.clone()).into())
    }
}

fn named(name: &str, organization: Option<&str>) -> Result<CertificateParams> {
    let mut parameters = CertificateParams::new(Vec::<String>::new()).explain("certificate parameters")?;
    parameters.distinguished_name = rcgen::DistinguishedName::new();
    parameters.distinguished_name.push(DnType::CommonName, name);
    if let Some(organization) = organization {
        parameters.distinguished_name.push(DnType::OrganizationName, organization);
    }
    Ok(parameters)
}

/// For the owner's eyes only: keys are among these files.
fn write(path: &Path, content: &str) -> Result<()> {
    use std::io::Write;
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    options.open(path).and_then(|mut file| file.write_all(content.as_bytes())).explain(path.display())
}
