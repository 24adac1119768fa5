//! The opening handshake over HTTP/1.1 (RFC 6455 §4), for both roles.
//!
//! - [`ServerOpening`] takes a request in any pieces and yields an [`Offer`] to accept or reject.
//! - [`Request::new`] is the same for a request that another HTTP server has parsed.
//! - [`ClientOpening`] makes a request, takes the response in any pieces and yields what was
//!   [`Agreed`].
//! - [`IncomingResponse`] takes any other response, as that of a proxy.
//!
//! Both leave in the buffer what came after the head: the first frames.

mod client;
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

pub use client::{Check, ClientOpening, ClientRequest, InvalidRequest};
pub use deflate::DeflateParameters;
pub use extension::{Extension, Parameter};
pub use field::{Field, InvalidField};
pub use head::{HeadLimits, Headers};
pub use key::{Accept, InvalidKey, Key};
pub use offer::{Acceptance, Offer};
pub use origin::{Origin, OriginPolicy};
pub use rejection::Rejection;
pub use request::{Request, RequestLine};
pub use request_error::RequestError;
pub use response::IncomingResponse;
pub use response_error::{Refusal, ResponseError};
pub use server::ServerOpening;
pub use subprotocol::{InvalidSubprotocol, Subprotocol};

/// What both ends agreed on in the opening handshake.
#[derive(Clone, Debug)]
pub struct Agreed {
    /// The key that the client sent.
    pub key: Key,
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
