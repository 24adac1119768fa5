//! What `connect` and `inspect` share: the endpoint, and what the request says.

use crate::compression::CompressionArguments;
use crate::failure::Failure;
use crate::trust::TrustArguments;
use crate::way::WayArguments;
use wskit::Client;

/// The endpoint, and what the request says beside what every request says.
#[derive(clap::Args)]
pub(crate) struct RequestArguments {
    /// The endpoint, such as ws://127.0.0.1:8080/chat or wss://example.com/chat
    pub(crate) url: String,

    /// A header to send with the request, such as 'Authorization: Bearer abc'; can be repeated
    #[arg(long, short = 'H', value_name = "NAME: VALUE", value_parser = parse_header)]
    header: Vec<(String, String)>,

    /// A subprotocol to offer; repeat it, the most wanted first
    #[arg(long, short, value_name = "NAME")]
    subprotocol: Vec<String>,

    /// The origin to connect from, as a browser names the site of a page: scheme, host and port
    #[arg(long, value_name = "ORIGIN")]
    origin: Option<String>,

    #[command(flatten)]
    compression: CompressionArguments,

    #[command(flatten)]
    way: WayArguments,

    #[command(flatten)]
    pub(crate) trust: TrustArguments,
}

impl RequestArguments {
    /// A client that makes this request.
    pub(crate) fn client(&self) -> Result<Client, Failure> {
        let compression = self.compression.compression();
        let mut client = Client::new(&self.url)?.compression(compression);
        if let Some(origin) = &self.origin {
            client = client.header("Origin", origin)?;
        }
        for (name, value) in &self.header {
            client = client.header(name, value)?;
        }
        for name in &self.subprotocol {
            client = client.subprotocol(name.as_str())?;
        }
        self.trust.apply(self.way.apply(client)?)
    }
}

fn parse_header(text: &str) -> Result<(String, String), &'static str> {
    let (name, value) = text.split_once(':').ok_or("write it as 'Name: value'")?;
    Ok((name.to_owned(), value.trim().to_owned()))
}
