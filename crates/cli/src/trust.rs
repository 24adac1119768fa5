//! What `connect` and `inspect` share for TLS: whom to trust, and what to show.

use crate::failure::{Failure, Kind};
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use wskit::tls::rustls::{self, CertificateError};
use wskit::tls::{ClientTls, TlsError};
use wskit::{Client, Error};

/// Whom to trust on a wss:// URL, and what to show.
#[derive(clap::Args)]
#[command(next_help_heading = "TLS")]
pub(crate) struct TrustArguments {
    /// Trust the authorities in this PEM file too, beside those of the system; can be repeated
    #[arg(long, value_name = "FILE")]
    ca_cert: Vec<PathBuf>,

    /// Show servers that ask for it the certificate in this PEM file
    #[arg(long, value_name = "FILE", requires = "client_key")]
    client_cert: Option<PathBuf>,

    /// The private key of the client certificate, in PEM
    #[arg(long, value_name = "FILE", requires = "client_cert")]
    client_key: Option<PathBuf>,

    /// Take any certificate, so that anyone in between can read and change what is sent
    #[arg(long)]
    pub(crate) insecure: bool,
}

impl TrustArguments {
    /// The same client, which trusts and shows what these arguments say.
    pub(crate) fn apply(&self, client: Client) -> Result<Client, Failure> {
        if self.ca_cert.is_empty() && self.client_cert.is_none() && !self.insecure {
            return Ok(client);
        }
        if !client.is_secure() {
            let why = "--ca-cert, --client-cert and --insecure are for URLs that begin with wss://";
            return Err(Failure::new(Kind::Usage, why));
        }
        let mut tls = self.tls()?;
        if self.insecure {
            let _nobody_reads = writeln!(
                io::stderr(),
                "wskit: warning: --insecure takes any certificate, so anyone in between can read \
                 and change what is sent"
            );
            tls = tls.dangerously_trust_anyone();
        }
        Ok(client.tls(tls.config()?))
    }

    /// Whom to trust and what to show, but for `--insecure`.
    pub(crate) fn tls(&self) -> Result<ClientTls, Failure> {
        let mut tls = ClientTls::new();
        for path in &self.ca_cert {
            tls = tls.also_trust(&read(path)?).map_err(|error| wrong(path, &error))?;
        }
        if let (Some(chain), Some(key)) = (&self.client_cert, &self.client_key) {
            let shown = tls.client_certificate(&read(chain)?, &read(key)?);
            tls = shown.map_err(|error| wrong(chain, &error))?;
        }
        Ok(tls)
    }
}

/// The flags that help where the certificate of the server is not taken.
pub(crate) fn remedy(error: &TlsError) -> Option<&'static str> {
    match error.rustls()? {
        rustls::Error::InvalidCertificate(
            CertificateError::UnknownIssuer | CertificateError::BadSignature,
        ) => Some("--ca-cert FILE trusts who signed it, perhaps itself; --insecure takes any"),
        rustls::Error::InvalidCertificate(_) => Some("--insecure takes any"),
        _ => None,
    }
}

/// Reads a file that the command line names.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(path).map_err(|error| {
        Failure::new(Kind::Usage, format_args!("{} cannot be read: {error}", path.display()))
    })
}

fn wrong(path: &Path, error: &Error) -> Failure {
    Failure::new(Kind::Usage, format_args!("{}: {error}", path.display()))
}
