//! The proxies that environment variables name.

use super::exempt::Exempt;
use super::{Endpoint, Error, Proxy};
use std::{env, ffi::OsString};

/// What the environment says of proxies.
#[derive(Clone, Debug, Default)]
pub(in crate::client) struct Environment {
    plain: Option<Variable>,
    secure: Option<Variable>,
    exempt: Exempt,
}

/// A variable that names a proxy. It is understood when the proxy is needed.
#[derive(Clone)]
struct Variable {
    name: &'static str,
    value: String,
}

impl Environment {
    /// As it is now.
    pub(in crate::client) fn now() -> Environment {
        Environment::of(|name| env::var_os(name))
    }

    fn of(get: impl Fn(&str) -> Option<OsString>) -> Environment {
        let get = |name: &str| {
            let value = get(name)?.to_string_lossy().trim().to_owned();
            (!value.is_empty()).then_some(value)
        };
        let first = |names: &[&'static str]| {
            names.iter().find_map(|name| Some(Variable { name, value: get(name)? }))
        };
        // Under CGI, HTTP_PROXY is what the client of a web server says in its header Proxy.
        let upper = if get("REQUEST_METHOD").is_some() { "" } else { "HTTP_PROXY" };
        let exempt = first(&["no_proxy", "NO_PROXY"]);
        Environment {
            plain: first(&["http_proxy", upper, "all_proxy", "ALL_PROXY"]),
            secure: first(&["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]),
            exempt: exempt.map(|list| Exempt::parse(&list.value)).unwrap_or_default(),
        }
    }

    /// The proxy on the way to an endpoint.
    pub(in crate::client) fn proxy(&self, endpoint: &Endpoint) -> Result<Option<Proxy>, Error> {
        let variable = if endpoint.is_secure { &self.secure } else { &self.plain };
        match variable {
            Some(variable) if !self.exempt.covers(&endpoint.host, endpoint.port) => {
                let proxy = Proxy::new(&variable.value);
                proxy.map(Some).map_err(|error| Error::Url(format!("{}: {error}", variable.name)))
            }
            _ => Ok(None),
        }
    }
}

/// Without the value, which may have a password.
impl std::fmt::Debug for Variable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The proxies for `ws` and for `wss`, or why there is none.
    fn proxies(variables: &[(&str, &str)], host: &str) -> [String; 2] {
        let find = |name: &str| variables.iter().find(|(found, _)| *found == name);
        let environment = Environment::of(|name| Some(find(name)?.1.into()));
        [false, true].map(|is_secure| {
            let (host, authority, target) = (host.into(), String::new(), String::new());
            let endpoint =
                Endpoint { is_secure, host, port: 80, authority, credentials: None, target };
            match environment.proxy(&endpoint) {
                Ok(proxy) => proxy.map(|proxy| proxy.to_string()).unwrap_or_default(),
                Err(error) => error.to_string(),
            }
        })
    }

    #[test]
    fn variables_go_before_each_other() {
        let both =
            [("http_proxy", "a"), ("HTTP_PROXY", "b"), ("https_proxy", "c"), ("all_proxy", "d")];
        for (variables, plain, secure) in [
            (&both[..], "http://a:80", "http://c:80"),
            (&both[1..], "http://b:80", "http://c:80"),
            (&both[3..], "http://d:80", "http://d:80"),
            (&both[..1], "http://a:80", ""),
            (&[("http_proxy", " "), ("HTTP_PROXY", "b")], "http://b:80", ""),
            (&[("HTTPS_PROXY", "socks5://e"), ("https_proxy", "f")], "", "http://f:80"),
            (&[("ALL_PROXY", "socks5h://g")], "socks5h://g:1080", "socks5h://g:1080"),
            (&[], "", ""),
        ] {
            assert_eq!(proxies(variables, "example.com"), [plain, secure], "{variables:?}");
        }
    }

    #[test]
    fn hosts_are_exempt() {
        let all = ("all_proxy", "p");
        assert_eq!(proxies(&[all, ("no_proxy", "example.com")], "example.com"), ["", ""]);
        assert_eq!(proxies(&[all, ("NO_PROXY", "*")], "example.com"), ["", ""]);
        assert_eq!(proxies(&[all, ("no_proxy", "x"), ("NO_PROXY", "*")], "a")[0], "http://p:80");
        assert_eq!(proxies(&[all], "localhost"), ["", ""]);
    }

    #[test]
    fn the_header_of_a_stranger_names_no_proxy() {
        let variables = [("HTTP_PROXY", "evil"), ("REQUEST_METHOD", "GET")];
        assert_eq!(proxies(&variables, "example.com"), ["", ""]);
    }

    #[test]
    fn a_wrong_variable_is_named_when_it_is_needed() {
        let [plain, secure] = proxies(&[("https_proxy", "gopher://u:secret@a")], "example.com");
        assert_eq!(plain, "");
        assert!(secure.starts_with("https_proxy: ") && !secure.contains("secret"), "{secure}");
    }
}
