//! A checked request for a WebSocket, and how it is accepted.

use super::head::Only;
use super::{
    Agreed, Bootstrap, Extension, Field, OriginPolicy, Request, RequestError, Subprotocol,
};
use crate::{Compression, Output};
use alloc::{string::ToString, vec::Vec};

/// A request for a WebSocket that keeps all the rules, waiting to be accepted or rejected.
#[derive(Clone, Debug)]
pub struct Offer {
    pub(super) request: Request,
    pub(super) bootstrap: Bootstrap,
    pub(super) subprotocols: Vec<Subprotocol>,
    pub(super) extensions: Vec<Extension>,
}

/// The beginning of each response to an upgrade; the accept value follows.
const UPGRADED: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Accept: ";

/// What a server answers to an offer that it accepts.
#[derive(Clone, Debug, Default)]
pub struct Acceptance {
    /// The subprotocol to speak. See [`Offer::choose_subprotocol`].
    pub subprotocol: Option<Subprotocol>,
    /// Further headers for the response.
    pub headers: Vec<Field>,
}

impl Offer {
    /// The path that was asked for, without the query.
    pub fn path(&self) -> &str {
        self.request.path()
    }

    /// The request.
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// How the connection is opened: by an upgrade, with a key, or by an extended CONNECT.
    pub fn bootstrap(&self) -> Bootstrap {
        self.bootstrap
    }

    /// The subprotocols that the client offers, in its order of preference.
    pub fn subprotocols(&self) -> &[Subprotocol] {
        &self.subprotocols
    }

    /// The extensions that the client offers, in its order of preference.
    pub fn extensions(&self) -> &[Extension] {
        &self.extensions
    }

    /// The first of the server's subprotocols that the client offers too.
    pub fn choose_subprotocol(&self, supported: &[Subprotocol]) -> Option<Subprotocol> {
        supported.iter().find(|name| self.subprotocols.contains(name)).cloned()
    }

    /// Refuses pages that the policy does not allow. A request without an origin is no browser's
    /// and passes.
    pub fn check_origin(&self, policy: &OriginPolicy) -> Result<(), RequestError> {
        let headers = self.request.headers();
        let accepted = match headers.only("origin") {
            Only::Missing => true,
            Only::Value(origin) => policy.accepts(origin, self.request.host()),
            Only::Repeated => *policy == OriginPolicy::Any,
        };
        if accepted { Ok(()) } else { Err(RequestError::OriginRefused) }
    }

    /// Accepts the offer of an HTTP/1.1 request: writes the response 101 (RFC 6455 §4.2.2, 5). For
    /// an extended CONNECT nothing is written, for the frames of a response to it are not made here:
    /// see [`accept_with_headers`](Offer::accept_with_headers).
    ///
    /// A subprotocol that the client did not offer is left out, for the client would have to fail
    /// the connection.
    ///
    /// Where compression is agreed on, the connection has to be made
    /// [with what was agreed](crate::Connection::with_agreed).
    pub fn accept(
        self,
        acceptance: Acceptance,
        compression: &Compression,
        output: &mut Output,
    ) -> Agreed {
        let Bootstrap::Upgrade(key) = self.bootstrap else {
            return self.accept_with_headers(acceptance, compression, |_, _| {});
        };
        output.copy(UPGRADED);
        output.copy(key.accept().as_bytes());
        output.copy(b"\r\n");
        let agreed = self.agree(acceptance, compression, |name, value| {
            for part in [name.as_bytes(), b": ", value, b"\r\n"] {
                output.copy(part);
            }
        });
        output.copy(b"\r\n");
        agreed
    }

    /// Accepts the offer as [`accept`](Offer::accept) does, where another HTTP server writes the
    /// response: its status is [`Bootstrap::success_status`], and `add_header` is given its headers,
    /// one after the other.
    pub fn accept_with_headers(
        self,
        acceptance: Acceptance,
        compression: &Compression,
        mut add_header: impl FnMut(&str, &[u8]),
    ) -> Agreed {
        // RFC 8441 §5: an extended CONNECT is answered without these.
        if let Bootstrap::Upgrade(key) = self.bootstrap {
            add_header("Upgrade", b"websocket");
            add_header("Connection", b"Upgrade");
            add_header("Sec-WebSocket-Accept", key.accept().as_bytes());
        }
        self.agree(acceptance, compression, add_header)
    }

    /// Settles what the connection will speak, and tells the headers that say so.
    fn agree(
        self,
        acceptance: Acceptance,
        compression: &Compression,
        mut add_header: impl FnMut(&str, &[u8]),
    ) -> Agreed {
        let Acceptance { subprotocol, headers } = acceptance;
        let subprotocol = subprotocol.filter(|chosen| self.subprotocols.contains(chosen));
        if let Some(subprotocol) = &subprotocol {
            add_header("Sec-WebSocket-Protocol", subprotocol.as_str().as_bytes());
        }
        let deflate = super::deflate::choose(&self.extensions, compression);
        let deflate = deflate.map(|(parameters, response)| {
            add_header("Sec-WebSocket-Extensions", response.to_string().as_bytes());
            parameters
        });
        headers.iter().for_each(|field| add_header(field.name(), field.value()));
        Agreed { bootstrap: self.bootstrap, subprotocol, deflate, headers: None }
    }
}
