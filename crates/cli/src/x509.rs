//! What a certificate says (RFC 5280) and how TLS is called, for people.

use serde::Serialize;
use sha2::{Digest, Sha256};
use wskit::tls::rustls::ProtocolVersion;
use x509_cert::Certificate;
use x509_cert::der::Decode;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

/// What a certificate says. Its JSON is part of what `wskit inspect --output json` writes.
#[derive(Debug, Serialize)]
pub(crate) struct Described {
    pub(crate) subject: String,
    pub(crate) issuer: String,
    /// The hosts it is for.
    pub(crate) names: Vec<String>,
    pub(crate) not_before: String,
    pub(crate) not_after: String,
    pub(crate) sha256: String,
}

/// Reads a certificate. `None` if it is none.
pub(crate) fn describe(der: &[u8]) -> Option<Described> {
    let certificate = Certificate::from_der(der).ok()?;
    let content = certificate.tbs_certificate();
    let names = content.get_extension::<SubjectAltName>().ok().flatten();
    let names = names.into_iter().flat_map(|(_, names)| names.0);
    Some(Described {
        subject: content.subject().to_string(),
        issuer: content.issuer().to_string(),
        names: names.filter_map(host).collect(),
        not_before: content.validity().not_before.to_string(),
        not_after: content.validity().not_after.to_string(),
        sha256: fingerprint(der),
    })
}

fn host(name: GeneralName) -> Option<String> {
    match name {
        GeneralName::DnsName(name) => Some(name.to_string()),
        GeneralName::IpAddress(address) => match *address.as_bytes() {
            [a, b, c, d] => Some(std::net::Ipv4Addr::new(a, b, c, d).to_string()),
            ref bytes => {
                let bytes: [u8; 16] = bytes.try_into().ok()?;
                Some(std::net::Ipv6Addr::from(bytes).to_string())
            }
        },
        _ => None,
    }
}

/// A version of TLS as people write it: TLS 1.3.
pub(crate) fn version_name(version: ProtocolVersion) -> String {
    version.as_str().unwrap_or("TLS").replace('v', " ").replace('_', ".")
}

/// The SHA-256 of a certificate, as openssl writes it.
pub(crate) fn fingerprint(der: &[u8]) -> String {
    let bytes: Vec<_> = Sha256::digest(der).iter().map(|byte| format!("{byte:02X}")).collect();
    bytes.join(":")
}
