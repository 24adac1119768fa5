//! From hyper's request to hyper's response.

use crate::error::add_header;
use crate::{Body, Opening, UpgradeError};
use http::request::Parts;
use http::{Extensions, HeaderMap, Method, Request, Response, StatusCode, Uri, Version};
use hyper::upgrade::OnUpgrade;
use wskit::{Acceptance, Offer, RequestError, RequestLine, Server};

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
        .and_then(|pending| {
            let acceptance = server.choose(pending.offer());
            pending.accept(server, acceptance)
        })
        .map_err(|error| error.to_response())
}

/// A request for a WebSocket that keeps all rules and waits for an answer.
///
/// ```
/// use http::{Request, Response};
/// use wskit::{Rejection, Server};
/// use wskit_hyper::{Body, PendingUpgrade, UpgradeError, reject};
///
/// fn answer<B>(request: &mut Request<B>, server: &Server) -> Result<Response<Body>, UpgradeError> {
///     let pending = PendingUpgrade::from_request(request, server)?;
///     if pending.offer().path() != "/chat" {
///         return Ok(reject(&Rejection::new(404, "there is only /chat here")));
///     }
///     let acceptance = server.choose(pending.offer());
///     let (response, opening) = pending.accept(server, acceptance)?;
///     tokio::spawn(async { opening.await?.send("welcome").await });
///     Ok(response)
/// }
/// ```
#[derive(Debug)]
pub struct PendingUpgrade {
    offer: Offer,
    on_upgrade: OnUpgrade,
}

impl PendingUpgrade {
    /// Checks a request, and takes hold of its connection. The origin is checked by
    /// [`accept`](PendingUpgrade::accept).
    pub fn from_request<B>(
        request: &mut Request<B>,
        server: &Server,
    ) -> Result<PendingUpgrade, UpgradeError> {
        let (method, uri) = (request.method(), request.uri());
        let offer = check(method, uri, request.version(), request.headers(), server)?;
        PendingUpgrade::new(offer, request.extensions_mut())
    }

    /// As [`from_request`](PendingUpgrade::from_request), for a request without its body.
    pub fn from_parts(parts: &mut Parts, server: &Server) -> Result<PendingUpgrade, UpgradeError> {
        let offer = check(&parts.method, &parts.uri, parts.version, &parts.headers, server)?;
        PendingUpgrade::new(offer, &mut parts.extensions)
    }

    fn new(offer: Offer, extensions: &mut Extensions) -> Result<PendingUpgrade, UpgradeError> {
        let on_upgrade = extensions.remove::<OnUpgrade>().ok_or(UpgradeError::NotUpgradable)?;
        Ok(PendingUpgrade { offer, on_upgrade })
    }

    /// What the client asks for.
    pub fn offer(&self) -> &Offer {
        &self.offer
    }

    /// Accepts the offer, unless it comes from a page that the server does not allow. The server
    /// may be another than the one that checked the request.
    pub fn accept(
        self,
        server: &Server,
        acceptance: Acceptance,
    ) -> Result<(Response<Body>, Opening), UpgradeError> {
        let mut response = Response::new(Body::default());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let agreed = server.agree(self.offer, acceptance, |name, value| {
            add_header(&mut response, name, value);
        })?;
        Ok((response, Opening::new(self.on_upgrade, agreed, server.clone())))
    }
}

fn check(
    method: &Method,
    uri: &Uri,
    version: Version,
    headers: &HeaderMap,
    server: &Server,
) -> Result<Offer, RequestError> {
    let minor_version = match version {
        Version::HTTP_11 => 1,
        Version::HTTP_10 => 0,
        _ => return Err(RequestError::HttpVersion),
    };
    // A target in origin form is most common, and borrowed.
    let absolute;
    let target = match uri.path_and_query() {
        Some(target) if uri.authority().is_none() => target.as_str(),
        _ => {
            absolute = uri.to_string();
            &absolute
        }
    };
    let line = RequestLine { method: method.as_str(), target, minor_version };
    let headers = headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
    server.check_request(line, headers)?.into_offer()
}
