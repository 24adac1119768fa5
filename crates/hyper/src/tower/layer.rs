//! A layer that takes requests for WebSockets out of the way of another service.

use super::WebSocketService;
use crate::Body;
use http::{HeaderMap, Request, Response, Version, header};
use http_body_util::Either;
use pin_project_lite::pin_project;
use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};
use tower_layer::Layer;
use tower_service::Service;

/// Puts a [`WebSocketService`] in front of another service, which gets what is not for a WebSocket.
///
/// A request is for a WebSocket if it says so: with `Upgrade: websocket` over HTTP/1.1, or with a
/// CONNECT of the `:protocol` `websocket` over HTTP/2. Whether it says so rightly is for the
/// `WebSocketService`.
#[derive(Clone, Debug)]
pub struct WebSocketLayer {
    service: WebSocketService,
    path: Option<Arc<str>>,
}

impl WebSocketLayer {
    /// Takes requests for WebSockets whatever their path.
    pub fn new(service: WebSocketService) -> WebSocketLayer {
        WebSocketLayer { service, path: None }
    }

    /// Takes only those with this path.
    #[must_use]
    pub fn at(self, path: &str) -> WebSocketLayer {
        WebSocketLayer { path: Some(path.into()), ..self }
    }
}

impl<S> Layer<S> for WebSocketLayer {
    type Service = WebSocketOrElse<S>;

    fn layer(&self, inner: S) -> WebSocketOrElse<S> {
        WebSocketOrElse { layer: self.clone(), inner }
    }
}

/// The service that [`WebSocketLayer`] makes.
#[derive(Clone, Debug)]
pub struct WebSocketOrElse<S> {
    layer: WebSocketLayer,
    inner: S,
}

impl<B, C, S> Service<Request<B>> for WebSocketOrElse<S>
where
    S: Service<Request<B>, Response = Response<C>>,
{
    type Response = Response<Either<Body, C>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> ResponseFuture<S::Future> {
        let WebSocketLayer { service, path } = &self.layer;
        let is_here = path.as_ref().is_none_or(|path| **path == *request.uri().path());
        let answer = if is_here && asks_for_websocket(&request) {
            Answer::Here { response: Some(service.answer(request.into_parts().0)) }
        } else {
            Answer::Inner { response: self.inner.call(request) }
        };
        ResponseFuture { answer }
    }
}

/// Whether a request asks for a WebSocket, rightly or wrongly.
fn asks_for_websocket<B>(request: &Request<B>) -> bool {
    match request.version() {
        #[cfg(feature = "http2")]
        Version::HTTP_2 => {
            let protocol = request.extensions().get::<hyper::ext::Protocol>();
            protocol.is_some_and(|name| name.as_str().eq_ignore_ascii_case("websocket"))
        }
        Version::HTTP_09 | Version::HTTP_10 | Version::HTTP_11 => {
            upgrades_to_websocket(request.headers())
        }
        _ => false,
    }
}

fn upgrades_to_websocket(headers: &HeaderMap) -> bool {
    headers.get_all(header::UPGRADE).iter().any(|value| {
        let mut names = value.as_bytes().split(|byte| *byte == b',');
        names.any(|name| name.trim_ascii().eq_ignore_ascii_case(b"websocket"))
    })
}

pin_project! {
    /// The response of [`WebSocketOrElse`].
    #[derive(Debug)]
    pub struct ResponseFuture<F> {
        #[pin]
        answer: Answer<F>,
    }
}

pin_project! {
    #[project = AnswerProjection]
    #[derive(Debug)]
    enum Answer<F> {
        Here { response: Option<Response<Body>> },
        Inner { #[pin] response: F },
    }
}

impl<C, E, F> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<C>, E>>,
{
    type Output = Result<Response<Either<Body, C>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().answer.project() {
            AnswerProjection::Here { response } => {
                let response = response.take().expect("polled after it was ready");
                Poll::Ready(Ok(response.map(Either::Left)))
            }
            AnswerProjection::Inner { response } => {
                response.poll(cx).map_ok(|response| response.map(Either::Right))
            }
        }
    }
}
