//! The opening handshake of RFC 6455 §4.1, written by hand.

use crate::stream::Compression;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// The example of RFC 6455 §1.3.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
const TIMEOUT: Duration = Duration::from_secs(10);

pub(crate) fn connect(address: SocketAddr) -> Result<TcpStream, String> {
    let stream = TcpStream::connect(address).map_err(|error| format!("cannot connect: {error}"))?;
    stream
        .set_nodelay(true)
        .and_then(|()| stream.set_read_timeout(Some(TIMEOUT)))
        .map_err(|error| error.to_string())?;
    Ok(stream)
}

/// Opens a WebSocket and sees that the server agrees to what was offered.
pub(crate) fn open(address: SocketAddr, compression: Compression) -> Result<TcpStream, String> {
    let mut stream = connect(address)?;
    let offer = match compression {
        Compression::Off => "",
        Compression::Stateless => {
            "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover\r\n"
        }
        Compression::Contexts => "Sec-WebSocket-Extensions: permessage-deflate\r\n",
    };
    let request = format!(
        "GET / HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n{offer}\r\n"
    );
    stream.write_all(request.as_bytes()).map_err(|error| error.to_string())?;
    let mut response = Vec::new();
    let mut byte = [0];
    while !response.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).map_err(|error| format!("no response: {error}"))?;
        response.push(byte[0]);
    }
    let response = String::from_utf8_lossy(&response);
    check(&response, compression).map_err(|failure| format!("{failure}: {response}"))?;
    Ok(stream)
}

fn check(response: &str, compression: Compression) -> Result<(), &'static str> {
    if !response.starts_with("HTTP/1.1 101 ") || !response.contains(ACCEPT) {
        return Err("the server does not accept");
    }
    let agreed = match compression {
        Compression::Off => !response.contains("permessage-deflate"),
        Compression::Stateless => response.contains("server_no_context_takeover"),
        Compression::Contexts => {
            response.contains("permessage-deflate") && !response.contains("no_context_takeover")
        }
    };
    if agreed {
        Ok(())
    } else {
        Err("the server does not agree to the compression that is measured")
    }
}
