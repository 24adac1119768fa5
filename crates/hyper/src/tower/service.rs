//! A service that hands connections to a handler.

use crate::{Body, Opening, PendingUpgrade, WebSocket};
use http::{Request, Response, request::Parts};
use std::{
    convert::Infallible,
    fmt,
    future::{Future, Ready, ready},
    sync::Arc,
    task::{Context, Poll},
};
use tower_service::Service;
use wskit::{Error, Server};

/// A service that answers requests for WebSockets, and calls a handler with each connection, in a
/// task of its own.
///
/// The handler gets the connection and the request, with what layers before this one have put into
/// its extensions. What it does not need of the request, it should drop: idle connections are many.
/// What it returns is dropped; if it fails or panics, that ends its own connection and nothing else,
/// and without a Close frame: see [the end](wskit::WebSocket#the-end) for how to say 1011 first.
///
/// A request that breaks a rule, is for no WebSocket, or comes from a page that the server does not
/// allow is answered with the fitting status and a line that names the fault. The settings of the
/// [`Server`] count as they do for [`upgrade`](crate::upgrade()).
///
/// Cheap to clone. It is called within a Tokio runtime.
#[derive(Clone)]
pub struct WebSocketService {
    server: Server,
    /// Starts the task of a connection.
    start: Arc<dyn Fn(Opening, Parts, Report) + Send + Sync>,
    report: Report,
}

/// Who is told of connections that do not open.
type Report = Arc<dyn Fn(Error) + Send + Sync>;

impl WebSocketService {
    /// A service with a server's settings and a handler.
    pub fn new<F, H>(server: Server, handler: H) -> WebSocketService
    where
        H: Fn(WebSocket, Parts) -> F + Send + Sync + 'static,
        F: Future + Send + 'static,
    {
        let handler = Arc::new(handler);
        let start = move |opening, request, report| {
            drop(tokio::spawn(handle(opening, request, report, handler.clone())));
        };
        WebSocketService { server, start: Arc::new(start), report: Arc::new(drop) }
    }

    /// Is called when a connection was agreed on and does not open after all: it broke before the
    /// response was written, or hyper serves without upgrades. Otherwise nobody is told.
    #[must_use]
    pub fn on_failed_opening(
        self,
        report: impl Fn(Error) + Send + Sync + 'static,
    ) -> WebSocketService {
        WebSocketService { report: Arc::new(report), ..self }
    }

    pub(super) fn answer(&self, mut request: Parts) -> Response<Body> {
        let pending = PendingUpgrade::from_parts(&mut request, &self.server);
        match pending.and_then(|pending| pending.accept(&self.server)) {
            Ok((response, opening)) => {
                (self.start)(opening, request, self.report.clone());
                response
            }
            Err(error) => error.to_response(),
        }
    }
}

/// The task of a connection.
fn handle<F, H>(
    opening: Opening,
    request: Parts,
    report: Report,
    handler: Arc<H>,
) -> impl Future<Output = ()>
where
    H: Fn(WebSocket, Parts) -> F,
    F: Future,
{
    // Boxed, so that what only the opening needs is not part of the task for ever.
    let opened = Box::pin(async move {
        match opening.await {
            Ok(socket) => Some(handler(socket, request)),
            Err(error) => {
                report(error);
                None
            }
        }
    });
    async {
        if let Some(handled) = opened.await {
            drop(handled.await);
        }
    }
}

impl<B> Service<Request<B>> for WebSocketService {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        ready(Ok(self.answer(request.into_parts().0)))
    }
}

impl fmt::Debug for WebSocketService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebSocketService").field("server", &self.server).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::pending;

    /// What a task takes, and what its handler does.
    fn sizes<F: Future>(handler: impl Fn(WebSocket, Parts) -> F) -> (usize, usize) {
        fn size_of_output<F>(_: &impl Fn(WebSocket, Parts) -> F) -> usize {
            size_of::<F>()
        }
        let handled = size_of_output(&handler);
        let opening = Opening { connection: Box::pin(pending()) };
        let request = Request::new(()).into_parts().0;
        (size_of_val(&handle(opening, request, Arc::new(drop), Arc::new(handler))), handled)
    }

    #[test]
    fn a_task_holds_its_handler_and_next_to_nothing_else() {
        let (task, handled) = sizes(|socket, _| async move {
            pending::<()>().await;
            drop(socket);
        });
        assert!(task <= handled + 48, "{task} bytes for {handled}");
    }
}
