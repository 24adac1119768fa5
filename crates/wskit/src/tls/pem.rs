//! Certificates and keys as files hold them (RFC 7468).

use super::wrong;
use crate::Error;
use std::fmt;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// All the certificates in a PEM text; at least one.
pub(super) fn certificates(text: &[u8]) -> Result<Vec<CertificateDer<'static>>, Error> {
    let certificates = CertificateDer::pem_slice_iter(text).collect::<Result<Vec<_>, _>>();
    match certificates {
        Ok(certificates) if certificates.is_empty() => Err(wrong(
            "there is no certificate in the PEM text; it has to have a -----BEGIN CERTIFICATE-----",
        )),
        Ok(certificates) => Ok(certificates),
        Err(error) => Err(wrong(format!("the certificate cannot be read as PEM: {error}"))),
    }
}

/// The first private key in a PEM text.
pub(super) fn private_key(text: &[u8]) -> Result<PrivateKeyDer<'static>, Error> {
    let has = |mark: &[u8]| text.windows(mark.len()).any(|window| window == mark);
    if ENCRYPTED.into_iter().any(has) {
        return Err(wrong(EncryptedKey));
    }
    PrivateKeyDer::from_pem_slice(text).map_err(|error| match error {
        pem::Error::NoItemsFound => wrong(
            "there is no private key in the PEM text; it has to have a -----BEGIN PRIVATE KEY-----",
        ),
        error => wrong(format!("the private key cannot be read as PEM: {error}")),
    })
}

/// Why [`server_config`](super::server_config) and
/// [`client_certificate`](super::ClientTls::client_certificate) refuse a private key that only its
/// owner's pass phrase opens. It is in the [`Error::Argument`] that they give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EncryptedKey;

impl fmt::Display for EncryptedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the private key is encrypted; decrypt it first, with openssl pkey")
    }
}

impl std::error::Error for EncryptedKey {}

/// What stands in a key that only its owner's pass phrase opens: by RFC 7468 §11, and as it was
/// before (RFC 1421 §4.6.1.1).
const ENCRYPTED: [&[u8]; 2] = [b"-----BEGIN ENCRYPTED PRIVATE KEY-----", b"Proc-Type: 4,ENCRYPTED"];
