//! The runtime's share: bytes back over bare TCP, with Tokio and one buffer for all connections; and, if the second
//! argument is "timer", with a timer for each.

use std::cell::RefCell;
use std::env;
use std::future::poll_fn;
use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::task::{Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::sleep;

const BUFFER_BYTES: usize = 64 << 10;

thread_local! {
    static BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; BUFFER_BYTES]);
}

/// A server that watches over its peers has a deadline for each; while messages flow it does not come.
const FAR_OFF: Duration = Duration::from_secs(20);

fn main() -> io::Result<()> {
    let has_timer = env::args().nth(2).as_deref() == Some("timer");
    bench_serve::run(move |stream| echo(stream, has_timer))
}

async fn echo(mut stream: TcpStream, has_timer: bool) -> io::Result<()> {
    let mut timer = has_timer.then(|| Box::pin(sleep(FAR_OFF)));
    if let Some(timer) = &mut timer {
        // It is set when it is first asked.
        poll_fn(|context| Poll::Ready(timer.as_mut().poll(context).is_ready())).await;
    }
    while let Some(unsent) = echo_once(&mut stream).await? {
        if !unsent.is_empty() {
            stream.write_all(&unsent).await?;
        }
    }
    Ok(())
}

/// Sends back what has arrived; gives what could not be written, or nothing at the end.
async fn echo_once(stream: &mut TcpStream) -> io::Result<Option<Vec<u8>>> {
    poll_fn(|context| {
        BUFFER.with_borrow_mut(|buffer| {
            let mut read = ReadBuf::new(buffer);
            ready!(Pin::new(&mut *stream).poll_read(context, &mut read))?;
            let read = read.filled();
            if read.is_empty() {
                return Poll::Ready(Ok(None));
            }
            let written = match stream.try_write(read) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => 0,
                outcome => outcome?,
            };
            Poll::Ready(Ok(Some(read[written..].to_vec())))
        })
    })
    .await
}
