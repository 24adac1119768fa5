//! What all the servers on Tokio share: one thread, a listener, a task for each connection.

use futures_util::{Sink, Stream};
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::Poll;
use tokio::net::{TcpListener, TcpStream};

/// The longest message that servers take, in bytes, where they have a limit.
pub const MESSAGE_BYTES_MAX: usize = 64 << 20;

/// Listens on the address that is the program's first argument and runs `serve` for each connection.
pub fn run<F>(serve: impl Fn(TcpStream) -> F) -> io::Result<()>
where
    F: Future + 'static,
{
    run_listener(async |listener| {
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let served = serve(stream);
            tokio::task::spawn_local(async move {
                served.await;
            });
        }
    })
}

/// Listens on the address that is the program's first argument.
pub fn run_listener(serve: impl AsyncFnOnce(TcpListener) -> io::Result<()>) -> io::Result<()> {
    let address = std::env::args().nth(1).expect("the first argument is the address");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build_local(Default::default())?;
    runtime.block_on(async { serve(TcpListener::bind(address).await?).await })
}

/// Which compression the program's arguments ask for: "stateless", "contexts", or none.
pub fn compression() -> Option<String> {
    std::env::args().skip(2).find(|argument| argument == "stateless" || argument == "contexts")
}

/// Whether the program's arguments ask for little memory, where speed takes more.
pub fn is_lean() -> bool {
    is_asked("lean")
}

/// Whether the program's arguments ask to compress quickly rather than small.
pub fn is_quick() -> bool {
    is_asked("quick")
}

fn is_asked(word: &str) -> bool {
    std::env::args().skip(2).any(|argument| argument == word)
}

/// The next message; while there is none, sends what was fed.
pub async fn next_or_flush<S, M>(socket: &mut S) -> Option<S::Item>
where
    S: Stream + Sink<M> + Unpin,
{
    let mut flushed = false;
    poll_fn(|context| {
        if let Poll::Ready(next) = Pin::new(&mut *socket).poll_next(context) {
            return Poll::Ready(next);
        }
        if !flushed {
            match Pin::new(&mut *socket).poll_flush(context) {
                Poll::Ready(Ok(())) => flushed = true,
                Poll::Ready(Err(_)) => return Poll::Ready(None),
                Poll::Pending => {}
            }
        }
        Poll::Pending
    })
    .await
}

/// Of messages that are there at a time, at most so many are taken before any is sent back.
const BATCH_MAX: usize = 64;

/// Waits for a message and gives it with those that are there too; false at the end. For those whose reading sends what
/// was fed.
pub async fn next_batch<S: Stream + Unpin>(socket: &mut S, batch: &mut Vec<S::Item>) -> bool {
    poll_fn(|context| {
        while batch.len() < BATCH_MAX {
            match Pin::new(&mut *socket).poll_next(context) {
                Poll::Ready(Some(next)) => batch.push(next),
                Poll::Ready(None) => return Poll::Ready(!batch.is_empty()),
                Poll::Pending if batch.is_empty() => return Poll::Pending,
                Poll::Pending => break,
            }
        }
        Poll::Ready(true)
    })
    .await
}
