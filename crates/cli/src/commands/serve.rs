//! `wskit serve`

mod chat;
mod clock;
mod page;

use crate::accepting::converse;
use crate::failure::Failure;
use crate::listening::Listening;
use clock::Clock;
use std::time::Duration;
use wskit_hub::{Hub, Limits};

/// Runs a chat: a page at /, and rooms at /chat/ROOM for any WebSocket client.
#[derive(clap::Args)]
pub(crate) struct Serve {
    #[command(flatten)]
    listening: Listening,
}

/// How often rooms are looked at that nobody is in.
const SWEEP_INTERVAL: Duration = Duration::from_secs(60);

impl Serve {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let limits = Limits::default();
        let server = self.listening.server(limits.incoming_bytes_max() as u64)?;
        let clock = Clock::start();
        let hub = Hub::new(limits, clock.entropy());
        let announce = |s: &str, address| format!("wskit serve listens on http{s}://{address}/");
        let sweep = sweep(hub.clone(), clock);
        self.listening.run(&server, announce, sweep, move |request, shutdown| {
            let hub = hub.clone();
            async move {
                let Some(visit) = chat::Visit::to(request.request()) else {
                    return page::answer(request).await;
                };
                let Ok(offer) = request.into_offer().await else { return };
                let Ok(socket) = offer.accept().await else { return };
                converse(socket, shutdown, async |socket| {
                    chat::converse(socket, &hub, &visit, clock).await
                })
                .await;
            }
        })
    }
}

/// Forgets, from time to time, the rooms that have been empty for long.
async fn sweep(hub: Hub, clock: Clock) {
    loop {
        tokio::time::sleep(SWEEP_INTERVAL).await;
        hub.forget_empty_rooms(clock.now());
    }
}
