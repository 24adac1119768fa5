//! The way to the server.

use std::fmt;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_nats::jetstream::context::ContextBuilder;
use async_nats::{AuthError, ConnectErrorKind, ConnectOptions, Event};
use tokio::sync::watch;
use wskit_store::Error;

use crate::addresses::{Addresses, without_user};
use crate::broker::{Broker, words};
use crate::file::read;
use crate::identity::Identity;
use crate::names::Names;

/// Where the server is, and how this node uses it.
#[derive(Clone)]
#[non_exhaustive]
pub struct Settings {
    /// Addresses of one server, or of several of one cluster: `nats://user:password@host:4222`, or `tls://…`. One that
    /// asks for TLS asks for it on all servers, also on those that the cluster tells of.
    pub addresses: Vec<String>,
    /// A file with what NATS calls credentials. This and the next two are read for each connection anew.
    pub credentials: Option<PathBuf>,
    /// A file with the seed of a key of NATS.
    pub nkey_file: Option<PathBuf>,
    /// A file with a token.
    pub token_file: Option<PathBuf>,
    /// A file with certificates of authorities, in PEM, that are trusted instead of those of the system.
    pub trusted: Option<PathBuf>,
    /// Files with a certificate that is shown to the server, and with its private key, in PEM.
    pub client_certificate: Option<(PathBuf, PathBuf)>,
    /// What the names of all streams and subjects begin with: nodes of the same prefix share their rooms.
    pub prefix: String,
    /// How many servers of the cluster keep each room; from 1 to 5.
    pub replicas: usize,
    /// The largest message that there will be, in bytes: a server that does not take it is refused. Smaller servers
    /// are found out message by message if this is 0.
    pub message_bytes_max: usize,
}

impl Settings {
    /// The addresses, fit to be shown: without who one is there.
    #[must_use]
    pub fn places(&self) -> Vec<String> {
        self.addresses.iter().map(|address| without_user(address)).collect()
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            addresses: vec!["nats://127.0.0.1:4222".into()],
            credentials: None,
            nkey_file: None,
            token_file: None,
            trusted: None,
            client_certificate: None,
            prefix: "wskit".into(),
            replicas: 1,
            message_bytes_max: 0,
        }
    }
}

/// Without secrets.
impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings").field("places", &self.places()).finish_non_exhaustive()
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
    /// Something failed on this machine, or a file cannot be read or has not in it what it should.
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
    let Settings { prefix, replicas, message_bytes_max, .. } = settings.clone();
    let names = Names::new(&prefix).ok_or_else(|| {
        ConnectError::Settings(format!(
            "the prefix {prefix:?} is to be of 1 to 32 letters, digits and '-'"
        ))
    })?;
    if !(1..=5).contains(&replicas) {
        return Err(ConnectError::Settings(format!("{replicas} replicas; there may be 1 to 5")));
    }
    let wrong = ConnectError::Settings;
    let Addresses { servers, users, are_secure } =
        Addresses::parse(&settings.addresses).map_err(wrong)?;
    let identity = Identity::of(&settings, users).map_err(wrong)?;
    // Who cannot be shown now is not worth an attempt.
    identity.show(b"").map_err(ConnectError::Local)?;
    let show = move |nonce: Vec<u8>| {
        let shown = identity.show(&nonce).map_err(AuthError::new);
        async { shown }
    };
    let mut options = ConnectOptions::with_auth_callback(show)
        .require_tls(are_secure)
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
    if let Some(path) = settings.trusted {
        check_pem(&path, "CERTIFICATE-----")?;
        options = options.add_root_certificates(path);
    }
    if let Some((certificate, key)) = settings.client_certificate {
        check_pem(&certificate, "CERTIFICATE-----")?;
        check_pem(&key, "PRIVATE KEY-----")?;
        options = options.add_client_certificate(certificate, key);
    }
    let client = options.connect(servers).await.map_err(|error| explain(&error))?;
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
        Error::Failed(why) => ConnectError::Server(format!(
            "{why} (is JetStream enabled there, and may this user use it?)"
        )),
        error => ConnectError::Server(error.to_string()),
    })?;
    Ok(broker)
}

/// There is to be something of this kind in a file, for TLS would say nothing of the file that it does not find it in.
fn check_pem(path: &Path, label: &str) -> Result<(), ConnectError> {
    let content = read(path).map_err(ConnectError::Local)?;
    let path = path.display();
    if !content.contains(label) {
        let label = label.trim_end_matches('-');
        let why = format!("{path}: there is no {label} in it");
        return Err(ConnectError::Local(io::Error::new(ErrorKind::InvalidData, why)));
    }
    // A pass phrase does not go away by itself.
    if content.contains("BEGIN ENCRYPTED") || content.contains("Proc-Type: 4,ENCRYPTED") {
        let why = "the private key is encrypted; decrypt it first, with openssl pkey";
        return Err(ConnectError::Settings(format!("{path}: {why}")));
    }
    Ok(())
}

fn explain(error: &async_nats::ConnectError) -> ConnectError {
    let advice = match error.kind() {
        ConnectErrorKind::AuthorizationViolation => {
            ": the user, the password, the token, the key or the credentials are wrong, or none are given"
        }
        // The server goes on in plain words where TLS begins.
        _ if words(error).contains("corrupt message") => " (has the server TLS?)",
        _ => "",
    };
    ConnectError::Server(format!("{}{advice}", words(error)))
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
