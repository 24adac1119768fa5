//! Where the servers are.

use async_nats::ServerAddr;

/// Addresses as they are connected to, without who one is there.
#[derive(Debug)]
pub(crate) struct Addresses {
    pub(crate) servers: Vec<ServerAddr>,
    /// Those whom the addresses name, each once.
    pub(crate) users: Vec<UserOfAddress>,
    /// Whether any of them asks for TLS. Then all servers have to have it, those that the cluster tells of too.
    pub(crate) are_secure: bool,
}

/// What stands before the `@` of an address, as it is written there.
#[derive(PartialEq, Eq)]
pub(crate) struct UserOfAddress {
    pub(crate) name: String,
    pub(crate) password: Option<String>,
}

impl Addresses {
    pub(crate) fn parse(addresses: &[String]) -> Result<Self, String> {
        let mut parsed = Self { servers: Vec::new(), users: Vec::new(), are_secure: false };
        for address in addresses {
            let wrong = |why: &str| format!("{:?} is no address: {why}", without_user(address));
            let server: ServerAddr = address.parse().map_err(|error: std::io::Error| {
                wrong(error.to_string().trim_start_matches("NATS server URL is invalid: "))
            })?;
            match server.scheme() {
                "nats" => {}
                "tls" => parsed.are_secure = true,
                _ => return Err(wrong("it is to begin with nats:// or tls://")),
            }
            if server.host().is_empty() {
                return Err(wrong("it has no host"));
            }
            let user = server.username().unwrap_or_default().to_owned();
            let password = server.password().map(str::to_owned);
            if !user.is_empty() || password.is_some() {
                let user = UserOfAddress { name: user, password };
                if !parsed.users.contains(&user) {
                    parsed.users.push(user);
                }
            }
            // What is not handed on cannot be shown by whoever writes a log.
            let server = without_user(address).parse().map_err(|_| wrong("it has two '@'"))?;
            parsed.servers.push(server);
        }
        if parsed.servers.is_empty() {
            return Err("there is no address of a server".into());
        }
        Ok(parsed)
    }
}

impl std::fmt::Debug for UserOfAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("UserOfAddress")
    }
}

/// The address, fit to be shown.
pub(crate) fn without_user(address: &str) -> String {
    let (scheme, rest) = address.split_once("://").unwrap_or(("nats", address));
    let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    format!("{scheme}://{host}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(address: &str) -> Result<Addresses, String> {
        Addresses::parse(&[address.to_owned()])
    }

    #[test]
    fn a_password_is_not_shown() {
        assert_eq!(without_user("nats://ann:a@b@host:4222"), "nats://host:4222");
        assert_eq!(without_user("host"), "nats://host");
        assert!(!format!("{:?}", parse("nats://ann:hush@host").unwrap()).contains("hush"));
        for wrong in ["nats://ann:hush@host:x", "ws://ann:hush@host", "tls://ann:hush@"] {
            let error = parse(wrong).unwrap_err();
            assert!(!error.contains("hush"), "{error}");
        }
    }

    #[test]
    fn one_secure_address_makes_all_secure() {
        assert!(!parse("nats://host").unwrap().are_secure);
        let both = ["nats://one".to_owned(), "tls://two".to_owned()];
        assert!(Addresses::parse(&both).unwrap().are_secure);
    }
}
