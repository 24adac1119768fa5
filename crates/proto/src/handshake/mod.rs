//! The opening handshake, for both roles: over HTTP/1.1 (RFC 6455 §4), and over HTTP/2 and HTTP/3 as
//! far as it is the same for all who carry those (RFC 8441, RFC 9220).
//!
//! - [`ServerOpening`] takes a request of HTTP/1.1 in any pieces and yields an [`Offer`] to accept or
//!   reject.
//! - [`Request::new`] is the same for a request of any version that an HTTP server has parsed.
//! - [`ClientOpening`] makes a request of HTTP/1.1, takes the response in any pieces and yields what
//!   was [`Agreed`].
//! - [`ConnectOpening`] does so over later versions, with pseudo-header fields and headers.
//! - [`IncomingResponse`] takes any other response, as that of a proxy.
//!
//! Those that take bytes leave in the buffer what came after the head: the first frames.

mod asked;
mod base64;
mod bootstrap;
mod check;
mod client;
mod connect;
mod control_data;
mod deflate;
mod extension;
mod field;
mod head;
mod key;
mod list;
mod offer;
mod origin;
mod rejection;
mod request;
mod request_error;
mod response;
mod response_error;
mod server;
mod subprotocol;
mod target;

pub use bootstrap::Bootstrap;
pub use check::Check;
pub use client::{ClientOpening, ClientRequest, InvalidRequest};
pub use connect::ConnectOpening;
pub use control_data::{ControlData, PseudoHeaders, RequestLine};
pub use deflate::DeflateParameters;
pub use extension::{Extension, Parameter};
pub use field::{Field, InvalidField, is_secret};
pub use head::{HeadLimits, Headers};
pub use key::{Accept, InvalidKey, Key};
pub use offer::{Acceptance, Offer};
pub use origin::{Origin, OriginPolicy};
pub use rejection::Rejection;
pub use request::Request;
pub use request_error::RequestError;
pub use response::IncomingResponse;
pub use response_error::{Refusal, ResponseError};
pub use server::ServerOpening;
pub use subprotocol::{InvalidSubprotocol, Subprotocol};

/// What both ends agreed on in the opening handshake.
#[derive(Clone, Debug)]
pub struct Agreed {
    /// How the connection was opened. Over HTTP/1.1 it has the key that the client sent.
    pub bootstrap: Bootstrap,
    /// The subprotocol that the server chose, if it chose one.
    pub subprotocol: Option<Subprotocol>,
    /// The parameters of permessage-deflate, if it is in use.
    pub deflate: Option<DeflateParameters>,
    /// The headers of the server's response, for a client. A server looks at those of the request
    /// in its [`Offer`], and does not keep them for as long as the connection lasts.
    pub headers: Option<alloc::boxed::Box<Headers>>,
}

impl Agreed {
    /// The extensions in use, as they could stand in the header.
    pub fn extensions(&self) -> alloc::vec::Vec<Extension> {
        self.deflate.iter().map(DeflateParameters::to_extension).collect()
    }
}

/// The version of the protocol that RFC 6455 defines, and the only one in use.
pub const VERSION: &str = "13";
