//! Reaching a server through a proxy.

mod environment;
mod error;
mod exempt;
mod http;
mod socks;

pub use error::{ProxyError, ProxyFault};

pub(super) use environment::Environment;

use super::authority::{Authority, Credentials};
use super::url::{Endpoint, without_credentials};
use crate::timings::{Timings, timed};
use crate::{Error, dial};
use ::http::Uri;
use std::fmt;
use tokio::net::TcpStream;

/// A proxy that a [`Client`](crate::Client) connects through.
///
/// ```
/// # use wskit::{Client, Proxy};
/// let proxy = Proxy::new("http://ann:secret@proxy.example:3128")?;
/// let client = Client::new("wss://example.com/chat")?.proxy(proxy);
/// # Ok::<(), wskit::Error>(())
/// ```
///
/// It sees which host and port is connected to, and with `ws://` all that is sent. With `wss://` it
/// passes on TLS that it cannot look into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxy {
    kind: Kind,
    /// Without the brackets of an IPv6 address.
    host: String,
    port: u16,
    credentials: Option<Credentials>,
}

/// What a proxy speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// HTTP, with the method CONNECT.
    Http,
    /// SOCKS version 5.
    Socks5 {
        /// The proxy is asked for the name of a host. Otherwise it is looked up here, and the proxy is
        /// asked for an address.
        by_name: bool,
    },
}

impl Proxy {
    /// The proxy at this URL, whose scheme tells what it speaks:
    ///
    /// | scheme | | usual port |
    /// |---|---|---|
    /// | `http`, or none | HTTP, with the method CONNECT (RFC 9110 §9.3.6) | 80 |
    /// | `socks5` | SOCKS version 5 (RFC 1928); names are looked up here | 1080 |
    /// | `socks5h` | the same; names are looked up by the proxy | 1080 |
    ///
    /// A name and a password before the host, percent-encoded, are shown to the proxy: as Basic
    /// credentials (RFC 7617) or as SOCKS has them (RFC 1929).
    pub fn new(url: &str) -> Result<Proxy, Error> {
        Proxy::parse(url)
            .map_err(|why| Error::Url(format!("{:?} is no proxy: {why}", without_credentials(url))))
    }

    fn parse(url: &str) -> Result<Proxy, String> {
        let with_scheme = if url.contains("://") { url.into() } else { format!("http://{url}") };
        let uri: Uri = with_scheme.parse().map_err(|error| format!("{error}"))?;
        let (kind, usual_port) = match uri.scheme_str().map(str::to_ascii_lowercase).as_deref() {
            Some("http") => (Kind::Http, 80),
            Some("socks5") => (Kind::Socks5 { by_name: false }, 1080),
            Some("socks5h") => (Kind::Socks5 { by_name: true }, 1080),
            _ => return Err("its scheme has to be http, socks5 or socks5h".into()),
        };
        if uri.path_and_query().is_some_and(|path| !matches!(path.as_str(), "" | "/")) {
            return Err("it has a path".into());
        }
        let authority = Authority::parse(uri.authority().ok_or("it names no host")?)?;
        if let (Kind::Socks5 { .. }, Some(credentials)) = (kind, &authority.credentials) {
            socks::check(credentials)?;
        }
        Ok(Proxy {
            kind,
            host: authority.bare_host(),
            port: authority.port.unwrap_or(usual_port),
            credentials: authority.credentials,
        })
    }

    /// Connects to the proxy, and through it to an endpoint.
    pub(super) async fn connect(
        &self,
        endpoint: &Endpoint,
        timings: &mut Timings,
    ) -> Result<TcpStream, Error> {
        match self.kind {
            Kind::Http => {
                let mut stream = self.dial(timings).await?;
                let opening = http::open(&mut stream, endpoint, self.credentials.as_ref());
                let opened = timed(&mut timings.proxy, opening).await;
                opened.map_err(|fault| self.error(fault)).map(|()| stream)
            }
            Kind::Socks5 { by_name } => self.connect_with_socks(endpoint, by_name, timings).await,
        }
    }

    async fn connect_with_socks(
        &self,
        endpoint: &Endpoint,
        by_name: bool,
        timings: &mut Timings,
    ) -> Result<TcpStream, Error> {
        let (host, port) = (&endpoint.host, endpoint.port);
        let targets = match host.parse() {
            Ok(address) => vec![socks::Target::Address(address)],
            Err(_) if by_name => vec![socks::Target::Name(host)],
            Err(_) => {
                let found = timed(&mut timings.lookup, dial::look_up(host, port)).await;
                let found = found.map_err(Error::Connect)?;
                found.into_iter().map(|found| socks::Target::Address(found.ip())).collect()
            }
        };
        let mut last = ProxyFault::Refused(socks::HOST_UNREACHABLE);
        for target in targets {
            let mut stream = self.dial(timings).await?;
            let opening = socks::open(&mut stream, target, port, self.credentials.as_ref());
            match timed(&mut timings.proxy, opening).await {
                Ok(()) => return Ok(stream),
                // The next address may be one that it reaches.
                Err(refused @ ProxyFault::Refused(_)) => last = refused,
                Err(fault) => return Err(self.error(fault)),
            }
        }
        Err(self.error(last))
    }

    async fn dial(&self, timings: &mut Timings) -> Result<TcpStream, Error> {
        let dialled = dial::dial(&self.host, self.port, timings).await;
        dialled.map_err(|error| self.error(ProxyFault::Connect(error)))
    }

    fn error(&self, fault: ProxyFault) -> Error {
        Error::Proxy(Box::new(ProxyError::new(self.to_string(), fault)))
    }
}

/// The URL of the proxy, without credentials.
impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.kind {
            Kind::Http => "http",
            Kind::Socks5 { by_name: false } => "socks5",
            Kind::Socks5 { by_name: true } => "socks5h",
        };
        match self.host.contains(':') {
            true => write!(f, "{scheme}://[{}]:{}", self.host, self.port),
            false => write!(f, "{scheme}://{}:{}", self.host, self.port),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_a_proxy_or_is_refused_with_a_reason() {
        for (url, shown) in [
            ("proxy.example:3128", "http://proxy.example:3128"),
            ("HTTP://proxy.example/", "http://proxy.example:80"),
            ("socks5://ann:secret@[::1]", "socks5://[::1]:1080"),
            ("socks5h://10.0.0.1:9050", "socks5h://10.0.0.1:9050"),
        ] {
            assert_eq!(Proxy::new(url).unwrap().to_string(), shown);
        }
        for (url, why) in [
            ("https://proxy.example/", "http, socks5 or socks5h"),
            ("ftp://proxy.example/", "http, socks5 or socks5h"),
            ("http://proxy.example/path", "path"),
            ("http://proxy.example:99999", "port"),
            ("", "is no proxy"),
            ("socks5://ann@proxy.example", "password"),
            ("http://ann:secret%00@proxy.example", "control"),
        ] {
            let error = Proxy::new(url).unwrap_err().to_string();
            assert!(error.contains(why) && !error.contains("secret"), "{error}");
        }
    }
}
