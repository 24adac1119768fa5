//! Hosts that no proxy is used for: what `no_proxy` says.

use crate::Network;
use std::net::IpAddr;

/// Which hosts are connected to directly.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Exempt(Vec<Entry>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    hosts: Hosts,
    /// The only port that is meant, if one is.
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Hosts {
    All,
    /// This name and all below it, in lower case.
    Name(String),
    /// An address, or a network of them.
    Network(Network),
}

impl Exempt {
    /// Reads a list with commas or blanks between. What cannot be understood exempts nothing.
    pub(super) fn parse(list: &str) -> Exempt {
        let words = list.split(|c: char| c == ',' || c.is_whitespace());
        Exempt(words.filter(|word| !word.is_empty()).filter_map(Entry::parse).collect())
    }

    pub(super) fn covers(&self, host: &str, port: u16) -> bool {
        let name = normal(host);
        let address = host.parse().ok().map(|address: IpAddr| address.to_canonical());
        is_here(&name, address)
            || self.0.iter().any(|entry| {
                entry.port.is_none_or(|only| only == port) && entry.hosts.cover(&name, address)
            })
    }
}

/// Whether a host is this machine, which a proxy does not reach.
fn is_here(name: &str, address: Option<IpAddr>) -> bool {
    match address {
        Some(address) => address.is_loopback(),
        None => name == "localhost" || name.ends_with(".localhost"),
    }
}

impl Entry {
    fn parse(word: &str) -> Option<Entry> {
        if let Ok(network) = word.parse() {
            return Some(Entry { hosts: Hosts::Network(network), port: None });
        }
        let (host, port) = match word.rsplit_once(':') {
            // The last colon may stand within brackets.
            Some((host, port)) if !port.ends_with(']') => (host, Some(port.parse().ok()?)),
            _ => (word, None),
        };
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let hosts = match bare.parse() {
            Ok(network) => Hosts::Network(network),
            Err(_) if bare == "*" => Hosts::All,
            Err(_) => {
                let name = bare.strip_prefix("*.").or(bare.strip_prefix('.')).unwrap_or(bare);
                let is_name = !name.is_empty() && !name.contains(['/', ':', '*', '[', ']']);
                Hosts::Name(is_name.then(|| normal(name))?)
            }
        };
        Some(Entry { hosts, port })
    }
}

impl Hosts {
    fn cover(&self, name: &str, address: Option<IpAddr>) -> bool {
        match (self, address) {
            (Hosts::All, _) => true,
            (Hosts::Name(exempt), None) => name
                .strip_suffix(exempt.as_str())
                .is_some_and(|before| before.is_empty() || before.ends_with('.')),
            (Hosts::Network(network), Some(address)) => network.contains(address),
            (Hosts::Name(_), Some(_)) | (Hosts::Network(_), None) => false,
        }
    }
}

/// A name in lower case, without the dot that may end it.
fn normal(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covers(list: &str, host: &str) -> bool {
        Exempt::parse(list).covers(host, 80)
    }

    #[test]
    fn names_cover_what_is_below_them() {
        for entry in
            ["example.com", ".example.com", "*.example.com", "EXAMPLE.com.", "a, example.com b"]
        {
            for host in ["example.com", "chat.example.com", "a.b.Example.Com", "example.com."] {
                assert!(covers(entry, host), "{entry} {host}");
            }
            for host in ["myexample.com", "example.com.evil.org", "example.org", "com", "10.0.0.1"]
            {
                assert!(!covers(entry, host), "{entry} {host}");
            }
        }
    }

    #[test]
    fn addresses_and_networks() {
        for (entry, host, is_covered) in [
            ("10.0.0.1", "10.0.0.1", true),
            ("10.0.0.0/8", "10.255.1.1", true),
            ("10.0.0.0/8", "11.0.0.0", false),
            ("10.0.0.0/8", "::ffff:10.1.1.1", true),
            ("2001:db8::/32", "2001:db8:ffff::1", true),
            ("[2001:db8::1]", "2001:db8::1", true),
            ("10.0.0.0/33", "10.0.0.0", false),
            ("10.0.0.0/8", "example.com", false),
        ] {
            assert_eq!(covers(entry, host), is_covered, "{entry} {host}");
        }
    }

    #[test]
    fn a_port_narrows() {
        for (entry, host) in [
            ("example.com:81", "chat.example.com"),
            ("10.0.0.1:81", "10.0.0.1"),
            ("[2001:db8::1]:81", "2001:db8::1"),
            ("*:81", "example.org"),
        ] {
            let exempt = Exempt::parse(entry);
            assert!(exempt.covers(host, 81) && !exempt.covers(host, 80), "{entry}");
        }
    }

    #[test]
    fn all_none_and_nonsense() {
        assert!(covers("*", "example.com") && covers("a,*", "10.0.0.1"));
        for nothing in
            ["", " , ", ":", "example.com:x", "example.com:99999", "*.", "e*.com", "[::1"]
        {
            assert!(!covers(nothing, "example.com"), "{nothing:?}");
        }
    }

    #[test]
    fn this_machine_is_always_covered() {
        for here in ["localhost", "a.localhost", "LOCALHOST.", "127.0.0.1", "127.1.2.3", "::1"] {
            assert!(covers("", here), "{here}");
        }
        assert!(!covers("", "notlocalhost") && !covers("", "10.0.0.1"));
    }
}
