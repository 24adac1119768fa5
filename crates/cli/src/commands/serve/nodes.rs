//! One of many nodes, which share their rooms on a NATS server.

use super::clock::Clock;
use super::keeping::{Kept, Neighbours};
use crate::failure::{Failure, Kind};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::MissedTickBehavior;
use wskit_hub::Hub;
use wskit_nats::{ConnectError, Exchange, Nats, Settings};
use wskit_store::Bounds;

/// Which NATS server keeps the rooms, and how.
#[derive(clap::Args)]
#[command(next_help_heading = "Many nodes")]
pub(super) struct NatsArguments {
    /// Be one of many nodes: the NATS server that keeps the rooms of all, or several of one cluster
    /// with commas between, such as `nats://user:password@host:4222`
    #[arg(long, value_name = "URL", value_delimiter = ',', conflicts_with_all = ["data", "ephemeral"])]
    nats: Vec<String>,

    /// A file with NATS credentials (.creds): who this node is to the NATS server
    #[arg(long, value_name = "FILE", requires = "nats", conflicts_with_all = ["nats_nkey_file", "nats_token_file"])]
    nats_credentials: Option<PathBuf>,

    /// A file with the seed of a NATS user's key, instead of credentials
    #[arg(long, value_name = "FILE", requires = "nats", conflicts_with_all = ["nats_credentials", "nats_token_file"])]
    nats_nkey_file: Option<PathBuf>,

    /// A file with the token that the NATS server wants, instead of credentials
    #[arg(long, value_name = "FILE", requires = "nats", conflicts_with_all = ["nats_credentials", "nats_nkey_file"])]
    nats_token_file: Option<PathBuf>,

    /// Trust the authorities in this PEM file, instead of those of the system, with NATS servers that have TLS
    #[arg(long, value_name = "FILE", requires = "nats")]
    nats_ca_cert: Option<PathBuf>,

    /// Show NATS servers that ask for it the certificate in this PEM file
    #[arg(long, value_name = "FILE", requires_all = ["nats", "nats_client_key"])]
    nats_client_cert: Option<PathBuf>,

    /// The private key of the certificate that NATS servers are shown, in PEM
    #[arg(long, value_name = "FILE", requires = "nats_client_cert")]
    nats_client_key: Option<PathBuf>,

    /// What all names on the NATS server begin with; nodes with the same share their rooms
    #[arg(long, value_name = "NAME", default_value = "wskit", requires = "nats")]
    nats_prefix: String,

    /// How many servers of a NATS cluster keep each room
    #[arg(long, value_name = "N", default_value_t = 1, requires = "nats", value_parser = clap::value_parser!(u8).range(1..=5))]
    nats_replicas: u8,
}

/// How soon other nodes are told who came and went.
const TICK: Duration = Duration::from_millis(100);

impl NatsArguments {
    /// Whether this is to be one of many nodes.
    pub(super) fn are_given(&self) -> bool {
        !self.nats.is_empty()
    }

    /// Connects to the server.
    pub(super) fn connect(
        &self,
        bounds: Bounds,
        message_bytes_max: usize,
    ) -> Result<Kept, Failure> {
        let mut settings = Settings::default();
        settings.addresses.clone_from(&self.nats);
        settings.credentials.clone_from(&self.nats_credentials);
        settings.nkey_file.clone_from(&self.nats_nkey_file);
        settings.token_file.clone_from(&self.nats_token_file);
        settings.trusted.clone_from(&self.nats_ca_cert);
        settings.client_certificate =
            self.nats_client_cert.clone().zip(self.nats_client_key.clone());
        settings.prefix.clone_from(&self.nats_prefix);
        settings.replicas = self.nats_replicas.into();
        settings.message_bytes_max = message_bytes_max;
        let places = settings.places().join(", ");
        let nats = Nats::connect(settings, bounds).map_err(|error| explain(&error, &places))?;
        let place = format!("shares its rooms with other nodes on {places}");
        let words = nats.exchange();
        let neighbours: Neighbours = Box::new(|hub, clock| Box::pin(exchange(words, hub, clock)));
        Ok(Kept { store: Arc::new(nats), place, neighbours: Some(neighbours) })
    }
}

/// Tells other nodes who is here, and hears it from them.
async fn exchange(mut words: Exchange, hub: Hub, clock: Clock) {
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            heard = words.next() => hub.hear(&heard, clock.now()),
            _ = ticks.tick() => {
                for news in hub.news(clock.now()) {
                    words.tell(news).await;
                }
            }
        }
    }
}

/// Why there is no connection to any of these places.
fn explain(error: &ConnectError, places: &str) -> Failure {
    match error {
        ConnectError::Settings(why) => Failure::new(Kind::Usage, format_args!("--nats: {why}")),
        ConnectError::Local(error) => Failure::new(Kind::Local, error),
        error => Failure::new(
            Kind::Connect,
            format_args!("{places}: {error}; start the NATS server, or name another with --nats"),
        ),
    }
}
