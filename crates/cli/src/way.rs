//! What `connect` and `inspect` share on the command line: the way to the server.

use crate::failure::Failure;
#[cfg(unix)]
use std::path::PathBuf;
use wskit::{Client, Proxy};

/// The way to the server, where it is not the direct one.
#[derive(clap::Args)]
#[command(next_help_heading = "The way to the server")]
pub(crate) struct WayArguments {
    /// Go through this proxy: http://, socks5:// (looks names up here) or socks5h:// (has the proxy
    /// look them up), with NAME:PASSWORD@ before the host if it wants them; none to go directly
    /// [default: what the environment says]
    ///
    /// The environment names proxies in http_proxy or HTTP_PROXY for ws://, https_proxy or HTTPS_PROXY
    /// for wss://, else all_proxy or ALL_PROXY; but none to this machine, nor to the hosts in no_proxy or
    /// NO_PROXY: names and all below them, addresses, networks such as 10.0.0.0/8, each with a port or
    /// without; * for all.
    #[arg(long, value_name = "URL")]
    proxy: Option<String>,

    /// Connect to the server at this Unix-domain socket; the URL says what to ask it for
    #[cfg(unix)]
    #[arg(long, value_name = "PATH", conflicts_with = "proxy")]
    unix: Option<PathBuf>,
}

impl WayArguments {
    /// The same client, which goes the way that these arguments say.
    pub(crate) fn apply(&self, client: Client) -> Result<Client, Failure> {
        #[cfg(unix)]
        if let Some(path) = &self.unix {
            return Ok(client.unix_socket(path));
        }
        Ok(match self.proxy.as_deref() {
            None => client.proxy_from_environment(),
            Some("none") => client.proxy(None),
            Some(url) => client.proxy(Proxy::new(url)?),
        })
    }
}
