//! Which way a client takes to the server.

use super::proxy::{Environment, Proxy};
use super::stream::Link;
use super::url::Endpoint;
use crate::timings::{Timings, timed};
use crate::{Error, dial};

/// Which way a client takes to the server.
#[derive(Clone, Debug, Default)]
pub(super) enum Way {
    /// To the host and the port of the URL.
    #[default]
    Direct,
    /// Through this proxy.
    Proxy(Proxy),
    /// Through the proxy that the environment names, if it names one.
    Environment(Environment),
    /// To this Unix-domain socket.
    #[cfg(unix)]
    Unix(std::path::PathBuf),
}

impl Way {
    /// The proxy on the way to an endpoint.
    pub(super) fn proxy(&self, endpoint: &Endpoint) -> Result<Option<Proxy>, Error> {
        match self {
            Way::Proxy(proxy) => Ok(Some(proxy.clone())),
            Way::Environment(environment) => environment.proxy(endpoint),
            _ => Ok(None),
        }
    }

    /// Whether it leads to one server, whatever the URL says.
    pub(super) fn is_fixed(&self) -> bool {
        #[cfg(unix)]
        return matches!(self, Way::Unix(_));
        #[cfg(not(unix))]
        false
    }

    /// Takes it.
    pub(super) async fn take(
        &self,
        endpoint: &Endpoint,
        timings: &mut Timings,
    ) -> Result<Link, Error> {
        #[cfg(unix)]
        if let Way::Unix(path) = self {
            let connected = timed(&mut timings.connect, dial::unix(path)).await;
            let connected = connected.map_err(Error::Connect)?;
            return Ok(Link::Second(Box::new(connected)));
        }
        match self.proxy(endpoint)? {
            Some(proxy) => proxy.connect(endpoint, timings).await.map(Link::First),
            None => {
                let dialled = dial::dial(&endpoint.host, endpoint.port, timings).await;
                dialled.map(Link::First).map_err(Error::Connect)
            }
        }
    }
}
