//! Drives the client against an independent echo server: `interop_client URL NAME`, or
//! `interop_client URL NAME compressed` for one that compresses.
//!
//! Through the Unix-domain socket that the variable `WS_UNIX` names if it does. Prints `ok NAME` or `not ok NAME: why` for each check, and exits with 1 when one failed.

mod compressed;

use std::process::ExitCode;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use wskit::{Client, CloseCode, CompressionMode, Kind, Message, WebSocket};

const MIB: usize = 1024 * 1024;

/// What went wrong with a check.
type Fault = Box<dyn std::error::Error>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let (Some(url), Some(server)) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: interop_client URL NAME [compressed]");
        return ExitCode::from(2);
    };
    let outcomes = match arguments.next().as_deref() {
        Some("compressed") => compressed(&url, &server).await,
        _ => plain(&url, &server).await,
    };
    if outcomes.contains(&false) { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

async fn compressed(url: &str, server: &str) -> Vec<bool> {
    let mut outcomes = Vec::new();
    for (name, mode, window_bits) in [
        ("no context", CompressionMode::Shared, 15),
        ("context", CompressionMode::Dedicated, 15),
        ("context, 11 bits", CompressionMode::Dedicated, 11),
        ("context, 9 bits", CompressionMode::Dedicated, 9),
    ] {
        let run = compressed::echoes(url, mode, window_bits);
        outcomes.push(check(server, &format!("compressed messages, {name}"), run).await);
    }
    outcomes
}

async fn plain(url: &str, server: &str) -> Vec<bool> {
    let mut outcomes = Vec::new();
    let messages = [
        ("text", Message::text("hello")),
        ("text beyond ASCII", Message::text("κόσμε 🔑 \0")),
        ("empty text", Message::text("")),
        ("empty binary", Message::binary(vec![])),
        ("binary of every byte", Message::binary((0..=255).collect::<Vec<u8>>())),
        ("text of 16 MiB", Message::text("é".repeat(8 * MIB))),
        ("binary of 16 MiB", Message::binary(b"wskit.io".repeat(2 * MIB))),
    ];
    for (name, message) in messages {
        outcomes.push(check(server, name, echoes(url, message)).await);
    }
    outcomes.push(check(server, "receives fragments", receives_fragments(url)).await);
    outcomes.push(check(server, "sends fragments", sends_fragments(url)).await);
    outcomes.push(check(server, "closes first", closes_first(url)).await);
    for (code, reason) in [(1000, ""), (1001, "leaving"), (3000, "résumé"), (4999, "é")] {
        outcomes.push(
            check(server, &format!("is closed with {code}"), is_closed_with(url, code, reason))
                .await,
        );
    }
    outcomes.push(check(server, "subprotocol", subprotocol(url)).await);
    outcomes
}

async fn check(server: &str, name: &str, run: impl Future<Output = Result<(), Fault>>) -> bool {
    let outcome = tokio::time::timeout(Duration::from_secs(60), run).await;
    match outcome.unwrap_or_else(|late| Err(late.into())) {
        Ok(()) => println!("ok wskit client, {server} server: {name}"),
        Err(why) => {
            println!("not ok wskit client, {server} server: {name}: {why}");
            return false;
        }
    }
    true
}

/// A client of the server, through the Unix-domain socket that the variable `WS_UNIX` names if it does.
fn client(url: &str) -> Result<Client, wskit::Error> {
    let client = Client::new(url)?;
    #[cfg(unix)]
    if let Some(path) = std::env::var_os("WS_UNIX") {
        return Ok(client.unix_socket(path));
    }
    Ok(client)
}

/// The message comes back as it was.
async fn echoes(url: &str, message: Message) -> Result<(), Fault> {
    let mut socket = client(url)?.connect().await?;
    socket.send(message.clone()).await?;
    let echo = socket.recv().await.ok_or("no echo")??;
    if echo != message {
        return Err("another message came back".into());
    }
    close(socket).await
}

async fn sends_fragments(url: &str) -> Result<(), Fault> {
    let mut socket = client(url)?.connect().await?;
    socket.feed_part(Kind::Text, "frag", false).await?;
    socket.feed(Message::Ping("between".into())).await?;
    socket.feed_part(Kind::Text, "", false).await?;
    socket.feed_part(Kind::Text, "mented", true).await?;
    let echo = socket.recv().await.ok_or("no echo")??;
    if echo != Message::text("fragmented") {
        return Err(format!("{echo:?}").into());
    }
    close(socket).await
}

/// A message in fragments, and pings or not between them, arrives as one.
async fn receives_fragments(url: &str) -> Result<(), Fault> {
    let mut socket = client(&format!("{url}fragments"))?.connect().await?;
    while let Some(message) = socket.recv().await {
        match message? {
            Message::Ping(_) => {}
            Message::Text(text) if &text[..] == "fragmented" => {
                return close(socket).await;
            }
            other => return Err(format!("{other:?}").into()),
        }
    }
    Err("the connection ended".into())
}

/// The server begins the closing handshake; its code and reason reach the application.
async fn closes_first(url: &str) -> Result<(), Fault> {
    let mut socket = client(&format!("{url}close"))?.connect().await?;
    match socket.recv().await.ok_or("no closure")?? {
        Message::Close(Some(frame))
            if frame.code().number() == 4001 && frame.reason() == "as asked" => {}
        other => return Err(format!("{other:?}").into()),
    }
    match socket.recv().await {
        None => Ok(()),
        Some(more) => Err(format!("after the closure: {more:?}").into()),
    }
}

/// The client begins the closing handshake, and the server's reply has the same code.
async fn is_closed_with(url: &str, code: u16, reason: &str) -> Result<(), Fault> {
    let mut socket = client(url)?.connect().await?;
    let code = CloseCode::new(code).ok_or("no close code")?;
    let reply = socket.close(code, reason).await?.ok_or("a reply without a code")?;
    if reply.code() == code { Ok(()) } else { Err(format!("answered with {reply:?}").into()) }
}

async fn close<S: AsyncRead + AsyncWrite + Unpin>(mut socket: WebSocket<S>) -> Result<(), Fault> {
    socket.close(CloseCode::NORMAL, "").await?;
    Ok(())
}

async fn subprotocol(url: &str) -> Result<(), Fault> {
    let client = client(url)?.subprotocol("v2.echo")?.subprotocol("v1.echo")?;
    let socket = client.connect().await?;
    match &socket.agreed().subprotocol {
        Some(agreed) if agreed.as_str() == "v1.echo" => close(socket).await,
        other => Err(format!("agreed on {other:?}").into()),
    }
}
