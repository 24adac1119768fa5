//! What `serve` and `echo` share on the command line: the address, and what a client may cost.

use crate::accepting::{Accepting, Service, stop_signal};
use crate::block_on::block_on;
use crate::certificate::{Certificate, CertificateArguments};
use crate::compression::CompressionArguments;
use crate::entrance::Entrance;
use crate::failure::{Failure, Kind};
use crate::forwarded::Proxies;
use crate::listener::{Address, Listener};
use crate::refusals::Refusals;
use crate::seconds::Seconds;
use crate::shutdown::shutdown;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::{
    future::Future,
    io::{self, Write},
    time::Duration,
};
use wskit::http2::Http2Limits;
use wskit::{Limits, Origin, OriginPolicy, Server, Timeouts};

/// What times stand under in the help.
const TIMES: &str = "Times";

/// Where to listen, and what a client may cost.
#[derive(clap::Args)]
#[command(next_help_heading = "Connections")]
pub(crate) struct Listening {
    /// The address to listen on, where port 0 takes any that is free; or unix: and the path of a
    /// Unix-domain socket
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: String,

    /// Who may connect to a Unix-domain socket, as for chmod: 660 is its owner and its group
    /// [default: what the umask leaves]
    #[arg(long, value_name = "MODE", value_parser = parse_mode)]
    unix_mode: Option<u32>,

    /// The number of threads that serve connections
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: u16,

    /// The most connections at a time; more are answered 503. One of HTTP/2 counts, and so does each
    /// WebSocket on it
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    max_connections: u32,

    /// The most connections of one address at a time, or of one network of 64 bits in IPv6; more are answered 429
    #[arg(long, value_name = "N", default_value_t = 200)]
    max_connections_per_address: u32,

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
    proxies: Proxies,

    #[command(flatten)]
    compression: CompressionArguments,

    #[command(flatten)]
    certificate: CertificateArguments,

    /// How long the TLS handshake may take, the request to arrive, and the answer to leave, in
    /// seconds each, or off
    #[arg(long, value_name = "SECONDS", default_value = "10", help_heading = TIMES)]
    opening_timeout: Seconds,

    /// How long the closing handshake may take, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "5", help_heading = TIMES)]
    close_timeout: Seconds,

    /// After how many seconds of silence a client is sent a Ping, or off
    #[arg(long, value_name = "SECONDS", default_value = "20", help_heading = TIMES)]
    keepalive_interval: Seconds,

    /// How long the client has to answer the Ping, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "20", help_heading = TIMES)]
    keepalive_timeout: Seconds,

    /// How long one message may take to arrive, in seconds, or off
    #[arg(long, value_name = "SECONDS", default_value = "300", help_heading = TIMES)]
    message_timeout: Seconds,

    /// How long the server serves on when it is told to stop, in seconds, so that those who ask
    /// whether it is ready learn of it first
    #[arg(long, value_name = "SECONDS", default_value = "off", help_heading = TIMES)]
    drain_delay: Seconds,

    /// How long connections have to say goodbye when the server goes down, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "5", help_heading = TIMES)]
    drain_timeout: Seconds,

    /// Whether the server was told to stop.
    #[arg(skip)]
    draining: Arc<AtomicBool>,

    /// Who was not let in.
    #[arg(skip)]
    refusals: Refusals,
}

/// How long the end of the program waits for what runs in threads of its own, such as a file that is being read: a disk
/// that does not answer must not hold it for ever.
const ENDING_MAX: Duration = Duration::from_secs(1);

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
            .origins(self.origins()?)
            .http2(Http2Limits::default());
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

    /// Whether the server was told to stop, as it will be known.
    pub(crate) fn draining(&self) -> Arc<AtomicBool> {
        self.draining.clone()
    }

    /// Who was not let in, as it will be known.
    pub(crate) fn refusals(&self) -> Refusals {
        self.refusals.clone()
    }

    /// Listens, prints the line that `announce` makes of the address and of the "s" of a scheme with
    /// TLS, and handles every request in a task of its own until Ctrl-C or SIGTERM. `meanwhile` runs
    /// beside.
    pub(crate) fn run<S: Service>(
        &self,
        server: &Server,
        announce: impl Fn(&str, &Address) -> String,
        meanwhile: impl Future<Output = ()>,
        service: S,
    ) -> Result<(), Failure> {
        let runtime = runtime(self.threads)?;
        let outcome = block_on(&runtime, async {
            let listener = Listener::bind(&self.listen, self.unix_mode).await?;
            let address = listener.address()?;
            let certificate = self.certificate.load(&address)?;
            let s = if certificate.is_some() { "s" } else { "" };
            let mut announcement = announce(s, &address);
            let mut server = server.clone();
            if let Some(Certificate { config, description }) = certificate {
                announcement += &format!("\n{description}");
                server = server.tls(config);
            }
            // Who reads that the server listens may stop it at once.
            // In a task of its own, for the one that accepts looks at all that it waits for each time.
            let signal = tokio::spawn(stop_signal()?);
            // At once, for who reads may do no more than read the first line.
            io::stdout().write_all((announcement + "\n").as_bytes())?;
            let (switch, shutdown) = shutdown();
            let entrance = Entrance::new(
                self.max_connections as usize,
                self.max_connections_per_address as usize,
                self.proxies.clone(),
                self.refusals.clone(),
            );
            let accepting = Arc::new(Accepting { server, entrance, service });
            let mut meanwhile = pin!(meanwhile);
            let code = tokio::select! {
                () = accepting.accept_all(&listener, &shutdown) => return Ok(()),
                () = &mut meanwhile => return Ok(()),
                Ok(code) = signal => code,
            };
            self.draining.store(true, Ordering::Relaxed);
            let mut again = pin!(stop_signal()?);
            if let Some(delay) = self.drain_delay.0 {
                tokio::select! {
                    () = accepting.accept_all(&listener, &shutdown) => {}
                    () = &mut meanwhile => {}
                    () = tokio::time::sleep(delay) => {}
                    _ = &mut again => {}
                }
            }
            drop(listener);
            let connections = accepting.entrance.taken();
            switch.begin(code);
            drop(shutdown);
            let goodbye = self.drain_timeout.0.unwrap_or(Duration::MAX);
            tokio::select! {
                // Every task holds a receiver until it has ended.
                () = switch.all_ended() => {}
                () = meanwhile => {}
                () = tokio::time::sleep(goodbye) => {}
                _ = again => {}
            }
            let left = accepting.entrance.taken();
            let ended = connections.saturating_sub(left);
            let report =
                format!("wskit goes down: {ended} of {connections} connections said goodbye\n");
            // Who started it may not read any more.
            let _nobody_reads = io::stdout().write_all(report.as_bytes());
            Ok(())
        });
        runtime.shutdown_timeout(ENDING_MAX);
        outcome
    }
}

/// A mode as `chmod` takes it in digits.
fn parse_mode(text: &str) -> Result<u32, &'static str> {
    match u32::from_str_radix(text, 8) {
        Ok(mode @ 0..=0o777) => Ok(mode),
        _ => Err("give three octal digits, such as 660"),
    }
}

fn runtime(threads: u16) -> Result<tokio::runtime::Runtime, Failure> {
    let mut builder = match threads {
        1 => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    };
    Ok(builder.worker_threads(threads.into()).enable_all().build()?)
}
