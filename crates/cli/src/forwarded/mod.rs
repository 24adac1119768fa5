//! What proxies in front of the server tell of the clients behind them, and which proxies are believed.
//!
//! Anybody can send these headers. So they are read only where the connection comes from a proxy that the operator
//! trusts, only those of the one kind that the proxy is known to write, and from the end that it wrote.

mod rfc7239;
mod x_forwarded;

use std::{fmt, net::IpAddr, str::FromStr};
use wskit::proto::handshake::Headers;
use wskit::{InvalidNetwork, Network, Origin};

/// Who is at the other end of a connection, as the operating system tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Peer {
    Address(IpAddr),
    /// A program on this machine, through a Unix-domain socket.
    #[cfg_attr(not(unix), expect(dead_code, reason = "there are none"))]
    Unix,
}

/// Which proxies are believed, and what they say.
#[derive(clap::Args, Clone, Debug)]
#[command(next_help_heading = "Behind a proxy")]
pub(crate) struct Proxies {
    /// A proxy that is believed when it says who the client is: an address, a network such as 10.0.0.0/8, or
    /// `unix` for who connects through a Unix socket; can be repeated
    #[arg(long, value_name = "ADDRESS")]
    trusted_proxy: Vec<Trusted>,

    /// Which headers these proxies write; others are not looked at, for they pass on what clients write
    #[arg(long, value_name = "KIND", value_enum, default_value = "x-forwarded")]
    forwarded: Dialect,

    /// The host, with its port if that is unusual, that pages are served from; without it, the one that the request
    /// is for
    #[arg(long, value_name = "HOST", value_parser = host)]
    public_host: Option<String>,
}

/// Somebody who is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trusted {
    Network(Network),
    Unix,
}

/// How proxies write down who they speak for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Dialect {
    /// X-Forwarded-For and X-Forwarded-Host
    XForwarded,
    /// Forwarded (RFC 7239)
    Forwarded,
}

/// A client, as far as it is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Client {
    /// Where it connects from.
    pub(crate) address: Option<IpAddr>,
    /// The host that it asked for, if somebody who is believed said so.
    pub(crate) host: Option<String>,
}

/// A proxy that is believed says something that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unreadable;

/// The most proxies that one request has passed. More of them are not looked at, or not read.
const HOPS_MAX: usize = 32;

impl Proxies {
    /// Whether the peer is a proxy that is believed.
    pub(crate) fn trust(&self, peer: Peer) -> bool {
        match peer {
            Peer::Address(address) => self.trust_address(address),
            Peer::Unix => self.trusted_proxy.contains(&Trusted::Unix),
        }
    }

    fn trust_address(&self, address: IpAddr) -> bool {
        self.trusted_proxy.iter().any(
            |trusted| matches!(trusted, Trusted::Network(network) if network.contains(address)),
        )
    }

    /// Who sent the request with these headers that came from this peer.
    pub(crate) fn look_behind(&self, peer: Peer, headers: &Headers) -> Result<Client, Unreadable> {
        let mut client = Client { address: peer.address(), ..Client::default() };
        if self.trust(peer) {
            match self.forwarded {
                Dialect::XForwarded => self.follow_x_forwarded(headers, &mut client),
                Dialect::Forwarded => self.follow_forwarded(headers, &mut client)?,
            }
        }
        if let Some(host) = &self.public_host {
            client.host = Some(host.clone());
        }
        Ok(client)
    }

    /// Each proxy adds the address of its peer at the end. So the last was written by a proxy that is believed, and
    /// any other if all behind it are addresses of such proxies.
    fn follow_x_forwarded(&self, headers: &Headers, client: &mut Client) {
        for hop in x_forwarded::values_from_the_end(headers, "x-forwarded-for").take(HOPS_MAX) {
            // Who is not named hides all that is behind it.
            let Some(address) = address(hop) else { break };
            client.address = Some(address);
            if !self.trust_address(address) {
                break;
            }
        }
        let mut hosts = x_forwarded::values_from_the_end(headers, "x-forwarded-host");
        client.host = hosts.next().map(str::to_owned);
    }

    /// The same, and each element tells the host that its proxy was asked for.
    fn follow_forwarded(&self, headers: &Headers, client: &mut Client) -> Result<(), Unreadable> {
        for element in rfc7239::elements(headers)?.into_iter().rev() {
            client.host = element.host.or(client.host.take());
            let Some(address) = element.client else { break };
            client.address = Some(address);
            if !self.trust_address(address) {
                break;
            }
        }
        Ok(())
    }
}

impl Peer {
    pub(crate) fn address(self) -> Option<IpAddr> {
        match self {
            Peer::Address(address) => Some(address.to_canonical()),
            Peer::Unix => None,
        }
    }
}

/// The address of a node, which may have a port: `192.0.2.1`, `192.0.2.1:443`, `2001:db8::1`, `[2001:db8::1]:443`.
/// None, if it is unknown, hidden or nonsense.
fn address(node: &str) -> Option<IpAddr> {
    let bare = node.strip_prefix('[').and_then(|node| node.strip_suffix(']')).unwrap_or(node);
    let with_port = || node.parse().ok().map(|address: std::net::SocketAddr| address.ip());
    bare.parse().ok().or_else(with_port).map(|address| address.to_canonical())
}

fn host(text: &str) -> Result<String, String> {
    match format!("https://{text}").parse::<Origin>() {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err("write it as chat.example or chat.example:8443".into()),
    }
}

impl FromStr for Trusted {
    type Err = InvalidNetwork;

    fn from_str(text: &str) -> Result<Trusted, InvalidNetwork> {
        if text == "unix" { Ok(Trusted::Unix) } else { text.parse().map(Trusted::Network) }
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the Forwarded header is not as RFC 7239 writes it")
    }
}

impl std::error::Error for Unreadable {}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;
    use wskit::proto::handshake::HeadLimits;
    use wskit::{Request, RequestLine};

    #[derive(Parser)]
    struct Arguments {
        #[command(flatten)]
        proxies: Proxies,
    }

    fn look(arguments: &str, peer: &str, headers: &[(&str, &str)]) -> Result<Client, Unreadable> {
        let arguments = std::iter::once("test").chain(arguments.split_whitespace());
        let proxies = Arguments::parse_from(arguments).proxies;
        let line = RequestLine { method: "GET", target: "/", minor_version: 1 };
        let headers = headers.iter().map(|(name, value)| (*name, value.as_bytes()));
        let headers = std::iter::once(("Host", &b"inner"[..])).chain(headers);
        let request = Request::new(line, headers, HeadLimits::default()).unwrap();
        let peer = peer.parse().map_or(Peer::Unix, Peer::Address);
        proxies.look_behind(peer, request.headers())
    }

    fn client(address: &str, host: &str) -> Client {
        let host = (!host.is_empty()).then(|| host.to_owned());
        Client { address: address.parse().ok(), host }
    }

    const X: [(&str, &str); 2] =
        [("X-Forwarded-For", "203.0.113.9, 198.51.100.7"), ("X-Forwarded-Host", "chat.example")];
    const FORWARDED: [(&str, &str); 1] =
        [("Forwarded", "for=203.0.113.9, for=198.51.100.7;host=chat.example;proto=https")];

    #[test]
    fn nobody_is_believed_who_is_not_trusted() {
        for arguments in ["", "--trusted-proxy 10.0.0.0/8", "--trusted-proxy unix"] {
            for headers in [&X[..], &FORWARDED] {
                let found = look(arguments, "192.0.2.1", headers);
                assert_eq!(found, Ok(client("192.0.2.1", "")), "{arguments}");
            }
        }
        assert_eq!(look("", "-", &X), Ok(client("", "")));
    }

    #[test]
    fn a_trusted_proxy_is_believed_and_only_what_it_wrote() {
        let there = client("198.51.100.7", "chat.example");
        for (peer, trusted) in
            [("10.0.0.1", "10.0.0.0/8"), ("::ffff:10.0.0.1", "10.0.0.1"), ("-", "unix")]
        {
            let x = look(&format!("--trusted-proxy {trusted}"), peer, &X);
            assert_eq!(x.as_ref(), Ok(&there), "{peer}");
            let forwarded =
                look(&format!("--trusted-proxy {trusted} --forwarded forwarded"), peer, &FORWARDED);
            assert_eq!(forwarded.as_ref(), Ok(&there), "{peer}");
        }
    }

    #[test]
    fn headers_of_the_other_kind_are_not_looked_at() {
        let nothing = client("10.0.0.1", "");
        assert_eq!(look("--trusted-proxy 10.0.0.1", "10.0.0.1", &FORWARDED), Ok(nothing.clone()));
        let found = look("--trusted-proxy 10.0.0.1 --forwarded forwarded", "10.0.0.1", &X);
        assert_eq!(found, Ok(nothing));
    }

    #[test]
    fn a_chain_is_followed_as_far_as_it_is_trusted() {
        let trusted = "--trusted-proxy 10.0.0.0/8 --trusted-proxy 2001:db8::/32";
        for (chain, address) in [
            ("", "10.0.0.1"),
            ("203.0.113.9", "203.0.113.9"),
            ("203.0.113.9, 10.0.0.2", "203.0.113.9"),
            ("6.6.6.6, 203.0.113.9,10.0.0.2 ,\t[2001:db8::1]:443", "203.0.113.9"),
            ("10.0.0.3, 10.0.0.2", "10.0.0.3"),
            ("203.0.113.9:5000, 10.0.0.2:80", "203.0.113.9"),
            ("unknown, 10.0.0.2", "10.0.0.2"),
            ("203.0.113.9, , 10.0.0.2", "203.0.113.9"),
            ("\"; drop, 10.0.0.2", "10.0.0.2"),
            ("::ffff:203.0.113.9", "203.0.113.9"),
        ] {
            let found = look(trusted, "10.0.0.1", &[("X-Forwarded-For", chain)]).unwrap();
            assert_eq!(found.address, address.parse().ok(), "{chain}");
        }
        let lines = [("X-Forwarded-For", "203.0.113.9"), ("x-forwarded-for", "10.0.0.2")];
        let found = look(trusted, "10.0.0.1", &lines).unwrap();
        assert_eq!(found.address, "203.0.113.9".parse().ok());
    }

    #[test]
    fn a_chain_is_followed_no_further_than_its_bound() {
        let trusted = "--trusted-proxy 10.0.0.0/8";
        let chain = |hops: usize| format!("203.0.113.9{}", ", 10.0.0.2".repeat(hops));
        for (hops, address) in [(HOPS_MAX - 1, "203.0.113.9"), (HOPS_MAX, "10.0.0.2")] {
            let found = look(trusted, "10.0.0.1", &[("X-Forwarded-For", &chain(hops))]).unwrap();
            assert_eq!(found.address, address.parse().ok(), "{hops}");
        }
    }

    #[test]
    fn each_element_tells_what_its_proxy_was_asked_for() {
        let arguments = "--trusted-proxy 10.0.0.0/8 --forwarded forwarded";
        let ours = "for=203.0.113.9;host=chat.example;proto=https, for=10.0.0.2;host=inner";
        let all = format!("for=6.6.6.6;host=evil.example, {ours}");
        for value in [ours, &all] {
            let found = look(arguments, "10.0.0.1", &[("Forwarded", value)]);
            assert_eq!(found, Ok(client("203.0.113.9", "chat.example")));
        }
        assert_eq!(look(arguments, "10.0.0.1", &[("Forwarded", "for=\"")]), Err(Unreadable));
        assert!(look(arguments, "192.0.2.1", &[("Forwarded", "for=\"")]).is_ok());
    }

    #[test]
    fn the_operator_has_the_last_word_on_the_host() {
        let found = look("--trusted-proxy 10.0.0.1 --public-host a.example", "10.0.0.1", &X);
        assert_eq!(found, Ok(client("198.51.100.7", "a.example")));
        let found = look("--public-host a.example", "10.0.0.1", &X);
        assert_eq!(found, Ok(client("10.0.0.1", "a.example")));
    }
}
