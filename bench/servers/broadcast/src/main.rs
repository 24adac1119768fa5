//! What everybody writes first: what anyone says goes through the broadcast channel of the room, which is named by the
//! target, to the tasks of all readers. Each sends when nothing more waits in the channel.

use futures_util::{SinkExt, StreamExt};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use tokio::net::TcpStream;
use tokio::sync::broadcast::{Sender, channel};
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::tungstenite::{Error, Message};

/// How many messages may wait in a channel.
const WAITING_MAX: usize = 1024;

type Rooms = Rc<RefCell<HashMap<String, Sender<Message>>>>;

fn main() -> std::io::Result<()> {
    let rooms = Rooms::default();
    bench_serve::run(move |stream| serve(stream, rooms.clone()))
}

async fn serve(stream: TcpStream, rooms: Rooms) -> Result<(), Error> {
    let mut room = String::new();
    #[expect(clippy::result_large_err, reason = "the interface asks for it")]
    let look = |request: &Request, response: Response| {
        room = request.uri().path().to_owned();
        Ok(response)
    };
    let mut socket = tokio_tungstenite::accept_hdr_async(stream, look).await?;
    let said = rooms.borrow_mut().entry(room).or_insert_with(|| channel(WAITING_MAX).0).clone();
    let mut heard = said.subscribe();
    loop {
        tokio::select! {
            message = socket.next() => {
                let Some(message) = message else { return Ok(()) };
                let message = message?;
                if message.is_text() {
                    let _ = said.send(message);
                }
            }
            Ok(message) = heard.recv() => {
                socket.feed(message).await?;
                while let Ok(message) = heard.try_recv() {
                    socket.feed(message).await?;
                }
                socket.flush().await?;
            }
        }
    }
}
