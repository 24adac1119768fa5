//! As soketto documents a server, with the longest buffers of its own examples, but sends when there is nothing more to
//! read.

use soketto::Data;
use soketto::connection::Error;
use soketto::handshake::{Server, server::Response};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use tokio::io::BufStream;
use tokio::net::TcpStream;
use tokio_util::compat::TokioAsyncReadCompatExt;

const BUFFER_BYTES: usize = 64 << 10;

fn main() -> std::io::Result<()> {
    bench_serve::run(echo)
}

async fn echo(stream: TcpStream) -> Result<(), Box<dyn std::error::Error>> {
    let stream = if bench_serve::is_lean() {
        BufStream::new(stream)
    } else {
        BufStream::with_capacity(BUFFER_BYTES, BUFFER_BYTES, stream)
    };
    let mut server = Server::new(stream.compat());
    let key = server.receive_request().await?.key();
    server.send_response(&Response::Accept { key, protocol: None }).await?;
    let mut builder = server.into_builder();
    builder.set_max_message_size(bench_serve::MESSAGE_BYTES_MAX);
    builder.set_max_frame_size(bench_serve::MESSAGE_BYTES_MAX);
    let (mut sender, mut receiver) = builder.finish();
    let mut message = Vec::new();
    loop {
        message.clear();
        let kind = {
            let mut receiving = pin!(receiver.receive_data(&mut message));
            let ready = poll_fn(|context| match receiving.as_mut().poll(context) {
                Poll::Ready(kind) => Poll::Ready(Some(kind)),
                Poll::Pending => Poll::Ready(None),
            });
            match ready.await {
                Some(kind) => kind,
                None => {
                    sender.flush().await?;
                    receiving.await
                }
            }
        };
        match kind {
            Ok(Data::Text(_)) => sender.send_text(std::str::from_utf8(&message)?).await?,
            Ok(Data::Binary(_)) => sender.send_binary(&message).await?,
            Err(Error::Closed) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}
