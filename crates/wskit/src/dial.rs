//! Connecting to a host by name, to all its addresses happily in parallel (RFC 8305), or to a
//! Unix-domain socket.

use crate::timings::{Timings, timed};
use std::{collections::VecDeque, io, net::SocketAddr, time::Duration};
use tokio::{net::TcpStream, task::JoinSet, time::timeout};

/// How long one address is tried alone before the next one joins.
const HEAD_START: Duration = Duration::from_millis(250);

/// Connects to the first address of the host that answers.
pub(crate) async fn dial(host: &str, port: u16, timings: &mut Timings) -> io::Result<TcpStream> {
    let addresses = timed(&mut timings.lookup, look_up(host, port)).await?;
    let stream = timed(&mut timings.connect, connect_first(addresses)).await?;
    // Messages are written whole, so waiting for more only delays them.
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Connects to a Unix-domain socket.
#[cfg(unix)]
pub(crate) async fn unix(path: &std::path::Path) -> io::Result<tokio::net::UnixStream> {
    let connected = tokio::net::UnixStream::connect(path).await;
    connected.map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))
}

/// The addresses of the host, in the order in which they are to be tried.
pub(crate) async fn look_up(host: &str, port: u16) -> io::Result<VecDeque<SocketAddr>> {
    let found = tokio::net::lookup_host((host, port)).await;
    let found = found.map_err(|error| io::Error::new(error.kind(), format!("{host}: {error}")))?;
    Ok(interleave(found.collect()))
}

async fn connect_first(mut waiting: VecDeque<SocketAddr>) -> io::Result<TcpStream> {
    let mut attempts = JoinSet::new();
    let mut error = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    loop {
        if let Some(address) = waiting.pop_front() {
            attempts.spawn(async move {
                let connected = TcpStream::connect(address).await;
                connected
                    .map_err(|error| io::Error::new(error.kind(), format!("{address}: {error}")))
            });
        } else if attempts.is_empty() {
            return Err(error);
        }
        let patience = if waiting.is_empty() { Duration::MAX } else { HEAD_START };
        // Dropping the other attempts ends them.
        match timeout(patience, attempts.join_next()).await {
            Ok(Some(Ok(Ok(stream)))) => return Ok(stream),
            Ok(Some(Ok(Err(failed)))) => error = failed,
            Ok(Some(Err(panicked))) => error = io::Error::other(panicked),
            Ok(None) | Err(_) => {}
        }
    }
}

/// Alternates between the families, beginning with that of the first address (RFC 8305 §4).
fn interleave(addresses: Vec<SocketAddr>) -> VecDeque<SocketAddr> {
    let Some(first) = addresses.first().map(SocketAddr::is_ipv6) else { return VecDeque::new() };
    let (preferred, other): (Vec<_>, Vec<_>) =
        addresses.into_iter().partition(|address| address.is_ipv6() == first);
    let (mut preferred, mut other) = (preferred.into_iter(), other.into_iter());
    let mut order = VecDeque::new();
    loop {
        let pair = [preferred.next(), other.next()];
        if pair == [None, None] {
            return order;
        }
        order.extend(pair.into_iter().flatten());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    #[test]
    fn families_alternate() {
        let parse = |text: &str| text.parse::<SocketAddr>().unwrap();
        let [a, b, c, d] = ["[::1]:1", "[::2]:1", "1.1.1.1:1", "[::3]:1"].map(parse);
        assert_eq!(interleave(vec![a, b, c, d]), [a, c, b, d]);
    }

    #[tokio::test]
    async fn an_address_that_refuses_does_not_stop_the_next() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        // Nobody listens there, and nobody is given that port.
        let refusing = SocketAddr::from(([127, 0, 0, 1], 9));
        let good = listener.local_addr().unwrap();
        let stream = connect_first([refusing, good].into()).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), good);
        let error = connect_first([refusing].into()).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    }

    #[tokio::test(start_paused = true)]
    async fn an_address_that_does_not_answer_does_not_stop_the_next() {
        // A listener whose queue is full does not answer.
        let full = tokio::net::TcpSocket::new_v4().unwrap();
        full.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let full = full.listen(1).unwrap();
        let silent = full.local_addr().unwrap();
        let mut filling = JoinSet::new();
        (0..8).for_each(|_| drop(filling.spawn(TcpStream::connect(silent))));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let good = listener.local_addr().unwrap();
        let stream = connect_first([silent, good].into()).await.unwrap();
        assert!([silent, good].contains(&stream.peer_addr().unwrap()));
    }
}
