//! What `connect` and `inspect` share: the endpoint, and what the request says.

use crate::compression::CompressionArguments;
use crate::failure::{Failure, Kind};
use crate::http_version::HttpVersionArgument;
use crate::seconds::Seconds;
use crate::trust::{TrustArguments, read};
use crate::way::WayArguments;
use std::path::{Path, PathBuf};
use wskit::Client;

/// The endpoint, and what the request says beside what every request says.
#[derive(clap::Args)]
#[command(next_help_heading = "The request")]
pub(crate) struct RequestArguments {
    /// The endpoint, such as ws://127.0.0.1:8080/chat or wss://example.com/chat
    #[arg(help_heading = None::<&str>)]
    pub(crate) url: String,

    /// A header to send with the request, such as 'X-Trace: abc', or @FILE for a file with one in each
    /// line, where others do not see it; can be repeated
    #[arg(long, short = 'H', value_name = "NAME: VALUE")]
    header: Vec<String>,

    /// Show the server this name and password (Basic credentials, RFC 7617)
    ///
    /// Other users of this machine can see the command line; from the variable or from
    /// --basic-auth-file it stays hidden.
    #[arg(long, value_name = "NAME:PASSWORD", env = "WSKIT_BASIC_AUTH", hide_env_values = true)]
    basic_auth: Option<String>,

    /// Read NAME:PASSWORD from the first line of this file
    #[arg(long, value_name = "FILE")]
    basic_auth_file: Option<PathBuf>,

    /// A subprotocol to offer; repeat it, the most wanted first
    #[arg(long, short, value_name = "NAME")]
    subprotocol: Vec<String>,

    /// The origin to connect from, as a browser names the site of a page: scheme, host and port
    #[arg(long, value_name = "ORIGIN")]
    origin: Option<String>,

    /// The version of HTTP to open the WebSocket with; most servers that speak HTTP/2 take no
    /// WebSockets over it, which `auto` finds out at the price of a second connection
    #[arg(long, value_name = "VERSION", default_value = "1.1")]
    pub(crate) http: HttpVersionArgument,

    /// How long connecting and the opening handshake may take together, in seconds, or off
    #[arg(long, value_name = "SECONDS", default_value = "10", alias = "timeout")]
    pub(crate) opening_timeout: Seconds,

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
        if let Some((name, password)) = self.credentials()? {
            client = client.basic_auth(&name, &password)?;
        }
        for (name, value) in self.headers()? {
            client = client.header(&name, &value)?;
        }
        for name in &self.subprotocol {
            client = client.subprotocol(name.as_str())?;
        }
        self.trust.apply(self.way.apply(client)?)
    }

    fn credentials(&self) -> Result<Option<(String, String)>, Failure> {
        let (text, of) = match (&self.basic_auth_file, &self.basic_auth) {
            (Some(path), _) => (read_text(path)?, path.display().to_string()),
            (None, Some(text)) => (text.clone(), "--basic-auth".to_owned()),
            (None, None) => return Ok(None),
        };
        let line = text.lines().next().unwrap_or_default();
        let (name, password) = line.split_once(':').ok_or_else(|| {
            Failure::new(Kind::Usage, format_args!("{of}: write it as NAME:PASSWORD"))
        })?;
        Ok(Some((name.to_owned(), password.to_owned())))
    }

    fn headers(&self) -> Result<Vec<(String, String)>, Failure> {
        let mut headers = Vec::new();
        for argument in &self.header {
            match argument.strip_prefix('@') {
                None => headers.push(parse_header(argument, "--header")?),
                Some(path) => {
                    for line in read_text(Path::new(path))?.lines().filter(|line| !line.is_empty())
                    {
                        headers.push(parse_header(line, path)?);
                    }
                }
            }
        }
        Ok(headers)
    }
}

fn parse_header(text: &str, of: &str) -> Result<(String, String), Failure> {
    let (name, value) = text.split_once(':').ok_or_else(|| {
        Failure::new(Kind::Usage, format_args!("{of}: a header is written as 'Name: value'"))
    })?;
    Ok((name.to_owned(), value.trim().to_owned()))
}

fn read_text(path: &Path) -> Result<String, Failure> {
    String::from_utf8(read(path)?)
        .map_err(|_| Failure::new(Kind::Usage, format_args!("{} is not UTF-8", path.display())))
}
