//! The address for programs: backends that publish and read, and those who watch over the server.
//!
//! It is an address of its own, so that what is for programs is never in reach of everybody by mistake, and plain
//! HTTP that goes on for many requests is what hyper is for.

mod metrics;
mod publishing;

use super::clock::Clock;
use super::counters::Counters;
use super::health::Health;
use crate::failure::{Failure, Kind};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Body, Incoming};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::{Value, json};
use std::convert::Infallible;
use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// The address for programs, and who may publish there.
#[derive(clap::Args)]
#[command(next_help_heading = "Programs")]
pub(super) struct ProgramArguments {
    /// An address for programs: /metrics, /healthz, /readyz, and /api/rooms/ROOM/messages to publish and read
    #[arg(long, value_name = "ADDRESS")]
    api_listen: Option<String>,

    /// The file with the token that programs publish and read with, of 16 characters or more
    #[arg(long, value_name = "FILE", requires = "api_listen")]
    api_token_file: Option<PathBuf>,
}

/// Answers programs.
pub(super) struct Programs {
    listener: TcpListener,
    shared: Arc<Shared>,
}

struct Shared {
    token: Option<String>,
    health: Health,
    counters: Arc<Counters>,
    clock: Clock,
}

/// The most bytes in the body of a request.
const BODY_BYTES_MAX: usize = 4 * 1024 * 1024;

/// How long a request may take to arrive.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// The most connections of programs at a time; more wait.
const CONNECTIONS_MAX: usize = 256;

const TOKEN_CHARS_MIN: usize = 16;

impl ProgramArguments {
    /// Listens, if that is wanted.
    pub(super) fn listen(
        &self,
        health: Health,
        counters: Arc<Counters>,
        clock: Clock,
    ) -> Result<Option<Programs>, Failure> {
        let Some(address) = &self.api_listen else { return Ok(None) };
        let token = self.token()?;
        let listener = TcpListener::bind(address).and_then(|listener| {
            listener.set_nonblocking(true)?;
            Ok(listener)
        });
        let listener = listener.map_err(|error| {
            Failure::new(
                Kind::Listen,
                format_args!("cannot listen on --api-listen {address}: {error}"),
            )
        })?;
        let shared = Arc::new(Shared { token, health, counters, clock });
        Ok(Some(Programs { listener, shared }))
    }

    fn token(&self) -> Result<Option<String>, Failure> {
        let Some(path) = &self.api_token_file else { return Ok(None) };
        let failure = |kind, why: &dyn std::fmt::Display| {
            let path = path.display();
            Failure::new(kind, format_args!("--api-token-file {path}: {why}"))
        };
        let token = fs::read_to_string(path).map_err(|error| failure(Kind::Local, &error))?;
        let token = token.trim();
        if token.len() < TOKEN_CHARS_MIN || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            let why = "a token has 16 characters or more of visible ASCII";
            return Err(failure(Kind::Usage, &why));
        }
        Ok(Some(token.to_owned()))
    }
}

impl Programs {
    /// Words that say where.
    pub(super) fn place(&self) -> String {
        let address =
            self.listener.local_addr().map_or_else(|error| error.to_string(), |at| at.to_string());
        format!("listens for programs on http://{address}/")
    }

    /// Answers for ever.
    pub(super) async fn run(self) {
        let Ok(listener) = tokio::net::TcpListener::from_std(self.listener) else { return };
        let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        loop {
            let Ok(place) = places.clone().acquire_owned().await else { return };
            let Ok((stream, _)) = listener.accept().await else {
                // No descriptor is left, which does not end the server.
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            };
            let _the_client_may_have_gone = stream.set_nodelay(true);
            let shared = self.shared.clone();
            tokio::spawn(async move {
                let service = service_fn(|request| {
                    let shared = shared.clone();
                    async move { Ok::<_, Infallible>(shared.answer(request).await.into_response()) }
                });
                let connection = hyper::server::conn::http1::Builder::new()
                    .timer(TokioTimer::new())
                    .header_read_timeout(REQUEST_TIMEOUT)
                    .serve_connection(TokioIo::new(stream), service);
                let _the_client_may_have_gone = connection.await;
                drop(place);
            });
        }
    }
}

impl Shared {
    async fn answer(&self, request: Request<Incoming>) -> Answer {
        let path = request.uri().path();
        if let Some((status, words)) = self.health.answer(path) {
            return Answer::new(status, "text/plain; charset=utf-8", format!("{words}\n"));
        }
        if path == "/metrics" {
            let text = metrics::write(&self.counters, &self.health.hub);
            return Answer::new(200, "text/plain; version=0.0.4; charset=utf-8", text);
        }
        let Some(room) = publishing::room(path) else {
            let words = "There are /metrics, /healthz, /readyz and /api/rooms/ROOM/messages.";
            return Answer::error(404, "not_found", words);
        };
        let Some(token) = &self.token else {
            let words =
                "Programs may publish and read where the server was given an --api-token-file.";
            return Answer::error(403, "no_token", words);
        };
        if !bears(&request, token) {
            return Answer::error(
                401,
                "token_wrong",
                "Send the header Authorization: Bearer TOKEN.",
            );
        }
        let query = request.uri().query().unwrap_or_default().to_owned();
        match *request.method() {
            Method::GET => publishing::read(&self.health.hub, &room, &query).await,
            Method::POST => match body(request).await {
                Ok(body) => {
                    publishing::publish(&self.health.hub, &room, &body, self.clock.now()).await
                }
                Err(answer) => answer,
            },
            _ => Answer::error(405, "method_wrong", "GET reads, POST publishes."),
        }
    }
}

async fn body(request: Request<Incoming>) -> Result<Bytes, Answer> {
    let too_large = || {
        let words = format!("The body of a request has at most {BODY_BYTES_MAX} bytes.");
        Err(Answer::error(413, "body_too_large", &words))
    };
    // Before any of it is read, if it says how long it is.
    if request.body().size_hint().lower() > BODY_BYTES_MAX as u64 {
        return too_large();
    }
    let body = Limited::new(request.into_body(), BODY_BYTES_MAX).collect();
    match tokio::time::timeout(REQUEST_TIMEOUT, body).await {
        Err(_) => Err(Answer::error(408, "too_slow", "The body did not arrive in time.")),
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => too_large(),
        Ok(Err(_)) => Err(Answer::error(400, "body_broken", "The body could not be read.")),
    }
}

/// Whether the request has the token. The time this takes does not tell how much of it was right.
fn bears(request: &Request<Incoming>, token: &str) -> bool {
    let header = request.headers().get(AUTHORIZATION).map_or(&b""[..], HeaderValue::as_bytes);
    let Some((scheme, given)) = header.split_at_checked("Bearer ".len()) else { return false };
    let differing =
        given.iter().zip(token.bytes()).fold(0, |sum, (given, byte)| sum | (given ^ byte));
    scheme.eq_ignore_ascii_case(b"Bearer ") && given.len() == token.len() && differing == 0
}

/// What is answered.
struct Answer {
    status: u16,
    content_type: &'static str,
    body: String,
}

impl Answer {
    fn new(status: u16, content_type: &'static str, body: String) -> Answer {
        Answer { status, content_type, body }
    }

    fn json(status: u16, body: &Value) -> Answer {
        Answer::new(status, "application/json", body.to_string())
    }

    fn error(status: u16, reason: &str, text: &str) -> Answer {
        Answer::json(status, &json!({ "reason": reason, "text": text }))
    }

    fn into_response(self) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::new(Bytes::from(self.body)));
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        match self.status {
            401 => drop(headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))),
            503 => drop(headers.insert(RETRY_AFTER, HeaderValue::from_static("1"))),
            _ => {}
        }
        response
    }
}
