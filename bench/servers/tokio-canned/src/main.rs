//! The runtime's share of opening handshakes: what canned does, with Tokio and a task for each connection.

use canned::{BUFFER_BYTES, CLOSE, UPGRADED};
use std::future::poll_fn;
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Poll, ready};
use tokio::io::{AsyncRead, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;

fn main() -> io::Result<()> {
    bench_serve::run(answer)
}

async fn answer(mut stream: TcpStream) -> io::Result<()> {
    for answer in [UPGRADED, CLOSE] {
        if read(&mut stream).await? == 0 {
            break;
        }
        stream.write_all(answer).await?;
    }
    Ok(())
}

/// Reads what has arrived, into a buffer that is no part of the task.
async fn read(stream: &mut TcpStream) -> io::Result<usize> {
    poll_fn(|context| {
        let mut buffer = [const { MaybeUninit::uninit() }; BUFFER_BYTES];
        let mut read = ReadBuf::uninit(&mut buffer);
        ready!(Pin::new(&mut *stream).poll_read(context, &mut read))?;
        Poll::Ready(Ok(read.filled().len()))
    })
    .await
}
