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
pub(super) struct NatsArguments {
    /// Be one of many nodes: the NATS server that keeps the rooms of all, or several of one cluster
    /// with commas between, such as `nats://user:password@host:4222`
    #[arg(long, value_name = "URL", value_delimiter = ',', conflicts_with_all = ["data", "ephemeral"])]
    nats: Vec<String>,

    /// A file with NATS credentials
    #[arg(long, value_name = "FILE", requires = "nats")]
    nats_credentials: Option<PathBuf>,

    /// Also trust the authorities in this PEM file when the NATS server is asked for by `tls://`
    #[arg(long, value_name = "FILE", requires = "nats")]
    nats_ca_cert: Option<PathBuf>,

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
        settings.also_trusted.clone_from(&self.nats_ca_cert);
        settings.prefix.clone_from(&self.nats_prefix);
        settings.replicas = self.nats_replicas.into();
        settings.message_bytes_max = message_bytes_max;
        let nats = Nats::connect(settings, bounds).map_err(|error| explain(&error))?;
        let hosts: Vec<_> = self.nats.iter().map(|url| without_password(url)).collect();
        let place = format!("shares its rooms with other nodes on {}", hosts.join(", "));
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

fn explain(error: &ConnectError) -> Failure {
    match error {
        ConnectError::Settings(why) => Failure::new(Kind::Usage, format_args!("--nats: {why}")),
        ConnectError::Local(error) => Failure::new(Kind::Local, error),
        error => Failure::new(
            Kind::Connect,
            format_args!("{error}; start the NATS server, or name another with --nats"),
        ),
    }
}

/// The URL without who one is there.
fn without_password(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("nats", url));
    let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    format!("{scheme}://{host}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_not_printed() {
        assert_eq!(without_password("nats://ann:a@b@host:4222"), "nats://host:4222");
        assert_eq!(without_password("host"), "nats://host");
    }
}
