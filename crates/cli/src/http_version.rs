//! The version of HTTP, on the command line.

use clap::ValueEnum;
use wskit::HttpVersion;

/// Which version of HTTP a WebSocket is opened with.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum HttpVersionArgument {
    /// HTTP/1.1
    #[value(name = "1.1")]
    Http1,
    /// HTTP/2, and nothing else (RFC 8441); without TLS the server has to be known to speak it
    #[value(name = "2")]
    Http2,
    /// With TLS, HTTP/2 if the server chooses it and takes WebSockets over it; else HTTP/1.1
    Auto,
}

impl From<HttpVersionArgument> for HttpVersion {
    fn from(argument: HttpVersionArgument) -> HttpVersion {
        match argument {
            HttpVersionArgument::Http1 => HttpVersion::Http1,
            HttpVersionArgument::Http2 => HttpVersion::Http2,
            HttpVersionArgument::Auto => HttpVersion::Auto,
        }
    }
}
