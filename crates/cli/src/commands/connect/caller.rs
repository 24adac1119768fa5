//! Who makes the connections, and makes them again if that is wanted.

use super::inspection;
use super::interrupt::{self, Interrupt};
use super::screen::Screen;
use crate::failure::{Failure, Kind};
use crate::printable::printable;
use crate::trust;
use wskit::reconnect::{Ended, Retries};
use wskit::{Client, ClientStream, Error, Timings, WebSocket};

/// Makes connections.
pub(super) struct Caller {
    pub(super) client: Client,
    pub(super) url: String,
    /// Whether and when to connect again; `None` if never.
    pub(super) retries: Option<Retries>,
    /// How long the steps to the latest connection took.
    pub(super) timings: Timings,
}

impl Caller {
    /// Connects, after a pause if a connection has ended before.
    pub(super) async fn connect(
        &mut self,
        mut ended: Option<Ended>,
        interrupt: &mut Interrupt,
        screen: &Screen,
    ) -> Result<WebSocket<ClientStream>, Failure> {
        loop {
            if let Some(why) = ended.take() {
                self.wait(why, interrupt, screen).await?;
            }
            let connected = tokio::select! {
                connected = self.client.connect_timed(&mut self.timings) => connected,
                () = interrupt.received() => interrupt::leave(),
            };
            match connected {
                Ok(socket) => {
                    if let Some(retries) = &mut self.retries {
                        retries.opened();
                    }
                    screen.connected(&self.url, &self.client, &socket)?;
                    return Ok(socket);
                }
                Err(error) => ended = Some(Ended::Failed(error)),
            }
        }
    }

    /// Waits until it is time to try again, or fails if there is to be no other try.
    async fn wait(
        &mut self,
        ended: Ended,
        interrupt: &mut Interrupt,
        screen: &Screen,
    ) -> Result<(), Failure> {
        let pause = self.retries.as_mut().and_then(|retries| retries.pause(&ended));
        let Some(pause) = pause else { return Err(Caller::explain(ended)) };
        screen.waiting(&ended, pause);
        tokio::select! {
            () = tokio::time::sleep(pause) => Ok(()),
            () = interrupt.received() => Err(Failure::silent(Kind::Interrupted)),
        }
    }

    fn explain(ended: Ended) -> Failure {
        let shown = |error: &Error| printable(&error.to_string());
        match ended {
            Ended::Closed(_) => Failure::new(Kind::Connection, printable(&ended.to_string())),
            Ended::Failed(
                error @ (Error::Handshake(_)
                | Error::Opening(_)
                | Error::OpeningTimeout(_)
                | Error::Http2Unavailable(_)),
            ) => {
                let why = format_args!("{}; to see why: {}", shown(&error), inspection::line());
                Failure::new(Kind::Handshake, why)
            }
            // It shows what the peer says.
            Ended::Failed(error @ Error::Redirect { .. }) => {
                Failure::new(Kind::Handshake, shown(&error))
            }
            Ended::Failed(Error::Tls(error)) => {
                let remedy = trust::remedy(&error).map(|remedy| format!(" ({remedy})"));
                let (what, remedy) = (shown(&Error::Tls(error)), remedy.unwrap_or_default());
                let why = format_args!("{what}{remedy}; to see more: {}", inspection::line());
                Failure::new(Kind::Connect, why)
            }
            Ended::Failed(error) => error.into(),
        }
    }
}
