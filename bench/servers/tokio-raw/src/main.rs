//! The runtime's share: bytes back over bare TCP, with Tokio and one buffer for all connections.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::task::{Poll, ready};
use tokio::io::{AsyncRead, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;

const BUFFER_BYTES: usize = 64 << 10;

thread_local! {
    static BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; BUFFER_BYTES]);
}

fn main() -> io::Result<()> {
    bench_serve::run(echo)
}

async fn echo(mut stream: TcpStream) -> io::Result<()> {
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
