//! What `serve` and `echo` share: the address, the limits, and a loop that accepts connections
//! until it is told to stop.

use crate::compression::CompressionArguments;
use crate::failure::{Failure, Kind};
use crate::seconds::Seconds;
use futures_util::FutureExt;
use std::{
    future::Future,
    io::{self, Write},
    net::{SocketAddr, ToSocketAddrs},
    panic::AssertUnwindSafe,
    sync::Arc,
    time::Duration,
};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use wskit::{
    CloseCode, Field, Limits, Origin, OriginPolicy, PendingRequest, Rejection, Server, Timeouts,
    WebSocket,
};

/// Where to listen, and what a client may cost.
#[derive(clap::Args)]
pub(crate) struct Listening {
    /// The address to listen on; port 0 takes any that is free
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: String,

    /// The number of threads that serve connections
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: u16,

    /// The most connections at a time; more are answered 503
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    max_connections: u32,

    /// A subprotocol to speak with clients that offer it; repeat it, the most wanted first
    #[arg(long, value_name = "NAME")]
    subprotocol: Vec<String>,

    /// Which web pages may connect: same-host, any, or an origin such as `https://example.com`,
    /// which can be repeated
    #[arg(long, value_name = "ORIGIN", default_value = "same-host")]
    origin: Vec<String>,

    /// The most bytes that wait to be written to one client before the next message waits
    #[arg(long, value_name = "BYTES", default_value_t = Limits::default().output_bytes_max)]
    output_max: usize,

    #[command(flatten)]
    compression: CompressionArguments,

    /// How long the opening handshake may take, in seconds, or off
    #[arg(long, value_name = "SECONDS", default_value = "10")]
    opening_timeout: Seconds,

    /// How long the closing handshake may take, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "5")]
    close_timeout: Seconds,

    /// After how many seconds of silence a client is sent a Ping, or off
    #[arg(long, value_name = "SECONDS", default_value = "20")]
    keepalive_interval: Seconds,

    /// How long the client has to answer the Ping, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "20")]
    keepalive_timeout: Seconds,

    /// How long one message may take to arrive, in seconds, or off
    #[arg(long, value_name = "SECONDS", default_value = "300")]
    message_timeout: Seconds,
}

/// Tells every connection that the server goes down.
pub(crate) type Shutdown = watch::Receiver<bool>;

/// How long connections have to say goodbye when the server goes down.
const GOODBYE: Duration = Duration::from_secs(5);

/// How long to wait before accepting again when the machine has no descriptor left.
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(50);

impl Listening {
    /// The server that these arguments describe.
    pub(crate) fn server(&self, message_bytes_max: u64) -> Result<Server, Failure> {
        let limits = Limits {
            message_bytes_max,
            output_bytes_max: self.output_max.max(1),
            ..Limits::default()
        };
        let required = |seconds: Seconds, name| {
            let off = || Failure::new(Kind::Usage, format_args!("{name} cannot be off"));
            seconds.0.ok_or_else(off)
        };
        let timeouts = Timeouts {
            keepalive_interval: self.keepalive_interval.0,
            keepalive_timeout: required(self.keepalive_timeout, "--keepalive-timeout")?,
            message_timeout: self.message_timeout.0,
            close_timeout: required(self.close_timeout, "--close-timeout")?,
        };
        let mut server = Server::new()
            .limits(limits)
            .timeouts(timeouts)
            .opening_timeout(self.opening_timeout.0)
            .compression(self.compression.compression())
            .origins(self.origins()?);
        for name in &self.subprotocol {
            server = server.subprotocol(name)?;
        }
        Ok(server)
    }

    fn origins(&self) -> Result<OriginPolicy, Failure> {
        match self.origin.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            ["same-host"] => Ok(OriginPolicy::SameHost),
            ["any"] => Ok(OriginPolicy::Any),
            ref origins => {
                let parse = |origin: &&str| {
                    origin.parse::<Origin>().map_err(|error| {
                        Failure::new(Kind::Usage, format_args!("--origin {origin:?}: {error}"))
                    })
                };
                Ok(OriginPolicy::Only(origins.iter().map(parse).collect::<Result<_, _>>()?))
            }
        }
    }

    /// Listens, prints the line that `announce` makes of the address, and handles every request
    /// in a task of its own until Ctrl-C or SIGTERM. `meanwhile` runs beside.
    pub(crate) fn run<H, F>(
        &self,
        server: &Server,
        announce: impl Fn(SocketAddr) -> String,
        meanwhile: impl Future<Output = ()>,
        handle: H,
    ) -> Result<(), Failure>
    where
        H: Fn(PendingRequest<TcpStream>, Shutdown) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = ()> + Send,
    {
        runtime(self.threads)?.block_on(async {
            let listener = self.bind().await?;
            writeln!(io::stdout(), "{}", announce(listener.local_addr()?))?;
            let (goes_down, shutdown) = watch::channel(false);
            let places = Arc::new(Semaphore::new(self.max_connections as usize));
            let signal = stop_signal()?;
            tokio::select! {
                () = accept_all(&listener, &places, server, &shutdown, &handle) => {}
                () = meanwhile => {}
                () = signal => {}
            }
            drop(listener);
            goes_down.send_replace(true);
            drop(shutdown);
            // Every task holds a receiver until it has ended.
            let _some_may_take_too_long = tokio::time::timeout(GOODBYE, goes_down.closed()).await;
            Ok(())
        })
    }

    async fn bind(&self) -> Result<TcpListener, Failure> {
        let wrong = |error: &dyn std::fmt::Display| {
            Failure::new(
                Kind::Usage,
                format_args!(
                    "--listen {:?} is no address ({error}); write it as 127.0.0.1:8080",
                    self.listen
                ),
            )
        };
        let addresses: Vec<_> = match self.listen.to_socket_addrs() {
            Ok(addresses) => addresses.collect(),
            Err(error) => return Err(wrong(&error)),
        };
        let first = addresses.first().ok_or_else(|| wrong(&"it names nothing"))?;
        TcpListener::bind(first).await.map_err(|error| {
            let advice = match error.kind() {
                io::ErrorKind::AddrInUse => {
                    "the port is taken; stop the program that has it or choose another port with --listen"
                }
                io::ErrorKind::PermissionDenied => {
                    "this user may not; choose a port from 1024 up with --listen"
                }
                io::ErrorKind::AddrNotAvailable => {
                    "this machine does not have that address; choose another with --listen"
                }
                _ => "choose another address with --listen",
            };
            Failure::new(Kind::Listen, format_args!("cannot listen on {first}: {advice} ({error})"))
        })
    }
}

async fn accept_all<H, F>(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
    server: &Server,
    shutdown: &Shutdown,
    handle: &H,
) where
    H: Fn(PendingRequest<TcpStream>, Shutdown) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = ()> + Send,
{
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of descriptors, or the client has gone already: neither ends the server.
            tokio::time::sleep(EXHAUSTED_PAUSE).await;
            continue;
        };
        // Messages are written whole, so waiting for more only delays them.
        let _the_client_may_have_gone = stream.set_nodelay(true);
        let place = places.clone().try_acquire_owned();
        let (server, handle, shutdown) = (server.clone(), handle.clone(), shutdown.clone());
        tokio::spawn(async move {
            let Ok(request) = server.receive_request(stream).await else { return };
            if place.is_err() || *shutdown.borrow() {
                let _the_client_may_have_gone = request.reject(busy()).await;
                return;
            }
            handle(request, shutdown).await;
        });
    }
}

fn busy() -> Rejection {
    let rejection = Rejection::new(503, "the server has no place for another connection");
    match Field::new("Retry-After", "5") {
        Ok(field) => rejection.with_header(field),
        Err(_) => rejection,
    }
}

/// Runs the handler of one connection to its end. If it panics, the client is told 1011 and no
/// other connection is harmed; if the server goes down, the client is told 1001.
pub(crate) async fn converse<H>(
    mut socket: WebSocket<TcpStream>,
    mut shutdown: Shutdown,
    handler: H,
) where
    H: AsyncFnOnce(&mut WebSocket<TcpStream>) -> Result<(), wskit::Error>,
{
    let (code, reason) = tokio::select! {
        biased;
        ended = AssertUnwindSafe(handler(&mut socket)).catch_unwind() => match ended {
            Ok(_) => return,
            Err(_) => (CloseCode::INTERNAL_ERROR, "internal error"),
        },
        _ = shutdown.wait_for(|goes_down| *goes_down) => {
            (CloseCode::GOING_AWAY, "the server goes down")
        }
    };
    let _the_client_may_have_gone = socket.close(code, reason).await;
}

fn runtime(threads: u16) -> Result<tokio::runtime::Runtime, Failure> {
    let mut builder = match threads {
        1 => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    };
    Ok(builder.worker_threads(threads.into()).enable_all().build()?)
}

/// Ends when the user or the system asks the program to stop.
pub(crate) fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        Ok(async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        })
    }
    #[cfg(not(unix))]
    Ok(async {
        let _cannot_be_waited_for = tokio::signal::ctrl_c().await;
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A client of a server whose handler does this.
    async fn client_of<H>(handler: H) -> WebSocket<wskit::ClientStream>
    where
        H: AsyncFnOnce(&mut WebSocket<TcpStream>) -> Result<(), wskit::Error> + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("ws://{}/", listener.local_addr().unwrap());
        tokio::task::spawn_local(async move {
            let socket = wskit::accept(listener.accept().await.unwrap().0).await.unwrap();
            let (_stays_up, shutdown) = watch::channel(false);
            converse(socket, shutdown, handler).await;
        });
        wskit::connect(&url).await.unwrap()
    }

    // Row 48 of the hostile input: a handler that panics.
    #[tokio::test(flavor = "local")]
    async fn row_48_a_handler_that_panics_costs_its_own_connection_only() {
        let mut doomed = client_of(async |_| panic!("as this test wants")).await;
        let mut other = client_of(async |socket| {
            let message = socket.recv().await.unwrap()?;
            socket.send(message).await
        })
        .await;
        let Some(Ok(wskit::Message::Close(Some(frame)))) = doomed.recv().await else {
            panic!("no Close frame");
        };
        assert_eq!(frame.code(), CloseCode::INTERNAL_ERROR);
        other.send("still here").await.unwrap();
        assert_eq!(other.recv().await.unwrap().unwrap().as_text(), Some("still here"));
    }
}
