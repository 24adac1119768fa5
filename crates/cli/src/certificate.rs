//! What `serve` and `echo` share for TLS: the certificate of the server.

use crate::failure::{Failure, Kind};
use crate::listener::Address;
use crate::x509::fingerprint;
use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair};
use std::fs;
use std::path::{Path, PathBuf};
use time::{Duration, OffsetDateTime};
use wskit::Error;
use wskit::tls::rustls::ServerConfig;
use wskit::tls::{EncryptedKey, server_config};

/// The certificate of the server, if there is one.
#[derive(clap::Args)]
#[command(next_help_heading = "TLS")]
pub(crate) struct CertificateArguments {
    /// Speak TLS, with the certificate in this PEM file: the server's first, then its issuers
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,

    /// The private key of the certificate, in PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,

    /// Speak TLS, for a trial, with a certificate made now that nobody trusts
    #[arg(long, conflicts_with_all = ["tls_cert", "tls_key"])]
    tls_self_signed: bool,
}

/// A certificate to serve with.
pub(crate) struct Certificate {
    pub(crate) config: ServerConfig,
    /// What it is, in one line.
    pub(crate) description: String,
}

/// How long a certificate lasts that was made for a trial.
const TRIAL: Duration = Duration::days(30);

impl CertificateArguments {
    /// Loads or makes the certificate of a server at this address. `None` if there is to be no TLS.
    pub(crate) fn load(&self, address: &Address) -> Result<Option<Certificate>, Failure> {
        match (&self.tls_cert, &self.tls_key) {
            (Some(chain), Some(key)) => {
                let (chain_pem, key_pem) = (read(chain)?, read(key)?);
                let config = server_config(&chain_pem, &key_pem).map_err(|error| {
                    let kind = match &error {
                        // A pass phrase does not go away by itself.
                        Error::Argument(why) if why.is::<EncryptedKey>() => Kind::Usage,
                        _ => UNUSABLE,
                    };
                    let (chain, key) = (chain.display(), key.display());
                    Failure::new(kind, format_args!("{chain} and {key}: {error}"))
                })?;
                let description = format!("its certificate is in {}", chain.display());
                Ok(Some(Certificate { config, description }))
            }
            _ if self.tls_self_signed => self_signed(address).map(Some),
            _ => Ok(None),
        }
    }
}

/// Reads a file of the server.
fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(path).map_err(|error| {
        Failure::new(UNUSABLE, format_args!("{} cannot be read: {error}", path.display()))
    })
}

/// The files may be whole, and belong together, the next moment: where a certificate is renewed, one is written after
/// the other.
const UNUSABLE: Kind = Kind::Local;

/// A certificate for this machine as it calls itself, and for the address it listens on.
fn self_signed(address: &Address) -> Result<Certificate, Failure> {
    let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    if let Address::Tcp(address) = address {
        let address = address.ip();
        if !address.is_unspecified() && !names.contains(&address.to_string()) {
            names.push(address.to_string());
        }
    }
    let (pem, key) = make(&names).map_err(|error| Failure::new(Kind::Local, error))?;
    let description = format!(
        "its certificate is for {}, signed by itself, valid for {} days, with the SHA-256 \
         fingerprint {}",
        names.join(", "),
        TRIAL.whole_days(),
        fingerprint(pem.der())
    );
    let config = server_config(pem.pem().as_bytes(), key.serialize_pem().as_bytes())?;
    Ok(Certificate { config, description })
}

fn make(names: &[String]) -> Result<(rcgen::Certificate, KeyPair), rcgen::Error> {
    let mut params = CertificateParams::new(names)?;
    let now = OffsetDateTime::now_utc();
    // The clocks of others may be behind.
    params.not_before = now - Duration::DAY;
    params.not_after = now + TRIAL;
    params.distinguished_name.push(DnType::CommonName, "wskit self-signed");
    params.insert_extended_key_usage(ExtendedKeyUsagePurpose::ServerAuth);
    let key = KeyPair::generate()?;
    Ok((params.self_signed(&key)?, key))
}
