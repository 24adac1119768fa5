//! An authority of the tests' own, which issues certificates of all kinds.

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use wskit::tls::ClientTls;
use wskit::tls::rustls::{ClientConfig, ServerConfig};

/// The name that the tests connect to.
pub(crate) const HOST: &str = "chat.test.example";

pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub(crate) pem: String,
}

/// A certificate and its key as files hold them.
pub(crate) struct Issued {
    pub(crate) chain: String,
    pub(crate) key: String,
}

impl Authority {
    pub(crate) fn new() -> Authority {
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        // Each authority has a name of its own: the end of its key.
        let name = key.public_key_raw()[60..].iter().map(|byte| format!("{byte:02x}"));
        params.distinguished_name.push(DnType::CommonName, name.collect::<String>());
        let pem = params.self_signed(&key).unwrap().pem();
        Authority { issuer: Issuer::new(params, key), pem }
    }

    /// A certificate for this name.
    pub(crate) fn issue(&self, name: &str) -> Issued {
        self.issue_with(name, |_| {})
    }

    /// A certificate for this name that differs from the usual.
    pub(crate) fn issue_with(
        &self,
        name: &str,
        change: impl FnOnce(&mut CertificateParams),
    ) -> Issued {
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Issued { chain: certificate.pem(), key: key.serialize_pem() }
    }

    pub(crate) fn issue_expired(&self) -> Issued {
        self.issue_with(HOST, |params| params.not_after = date_time_ymd(2020, 1, 1))
    }

    pub(crate) fn issue_too_early(&self) -> Issued {
        self.issue_with(HOST, |params| params.not_before = date_time_ymd(4000, 1, 1))
    }

    /// Trusts this authority alone.
    pub(crate) fn client(&self) -> ClientConfig {
        ClientTls::new().trust_only(self.pem.as_bytes()).unwrap().config().unwrap()
    }
}

impl Issued {
    pub(crate) fn server(&self) -> ServerConfig {
        wskit::tls::server_config(self.chain.as_bytes(), self.key.as_bytes()).unwrap()
    }
}
