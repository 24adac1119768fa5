//! Where a server listens: on a TCP port or on a Unix-domain socket.

use crate::failure::{Failure, Kind};
use crate::forwarded::Peer;
#[cfg(unix)]
use crate::unix_socket::UnixSocket;
use std::net::{SocketAddr, ToSocketAddrs};
use std::{fmt, future::poll_fn, io, path::PathBuf};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use wskit::Either;

/// What clients connect to.
pub(crate) enum Listener {
    Tcp(TcpListener),
    #[cfg(unix)]
    Unix(UnixSocket),
}

/// A connection as it was accepted. What is not a TCP connection is boxed, so that one is no larger
/// than it has to be.
#[cfg(unix)]
pub(crate) type Connection = Either<TcpStream, Box<tokio::net::UnixStream>>;
/// Nothing makes the second kind here.
#[cfg(not(unix))]
pub(crate) type Connection = Either<TcpStream, Box<TcpStream>>;

/// Where clients connect to.
pub(crate) enum Address {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

/// How many connections may wait to be accepted.
const BACKLOG: u32 = 1024;

/// What a place on the command line begins with that is a Unix-domain socket.
const UNIX: &str = "unix:";

/// Connections have the options of the socket that they were accepted from, which spares a system
/// call for each.
const ACCEPTED_AS_LISTENER: bool = cfg!(target_os = "linux");

impl Listener {
    /// Listens on an address such as `127.0.0.1:8080`, or on a path behind `unix:`, whose mode is as
    /// given.
    pub(crate) async fn bind(place: &str, unix_mode: Option<u32>) -> Result<Listener, Failure> {
        match (place.strip_prefix(UNIX), unix_mode) {
            #[cfg(unix)]
            (Some(path), mode) => UnixSocket::bind(path.into(), mode).await.map(Listener::Unix),
            #[cfg(not(unix))]
            (Some(_), _) => {
                Err(Failure::new(Kind::Usage, "there are no Unix-domain sockets on this system"))
            }
            (None, Some(_)) => {
                let why = "--unix-mode is for --listen unix:PATH";
                Err(Failure::new(Kind::Usage, why))
            }
            (None, None) => bind_tcp(place).await.map(Listener::Tcp),
        }
    }

    /// Where clients connect to.
    pub(crate) fn address(&self) -> io::Result<Address> {
        match self {
            Listener::Tcp(listener) => listener.local_addr().map(Address::Tcp),
            #[cfg(unix)]
            Listener::Unix(socket) => Ok(Address::Unix(socket.path().to_owned())),
        }
    }

    /// Waits for a client, and tells who it is. Cancel safe.
    pub(crate) async fn accept(&self) -> io::Result<(Connection, Peer)> {
        match self {
            Listener::Tcp(listener) => {
                // As long as one task accepts, this does without a list of those who wait.
                let (stream, address) = poll_fn(|cx| listener.poll_accept(cx)).await?;
                if !ACCEPTED_AS_LISTENER {
                    let _the_client_may_have_gone = stream.set_nodelay(true);
                }
                Ok((Connection::First(stream), Peer::Address(address.ip())))
            }
            #[cfg(unix)]
            Listener::Unix(socket) => {
                let stream = socket.accept().await?;
                Ok((Connection::Second(Box::new(stream)), Peer::Unix))
            }
        }
    }
}

impl Address {
    /// Where clients connect to, as a URL of this scheme if it is one of TCP.
    pub(crate) fn url(&self, scheme: &str) -> String {
        match self {
            Address::Tcp(address) => format!("{scheme}://{address}/"),
            Address::Unix(path) => format!("{UNIX}{}", path.display()),
        }
    }
}

async fn bind_tcp(place: &str) -> Result<TcpListener, Failure> {
    let wrong = |error: &dyn fmt::Display| {
        Failure::new(
            Kind::Usage,
            format_args!(
                "--listen {place:?} is no address ({error}); write it as 127.0.0.1:8080, or \
                 unix:/run/wskit.sock"
            ),
        )
    };
    let addresses: Vec<_> = match place.to_socket_addrs() {
        Ok(addresses) => addresses.collect(),
        Err(error) => return Err(wrong(&error)),
    };
    let first = addresses.first().ok_or_else(|| wrong(&"it names nothing"))?;
    listen(*first).map_err(|error| {
        let advice = match error.kind() {
            io::ErrorKind::AddrInUse => {
                "the port is taken; stop the program that has it or choose another port with --listen"
            }
            io::ErrorKind::PermissionDenied => {
                "this user may not; choose a port from 1024 up with --listen"
            }
            io::ErrorKind::AddrNotAvailable => {
                "this machine does not have that address; choose another with --listen"
            }
            _ => "choose another address with --listen",
        };
        Failure::new(Kind::Listen, format_args!("cannot listen on {first}: {advice} ({error})"))
    })
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // Where it is not Unix, another program could take the port away.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    // Messages are written whole, so waiting for more only delays them.
    socket.set_nodelay(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_written_to_a_client_leaves_at_once() {
        let listener = Listener::bind("127.0.0.1:0", None).await.unwrap();
        let Ok(Address::Tcp(address)) = listener.address() else { panic!("it is on TCP") };
        let _client = TcpStream::connect(address).await.unwrap();
        let Ok((Connection::First(stream), _)) = listener.accept().await else {
            panic!("it is on TCP")
        };
        assert!(stream.nodelay().unwrap());
    }
}
