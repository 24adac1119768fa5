//! Opens connections, upgrades and ends them, so many at a time: `openings ADDRESS reset|close COUNT`.

use socket2::SockRef;
use std::io::{self, Error, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

const AT_A_TIME: usize = 32;
const PATIENCE: Duration = Duration::from_secs(10);
/// A Close frame with code 1000 and a masking key of zeros.
const CLOSE: &[u8] = b"\x88\x82\0\0\0\0\x03\xe8";

fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, end, count] = &arguments[..] else {
        panic!("openings ADDRESS reset|close COUNT")
    };
    let address: SocketAddr = address.parse().expect("an address and a port");
    let count: usize = count.parse().expect("a number");
    let request = format!(
        "GET / HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    );
    for _ in 0..count.div_ceil(AT_A_TIME) {
        let mut streams = connect(address)?;
        for stream in &mut streams {
            stream.write_all(request.as_bytes())?;
        }
        streams.iter_mut().try_for_each(read_head)?;
        match end.as_str() {
            "reset" => streams
                .iter()
                .try_for_each(|stream| SockRef::from(stream).set_linger(Some(Duration::ZERO)))?,
            "close" => close(&mut streams)?,
            _ => panic!("a connection ends by reset or close"),
        }
    }
    Ok(())
}

fn connect(address: SocketAddr) -> io::Result<Vec<TcpStream>> {
    let open = |_| {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(stream)
    };
    (0..AT_A_TIME).map(open).collect()
}

/// Reads the response. Nothing comes behind it, for nothing was sent.
fn read_head(stream: &mut TcpStream) -> io::Result<()> {
    let mut head = Vec::new();
    let mut buffer = [0; 4096];
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut buffer)? {
            0 => return Err(Error::other("ended before the response")),
            count => head.extend_from_slice(&buffer[..count]),
        }
    }
    if head.starts_with(b"HTTP/1.1 101 ") { Ok(()) } else { Err(Error::other("not upgraded")) }
}

/// Does the closing handshake, and ends the sending side once the server's Close is here: some servers wait for that.
fn close(streams: &mut [TcpStream]) -> io::Result<()> {
    for stream in &mut *streams {
        stream.write_all(CLOSE)?;
    }
    for stream in streams {
        let mut frame = [0; 4];
        stream.read_exact(&mut frame)?;
        if frame[0] != 0x88 {
            return Err(Error::other("not a Close frame"));
        }
        // Whoever has ended already answers this with an error, which does no harm.
        let _ = stream.shutdown(Shutdown::Write);
        let _ = stream.read_to_end(&mut Vec::new());
    }
    Ok(())
}
