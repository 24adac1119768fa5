//! Why a proxy does not open a tunnel.

use super::socks;
use crate::ResponseError;
use crate::transient::is_transient;
use std::{fmt, io};

/// Why there is no way through a proxy.
#[derive(Debug)]
pub struct ProxyError {
    proxy: String,
    fault: ProxyFault,
}

/// What is wrong with a proxy, or what it finds wrong.
#[derive(Debug)]
#[non_exhaustive]
pub enum ProxyFault {
    /// No connection to it could be made.
    Connect(io::Error),
    /// The connection to it broke before the tunnel was open.
    Broken(io::Error),
    /// HTTP: it answered with another status than 2xx, or not as HTTP demands.
    Response(ResponseError),
    /// HTTP: it sent something into the tunnel by itself.
    TooMuch,
    /// SOCKS: it does not speak version 5.
    NotSocks,
    /// SOCKS: it wants a user name and a password.
    CredentialsNeeded,
    /// SOCKS: it does not take the user name and the password.
    CredentialsRefused,
    /// SOCKS: it answered with this reply (RFC 1928 §6).
    Refused(u8),
    /// SOCKS: the name of the host has more than 255 bytes.
    NameTooLong,
}

impl ProxyError {
    pub(super) fn new(proxy: String, fault: ProxyFault) -> ProxyError {
        ProxyError { proxy, fault }
    }

    /// The URL of the proxy, without credentials.
    pub fn proxy(&self) -> &str {
        &self.proxy
    }

    /// What is wrong.
    pub fn fault(&self) -> &ProxyFault {
        &self.fault
    }

    /// The HTTP status that the proxy answered with, as far as there was one.
    pub fn status(&self) -> Option<u16> {
        match &self.fault {
            ProxyFault::Response(error) => error.status(),
            _ => None,
        }
    }
}

impl ProxyFault {
    /// Whether another try may fare better.
    pub(crate) fn is_transient(&self) -> bool {
        match self {
            ProxyFault::Connect(_) | ProxyFault::Broken(_) => true,
            ProxyFault::Response(error) => is_transient(error),
            ProxyFault::Refused(reply) => socks::is_transient(*reply),
            _ => false,
        }
    }
}

impl fmt::Display for ProxyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let proxy = &self.proxy;
        match &self.fault {
            ProxyFault::Connect(error) => write!(f, "no connection to the proxy {proxy}: {error}"),
            ProxyFault::Broken(error) => {
                write!(f, "the connection to the proxy {proxy} broke: {error}")
            }
            ProxyFault::Response(ResponseError::Refused(refusal)) => {
                write!(f, "the proxy {proxy} answered {}", refusal.status)?;
                f.write_str(match refusal.status {
                    407 => ": it wants credentials, or others",
                    403 => ": its rules do not allow the connection",
                    502..=504 => ": it does not reach the server",
                    _ => "",
                })
            }
            ProxyFault::Response(ResponseError::Ended) => {
                write!(f, "the proxy {proxy} closed the connection before its answer was whole")
            }
            ProxyFault::Response(ResponseError::NotHttp) => {
                write!(f, "the proxy {proxy} does not answer with HTTP")
            }
            ProxyFault::Response(error) => write!(f, "the answer of the proxy {proxy}: {error}"),
            ProxyFault::TooMuch => {
                write!(f, "the proxy {proxy} speaks where the server should")
            }
            ProxyFault::NotSocks => write!(f, "the proxy {proxy} does not speak SOCKS 5"),
            ProxyFault::CredentialsNeeded => {
                write!(f, "the proxy {proxy} wants a user name and a password")
            }
            ProxyFault::CredentialsRefused => {
                write!(f, "the proxy {proxy} does not take the user name and the password")
            }
            ProxyFault::Refused(reply) => {
                write!(f, "the proxy {proxy} answered {reply}: {}", socks::meaning(*reply))
            }
            ProxyFault::NameTooLong => {
                write!(f, "the name of the host is too long for the proxy {proxy}")
            }
        }
    }
}

impl std::error::Error for ProxyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.fault {
            ProxyFault::Connect(error) | ProxyFault::Broken(error) => Some(error),
            ProxyFault::Response(error) => Some(error),
            _ => None,
        }
    }
}
