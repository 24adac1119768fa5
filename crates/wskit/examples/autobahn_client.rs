//! Echoes whatever the Autobahn test suite's server sends, case after case.
//!
//! `AB_URL` is the server's address, `AB_AGENT` the name in its report. With `AB_HTTP2` it is asked over
//! HTTP/2.

use wskit::{Client, ClientStream, Error, HttpVersion, Message, WebSocket};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    if let Err(error) = run().await {
        eprintln!("{error}");
        std::process::exit(1);
    }
}

async fn run() -> Result<(), Box<dyn std::error::Error>> {
    let url = std::env::var("AB_URL").unwrap_or("ws://127.0.0.1:9001".into());
    let agent = std::env::var("AB_AGENT").unwrap_or("wskit".into());
    let count: u32 = match receive(&format!("{url}/getCaseCount")).await? {
        Some(Message::Text(count)) => count.parse()?,
        other => return Err(format!("no number of cases: {other:?}").into()),
    };
    for case in 1..=count {
        // Many cases end with an error on purpose; the suite judges how.
        let _judged_by_the_suite = echo(&format!("{url}/runCase?case={case}&agent={agent}")).await;
    }
    receive(&format!("{url}/updateReports?agent={agent}")).await?;
    Ok(())
}

async fn receive(url: &str) -> Result<Option<Message>, Error> {
    let mut socket = connect(url).await?;
    let message = socket.recv().await.transpose()?;
    while socket.recv().await.is_some() {}
    Ok(message)
}

async fn echo(url: &str) -> Result<(), Error> {
    let mut socket = connect(url).await?;
    while let Some(message) = socket.recv().await {
        socket.feed(message?).await?;
    }
    Ok(())
}

async fn connect(url: &str) -> Result<WebSocket<ClientStream>, Error> {
    let http2 = std::env::var_os("AB_HTTP2").is_some();
    let version = if http2 { HttpVersion::Http2 } else { HttpVersion::Http1 };
    Client::new(url)?.http(version).connect().await
}
