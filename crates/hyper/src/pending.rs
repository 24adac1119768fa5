//! From hyper's request to hyper's response.

use crate::error::{self, add_header};
use crate::{Body, Opening, UpgradeError};
use http::request::Parts;
use http::{Extensions, HeaderMap, Method, Request, Response, StatusCode, Uri, Version};
use hyper::upgrade::OnUpgrade;
use wskit::{Acceptance, Offer, Rejection, RequestError, RequestLine, Server};

/// Makes a WebSocket connection of a request: the response for hyper, and a future of the
/// connection, which is there once hyper has written the response. `Err` is the answer to a request
/// that breaks a rule or comes from a page that the server does not allow.
///
/// The server's settings count but for TLS, which is the business of whoever serves with hyper, and
/// so is how long a request may take to arrive. The opening timeout bounds the [`Opening`].
#[expect(clippy::result_large_err, reason = "both are responses, and returned to hyper at once")]
pub fn upgrade<B>(
    request: &mut Request<B>,
    server: &Server,
) -> Result<(Response<Body>, Opening), Response<Body>> {
    PendingUpgrade::from_request(request, server)
        .and_then(|pending| pending.accept(server))
        .map_err(|error| error.to_response())
}

/// A request for a WebSocket that keeps all rules and waits for an answer.
///
/// ```
/// use http::{Request, Response};
/// use wskit::{Rejection, Server};
/// use wskit_hyper::{Body, PendingUpgrade, UpgradeError};
///
/// fn answer<B>(request: &mut Request<B>, server: &Server) -> Result<Response<Body>, UpgradeError> {
///     let pending = PendingUpgrade::from_request(request, server)?;
///     if pending.offer().path() != "/chat" {
///         return Ok(pending.reject(Rejection::new(404, "there is only /chat here")));
///     }
///     let (response, opening) = pending.accept(server)?;
///     tokio::spawn(async { opening.await?.send("welcome").await });
///     Ok(response)
/// }
/// ```
#[derive(Debug)]
pub struct PendingUpgrade {
    offer: Offer,
    version: Version,
    on_upgrade: OnUpgrade,
}

impl PendingUpgrade {
    /// Checks a request, and takes hold of its connection. The origin is checked by
    /// [`accept`](PendingUpgrade::accept).
    pub fn from_request<B>(
        request: &mut Request<B>,
        server: &Server,
    ) -> Result<PendingUpgrade, UpgradeError> {
        let head = Head {
            method: request.method(),
            uri: request.uri(),
            version: request.version(),
            headers: request.headers(),
            extensions: request.extensions(),
        };
        let offer = head.check(server)?;
        PendingUpgrade::new(offer, request.version(), request.extensions_mut())
    }

    /// As [`from_request`](PendingUpgrade::from_request), for a request without its body.
    pub fn from_parts(parts: &mut Parts, server: &Server) -> Result<PendingUpgrade, UpgradeError> {
        let Parts { method, uri, version, headers, extensions, .. } = parts;
        let offer = Head { method, uri, version: *version, headers, extensions }.check(server)?;
        PendingUpgrade::new(offer, parts.version, &mut parts.extensions)
    }

    fn new(
        offer: Offer,
        version: Version,
        extensions: &mut Extensions,
    ) -> Result<PendingUpgrade, UpgradeError> {
        match extensions.remove::<OnUpgrade>() {
            Some(on_upgrade) => Ok(PendingUpgrade { offer, version, on_upgrade }),
            None => Err(UpgradeError::not_upgradable(version)),
        }
    }

    /// What the client asks for.
    pub fn offer(&self) -> &Offer {
        &self.offer
    }

    /// Accepts the offer, with the first of the server's subprotocols that was offered, unless it
    /// comes from a page that the server does not allow.
    ///
    /// The server may be another than the one that checked the request.
    pub fn accept(self, server: &Server) -> Result<(Response<Body>, Opening), UpgradeError> {
        let acceptance = server.choose(&self.offer);
        self.accept_with(server, acceptance)
    }

    /// As [`accept`](PendingUpgrade::accept), with a subprotocol and headers of the application's
    /// choice.
    pub fn accept_with(
        self,
        server: &Server,
        acceptance: Acceptance,
    ) -> Result<(Response<Body>, Opening), UpgradeError> {
        let PendingUpgrade { offer, version, on_upgrade } = self;
        let mut response = Response::new(Body::default());
        *response.status_mut() = StatusCode::from_u16(offer.bootstrap().success_status())
            .unwrap_or(StatusCode::SWITCHING_PROTOCOLS);
        let agreed = server
            .agree(offer, acceptance, |name, value| add_header(&mut response, name, value))
            .map_err(|error| UpgradeError::request(error, version))?;
        Ok((response, Opening::new(on_upgrade, agreed, server.clone())))
    }

    /// The response that rejects the offer.
    pub fn reject(self, rejection: Rejection) -> Response<Body> {
        error::reject(rejection, self.version)
    }
}

/// What there is of a request to be checked.
struct Head<'a> {
    method: &'a Method,
    uri: &'a Uri,
    version: Version,
    headers: &'a HeaderMap,
    #[cfg_attr(not(feature = "http2"), expect(dead_code, reason = "only HTTP/2 has some"))]
    extensions: &'a Extensions,
}

impl Head<'_> {
    fn check(&self, server: &Server) -> Result<Offer, UpgradeError> {
        let offer = match self.version {
            Version::HTTP_10 => self.check_http1(server, 0),
            Version::HTTP_11 => self.check_http1(server, 1),
            #[cfg(feature = "http2")]
            Version::HTTP_2 => self.check_http2(server),
            _ => Err(RequestError::HttpVersion),
        };
        offer.map_err(|error| UpgradeError::request(error, self.version))
    }

    fn check_http1(&self, server: &Server, minor_version: u8) -> Result<Offer, RequestError> {
        // A target in origin form is most common, and borrowed.
        let absolute;
        let target = match self.uri.path_and_query() {
            Some(target) if self.uri.authority().is_none() => target.as_str(),
            _ => {
                absolute = self.uri.to_string();
                &absolute
            }
        };
        let line = RequestLine { method: self.method.as_str(), target, minor_version };
        server.check_request(line, self.headers())?.into_offer()
    }

    #[cfg(feature = "http2")]
    fn check_http2(&self, server: &Server) -> Result<Offer, RequestError> {
        let authority = self.uri.authority().map(http::uri::Authority::as_str);
        // A URI without an authority cannot have a scheme, so the authority is what was missing.
        let scheme = self.uri.scheme_str().or(authority.is_none().then_some("https"));
        let fields = wskit::PseudoHeaders {
            method: self.method.as_str(),
            protocol: self
                .extensions
                .get::<hyper::ext::Protocol>()
                .map(hyper::ext::Protocol::as_str),
            scheme,
            authority,
            path: self.uri.path_and_query().map(http::uri::PathAndQuery::as_str),
        };
        server.check_request(fields, self.headers())?.into_offer()
    }

    fn headers(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()))
    }
}
