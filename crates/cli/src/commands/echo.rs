//! `wskit echo`

use crate::accepting::{Service, Stream, accept, converse};
use crate::entrance::{ServedPlace, Visitor};
use crate::failure::Failure;
use crate::listening::Listening;
use crate::shutdown::Shutdown;
use wskit::{Error, PendingRequest, WebSocket};

/// Run a server that sends every message back, on any path.
#[derive(clap::Args)]
#[command(after_long_help = AFTER_HELP)]
pub(crate) struct Echo {
    /// The longest message, in bytes; a longer one closes the connection with 1009
    #[arg(long, value_name = "BYTES", default_value_t = 64 << 20)]
    max_message: u64,

    #[command(flatten)]
    listening: Listening,
}

const AFTER_HELP: &str = "\
Examples:
  wskit echo
  wskit echo --listen 0.0.0.0:9001 --origin any
  wskit echo --tls-cert chain.pem --tls-key key.pem

Exit codes:
  0  stopped by SIGTERM or Ctrl-C
  1  something failed on this machine, a file cannot be read, or the certificate and its key are
     not whole or do not belong together: a later start may go well
  2  the command line is wrong, or the key is encrypted
  6  the address cannot be listened on";

impl Echo {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let server = self.listening.server(self.max_message)?;
        self.listening.run(
            &server,
            |s, address| format!("wskit echo listens on {}", address.url(&format!("ws{s}"))),
            std::future::pending(),
            Echoing,
        )
    }
}

/// Accepts every WebSocket, and sends back what it brings.
struct Echoing;

impl Service for Echoing {
    type Opened = (WebSocket<Stream>, ServedPlace);

    async fn open(
        &self,
        request: PendingRequest<Stream>,
        visitor: Visitor,
    ) -> Option<Self::Opened> {
        let socket = accept(request, &visitor).await?;
        Some((socket, visitor.served))
    }

    #[expect(clippy::manual_async_fn, reason = "an async one would hold its arguments twice")]
    fn converse(
        &self,
        mut opened: Self::Opened,
        mut shutdown: Shutdown,
    ) -> impl Future<Output = ()> + Send {
        async move {
            let (socket, _place) = &mut opened;
            converse(socket, &mut shutdown, echo).await;
        }
    }
}

async fn echo(socket: &mut WebSocket<Stream>) -> Result<(), Error> {
    loop {
        // Not `while let`, which would keep room for the message twice in each connection's task.
        let Some(message) = socket.recv().await.transpose()? else { return Ok(()) };
        socket.feed(message).await?;
    }
}
