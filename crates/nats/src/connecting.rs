//! The way to the server.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use async_nats::jetstream::context::ContextBuilder;
use async_nats::{ConnectOptions, Event, ServerAddr};
use tokio::sync::watch;
use wskit_store::Error;

use crate::broker::{Broker, words};
use crate::names::Names;

/// Where the server is, and how this node uses it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Settings {
    /// Addresses of one server, or of several of one cluster: `nats://user:password@host:4222`, or `tls://…`.
    pub addresses: Vec<String>,
    /// A file with what NATS calls credentials.
    pub credentials: Option<PathBuf>,
    /// A file with certificates of authorities that are trusted too, in PEM.
    pub also_trusted: Option<PathBuf>,
    /// What the names of all streams and subjects begin with: nodes of the same prefix share their rooms.
    pub prefix: String,
    /// How many servers of the cluster keep each room; from 1 to 5.
    pub replicas: usize,
    /// The largest message that there will be, in bytes: a server that does not take it is refused. Smaller servers
    /// are found out message by message if this is 0.
    pub message_bytes_max: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            addresses: vec!["nats://127.0.0.1:4222".into()],
            credentials: None,
            also_trusted: None,
            prefix: "wskit".into(),
            replicas: 1,
            message_bytes_max: 0,
        }
    }
}

/// Why there is no connection.
#[derive(Debug)]
#[non_exhaustive]
pub enum ConnectError {
    /// The settings are wrong; says which and why.
    Settings(String),
    /// The server cannot be reached, does not let this node in, or has no JetStream; says why.
    Server(String),
    /// Something failed on this machine.
    Local(io::Error),
}

/// How long the server may take for an answer.
const ANSWER_MAX: Duration = Duration::from_secs(5);

/// What a message has beside its payload: headers with the names of its stream and of its sender's words.
const HEADERS_BYTES_MAX: usize = 1024;

/// How often the server is asked whether it lives. Twice without an answer, and the connection is lost.
const PING_INTERVAL: Duration = Duration::from_secs(2);

/// How long is waited before the connection is sought again, at most.
const RECONNECT_DELAY_MAX: Duration = Duration::from_secs(1);

pub(crate) async fn connect(
    settings: Settings,
    connections: watch::Sender<u64>,
) -> Result<Broker, ConnectError> {
    let Settings { addresses, credentials, also_trusted, prefix, replicas, message_bytes_max } =
        settings;
    let names = Names::new(&prefix).ok_or_else(|| {
        ConnectError::Settings(format!(
            "the prefix {prefix:?} is to be of 1 to 32 letters, digits and '-'"
        ))
    })?;
    if !(1..=5).contains(&replicas) {
        return Err(ConnectError::Settings(format!("{replicas} replicas; there may be 1 to 5")));
    }
    let parse = |address: &String| {
        let wrong = |error| ConnectError::Settings(format!("{address:?} is no address: {error}"));
        address.parse::<ServerAddr>().map_err(wrong)
    };
    let addresses = addresses.iter().map(parse).collect::<Result<Vec<_>, _>>()?;
    let mut options = ConnectOptions::new()
        .name("wskit")
        .connection_timeout(ANSWER_MAX)
        .request_timeout(Some(ANSWER_MAX))
        .ping_interval(PING_INTERVAL)
        .max_reconnects(None)
        .reconnect_delay_callback(|attempts| {
            let factor = 1 << attempts.min(8);
            (Duration::from_millis(10) * factor).min(RECONNECT_DELAY_MAX)
        })
        .event_callback(move |event| {
            if matches!(event, Event::Connected | Event::Disconnected | Event::SlowConsumer(_)) {
                connections.send_modify(|count| *count += 1);
            }
            async {}
        });
    if let Some(path) = credentials {
        let read = options.credentials_file(&path).await;
        options =
            read.map_err(|error| ConnectError::Settings(format!("{}: {error}", path.display())))?;
    }
    if let Some(path) = also_trusted {
        options = options.add_root_certificates(path);
    }
    let client = options.connect(addresses).await;
    let client = client.map_err(|error| ConnectError::Server(words(&error)))?;
    let (needed, taken) =
        (message_bytes_max.saturating_add(HEADERS_BYTES_MAX), client.max_payload());
    if message_bytes_max > 0 && taken < needed {
        return Err(ConnectError::Settings(format!(
            "the server takes messages of {taken} bytes, and there may be some of {needed}; set its max_payload to \
             that, or let messages be smaller"
        )));
    }
    let jetstream = ContextBuilder::new().timeout(ANSWER_MAX).build(client.clone());
    let broker = Broker { client, jetstream, names, replicas };
    // Whoever has no JetStream is to hear of it now.
    broker.count().await.map_err(|error| match error {
        Error::Failed(why) => ConnectError::Server(format!("{why} (is JetStream enabled there?)")),
        error => ConnectError::Server(error.to_string()),
    })?;
    Ok(broker)
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Settings(why) | Self::Server(why) => f.write_str(why),
            Self::Local(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ConnectError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Local(error) => Some(error),
            _ => None,
        }
    }
}
