//! `wskit serve`

mod chat;
mod clock;
mod counters;
mod health;
mod keeping;
#[cfg(feature = "nats")]
mod nodes;
mod page;
mod programs;
mod session;

use crate::accepting::{accept, converse};
use crate::failure::Failure;
use crate::listener::Address;
use crate::listening::Listening;
use crate::log::LogArguments;
use clock::Clock;
use counters::Counters;
use health::Health;
use keeping::{Keeping, Kept, Neighbours};
use programs::{ProgramArguments, Programs};
use session::Session;
use std::sync::Arc;
use std::time::Duration;
use wskit_hub::{Hub, Limits};

/// Runs a chat: a page at /, and rooms at /chat/ROOM for any WebSocket client.
#[derive(clap::Args)]
pub(crate) struct Serve {
    #[command(flatten)]
    listening: Listening,

    #[command(flatten)]
    keeping: Keeping,

    #[command(flatten)]
    programs: ProgramArguments,

    #[command(flatten)]
    log: LogArguments,

    /// How many messages a second a member may send for long; four times as many at once
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    messages_per_second: u32,
}

/// How often is looked for messages that are too old.
const SWEEP_INTERVAL: Duration = Duration::from_secs(60);

impl Serve {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        self.log.begin();
        let mut limits = Limits::default();
        limits.messages_per_second_max = self.messages_per_second;
        limits.messages_burst_max = 4 * self.messages_per_second;
        let server = self.listening.server(limits.incoming_bytes_max() as u64)?;
        let clock = Clock::start();
        let Kept { store, place, neighbours } = self.keeping.open()?;
        let hub = Hub::with_store(limits, clock.entropy(), store);
        let counters = Arc::new(Counters::default());
        let health = Health { hub: hub.clone(), draining: self.listening.draining() };
        let refusals = self.listening.refusals();
        let programs = self.programs.listen(health.clone(), counters.clone(), refusals, clock)?;
        let also = programs.as_ref().map(|programs| format!("\nwskit serve {}", programs.place()));
        let also = also.unwrap_or_default();
        let announce = |s: &str, at: &Address| {
            let url = at.url(&format!("http{s}"));
            format!("wskit serve listens on {url}\nwskit serve {place}{also}")
        };
        let work = work(hub.clone(), clock, programs, neighbours);
        self.listening.run(&server, announce, work, move |request, visitor, shutdown| {
            let (hub, health, counters) = (hub.clone(), health.clone(), counters.clone());
            let opening = Box::pin(async move {
                let Some(visit) = chat::visit(request.request()) else {
                    page::answer(request, &health).await;
                    return None;
                };
                Some((accept(request, &visitor).await?, visit, visitor))
            });
            async move {
                let Some((socket, visit, visitor)) = opening.await else { return };
                converse(socket, shutdown, async |socket| {
                    let session = Session::open(&counters, visitor.address, &visit.room, None);
                    chat::converse(socket, &hub, &visit, clock, session).await
                })
                .await;
            }
        })
    }
}

/// Delivers what is kept, lets go of what is too old, answers programs, and exchanges with other nodes who is here.
async fn work(hub: Hub, clock: Clock, programs: Option<Programs>, neighbours: Option<Neighbours>) {
    let sweep = async {
        loop {
            hub.expire(clock.now());
            tokio::time::sleep(SWEEP_INTERVAL).await;
        }
    };
    let programs = async {
        if let Some(programs) = programs {
            programs.run().await;
        }
    };
    let neighbours = async {
        if let Some(neighbours) = neighbours {
            neighbours(hub.clone(), clock).await;
        }
    };
    tokio::join!(hub.run(), sweep, programs, neighbours);
}
