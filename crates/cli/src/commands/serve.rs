//! `wskit serve`

mod chat;
mod clock;
mod counters;
mod health;
mod keeping;
mod limits;
mod line;
#[cfg(feature = "nats")]
mod nodes;
mod page;
mod postmen;
mod programs;
mod session;
mod tokens;
mod traffic;
mod turning_away;

use crate::accepting::{Service, Stream, accept, converse};
use crate::entrance::Visitor;
use crate::failure::Failure;
use crate::listener::Address;
use crate::listening::Listening;
use crate::log::LogArguments;
use crate::shutdown::Shutdown;
use clock::Clock;
use counters::Counters;
use health::Health;
use keeping::{Keeping, Kept, Neighbours};
use limits::LimitArguments;
use line::Line;
use postmen::Postmen;
use programs::{ProgramArguments, Programs};
use session::Session;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokens::{Admitted, Gate, TokenArguments};
use tokio::runtime::Handle;
use turning_away::turn_away;
use wskit::{PendingRequest, WebSocket};
use wskit_hub::Hub;

/// Run a chat: a page at /, and rooms at /chat/ROOM for any WebSocket client.
///
/// Each flag is also a setting in the --config file, under its name, and a variable of the environment, such as
/// WSKIT_LISTEN for --listen. Flags go before variables, and these before the file.
#[derive(clap::Args)]
#[command(after_long_help = AFTER_HELP)]
pub(crate) struct Serve {
    /// A file of settings, as TOML
    #[arg(long, value_name = "FILE")]
    // It is read before the command line is.
    config: Option<PathBuf>,

    #[command(flatten)]
    listening: Listening,

    #[command(flatten)]
    keeping: Keeping,

    #[command(flatten)]
    programs: ProgramArguments,

    #[command(flatten)]
    log: LogArguments,

    #[command(flatten)]
    limits: LimitArguments,

    #[command(flatten)]
    tokens: TokenArguments,
}

const AFTER_HELP: &str = "\
Examples:
  wskit serve
  wskit serve --ephemeral --tls-self-signed
  wskit serve --listen 0.0.0.0:8080 --data /var/lib/wskit
  wskit serve --listen unix:/run/wskit/chat.sock --unix-mode 660 --trusted-proxy unix
  wskit serve --config /etc/wskit/wskit.toml

Exit codes:
  0  stopped by SIGTERM or Ctrl-C
  1  something failed on this machine, a file cannot be read, a certificate and its key are not
     whole or do not belong together, or NATS credentials are not whole: a later start may go well
  2  the command line or a setting is wrong, or what is in another file that it names, or a key is
     encrypted
  3  no connection to the NATS server
  6  the address cannot be listened on
  7  the data directory cannot be used";

/// What members speak.
const SUBPROTOCOL: &str = "wskit.chat";

/// How often is looked for messages that are too old.
const SWEEP_INTERVAL: Duration = Duration::from_secs(60);

/// How often members of large rooms are told how many came and went.
const GATHERING_INTERVAL: Duration = Duration::from_secs(1);

impl Serve {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let _log = self.log.begin()?;
        let limits = self.limits.limits();
        let incoming_bytes_max = limits.incoming_bytes_max();
        let server = self.listening.server(incoming_bytes_max as u64)?;
        // Pages offer it to bring a token along, and browsers want one of those that they offer to be chosen.
        let server = server.subprotocol(SUBPROTOCOL)?;
        let gate = Arc::new(self.tokens.gate()?);
        let clock = Clock::start();
        let Kept { store, place, neighbours } = self.keeping.open(incoming_bytes_max)?;
        let hub = Hub::with_store(limits, clock.entropy(), store);
        let counters = Arc::new(Counters::with(self.listening.refusals()));
        let health = Health { hub: hub.clone(), draining: self.listening.draining() };
        let programs = self.programs.listen(health.clone(), counters.clone(), clock)?;
        let also = programs.as_ref().map(|programs| format!("\nwskit serve {}", programs.place()));
        let also = also.unwrap_or_default();
        let announce = |s: &str, at: &Address| {
            let url = at.url(&format!("http{s}"));
            format!("wskit serve listens on {url}\nwskit serve {place}{also}")
        };
        let postmen = Arc::<Postmen>::default();
        let work = work(hub.clone(), postmen.clone(), clock, programs, neighbours);
        let keys = gate.look_after_keys();
        let work = async { tokio::join!(work, keys).0 };
        let chat = Chat { hub, health, counters, gate, postmen, clock };
        self.listening.run(&server, announce, work, chat)
    }
}

/// Answers with the page and with the state of the server, and lets members into rooms.
struct Chat {
    hub: Hub,
    health: Health,
    counters: Arc<Counters>,
    gate: Arc<Gate>,
    postmen: Arc<Postmen>,
    clock: Clock,
}

impl Service for Chat {
    type Opened = (WebSocket<Stream>, Admitted, Box<Visitor>);

    async fn open(
        &self,
        request: PendingRequest<Stream>,
        visitor: Visitor,
    ) -> Option<Self::Opened> {
        let Some(mut visit) = chat::visit(request.request()) else {
            page::answer(request, &self.health, &visitor).await;
            return None;
        };
        visit.place = visitor.place();
        match self.gate.admit(request.request(), visit) {
            Ok(admitted) => {
                let socket = accept(request, &visitor).await?;
                Some((socket, admitted, Box::new(visitor)))
            }
            Err(denial) => {
                turn_away(request, denial, &visitor).await;
                None
            }
        }
    }

    fn converse(
        &self,
        (socket, admitted, visitor): Self::Opened,
        mut shutdown: Shutdown,
    ) -> impl Future<Output = ()> + Send {
        let mut line = Arc::new(Line::new(socket, self.postmen.clone(), self.counters.clone()));
        async move {
            converse(&mut line, &mut shutdown, async |line| {
                let session = Session::open(&self.counters, visitor.address, &admitted.visit);
                chat::converse(line, &self.hub, &admitted, self.clock, session).await
            })
            .await;
        }
    }
}

/// Delivers what is kept, lets go of what is too old, tells large rooms who came, answers programs, and exchanges with
/// other nodes who is here.
async fn work(
    hub: Hub,
    postmen: Arc<Postmen>,
    clock: Clock,
    programs: Option<Programs>,
    neighbours: Option<Neighbours>,
) {
    for _ in 0..Handle::current().metrics().num_workers() {
        let postmen = postmen.clone();
        tokio::spawn(async move { postmen.work().await });
    }
    let sweep = async {
        loop {
            hub.expire(clock.now());
            tokio::time::sleep(SWEEP_INTERVAL).await;
        }
    };
    let gather = async {
        loop {
            tokio::time::sleep(GATHERING_INTERVAL).await;
            hub.tell_gathered();
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
    tokio::join!(hub.run(), sweep, gather, programs, neighbours);
}
