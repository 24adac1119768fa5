//! The negotiation of permessage-deflate (RFC 7692 §5 and §7.1).

use super::extension::{Extension, Parameter};
use crate::{Compression, CompressionMode, WindowBits};
use alloc::{string::ToString, vec::Vec};

/// What both ends agreed on for permessage-deflate.
///
/// A *context* is what a compressor remembers of the messages before: later messages get smaller,
/// but each connection has to keep memory for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeflateParameters {
    /// The server compresses each message for itself.
    pub server_no_context_takeover: bool,
    /// The client compresses each message for itself.
    pub client_no_context_takeover: bool,
    /// How far back the server's compressor may refer.
    pub server_max_window_bits: WindowBits,
    /// How far back the client's compressor may refer.
    pub client_max_window_bits: WindowBits,
}

impl DeflateParameters {
    /// The parameters as they could stand in a response; the largest windows are not named.
    pub fn to_extension(&self) -> Extension {
        let named = |bits: WindowBits| Some(bits).filter(|bits| *bits < WindowBits::MAX);
        let listed = Listed {
            server_no_context: self.server_no_context_takeover,
            client_no_context: self.client_no_context_takeover,
            server_window: named(self.server_max_window_bits),
            client_window: named(self.client_max_window_bits).map(Some),
        };
        listed.write()
    }
}

const NAME: &str = "permessage-deflate";
const SERVER_NO_CONTEXT: &str = "server_no_context_takeover";
const CLIENT_NO_CONTEXT: &str = "client_no_context_takeover";
const SERVER_WINDOW: &str = "server_max_window_bits";
const CLIENT_WINDOW: &str = "client_max_window_bits";

/// The parameters as they stand in an offer or a response.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Listed {
    server_no_context: bool,
    client_no_context: bool,
    server_window: Option<WindowBits>,
    /// The parameter, and its value if it has one.
    client_window: Option<Option<WindowBits>>,
}

impl Listed {
    /// Reads the parameters; `None` where one is unknown, stands twice or has a value that it must
    /// not have (RFC 7692 §7.1).
    fn read(extension: &Extension) -> Option<Listed> {
        let mut listed = Listed::default();
        for Parameter { name, value } in &extension.parameters {
            let value = value.as_deref();
            let is_new = match (&**name, value) {
                (SERVER_NO_CONTEXT, None) => {
                    !core::mem::replace(&mut listed.server_no_context, true)
                }
                (CLIENT_NO_CONTEXT, None) => {
                    !core::mem::replace(&mut listed.client_no_context, true)
                }
                (SERVER_WINDOW, Some(bits)) => {
                    listed.server_window.replace(WindowBits::parse(bits)?).is_none()
                }
                (CLIENT_WINDOW, bits) => {
                    let bits = bits.map(WindowBits::parse);
                    let bits = if let Some(None) = bits { return None } else { bits.flatten() };
                    listed.client_window.replace(bits).is_none()
                }
                _ => false,
            };
            if !is_new {
                return None;
            }
        }
        Some(listed)
    }

    fn write(self) -> Extension {
        let mut parameters = Vec::new();
        let mut add = |name: &str, value: Option<WindowBits>| {
            let value = value.map(|bits| bits.bits().to_string());
            parameters.push(Parameter { name: name.into(), value });
        };
        if self.server_no_context {
            add(SERVER_NO_CONTEXT, None);
        }
        if self.client_no_context {
            add(CLIENT_NO_CONTEXT, None);
        }
        if let Some(bits) = self.server_window {
            add(SERVER_WINDOW, Some(bits));
        }
        if let Some(bits) = self.client_window {
            add(CLIENT_WINDOW, bits);
        }
        Extension { name: NAME.into(), parameters }
    }
}

/// The server's choice: the first of the client's offers that it can meet, as both ends will use
/// it and as the response says it. Offers that it cannot meet are declined one by one.
pub(super) fn choose(
    offered: &[Extension],
    compression: &Compression,
) -> Option<(DeflateParameters, Extension)> {
    offered
        .iter()
        .filter(|extension| extension.name == NAME)
        .filter_map(Listed::read)
        .find_map(|offer| answer(offer, compression))
}

fn answer(offer: Listed, compression: &Compression) -> Option<(DeflateParameters, Extension)> {
    let no_context = no_context(compression)?;
    let own = compression.window_bits;
    let server = offer.server_window.map_or(own, |wanted| wanted.min(own));
    // No compressor keeps to 256 bytes, so this offer cannot be met.
    if server < WindowBits::COMPRESSIBLE_MIN {
        return None;
    }
    // RFC 7692 §7.1.2.2: without the parameter the client cannot be told to use less.
    let client = offer.client_window.map(|wanted| wanted.map_or(own, |wanted| wanted.min(own)));
    let listed = Listed {
        server_no_context: offer.server_no_context || no_context,
        client_no_context: offer.client_no_context || no_context,
        // RFC 7692 §7.1.2.1: an offered limit is confirmed, and one may be set unasked.
        server_window: Some(server)
            .filter(|bits| offer.server_window.is_some() || *bits < WindowBits::MAX),
        client_window: client.filter(|bits| *bits < WindowBits::MAX).map(Some),
    };
    let parameters = DeflateParameters {
        server_no_context_takeover: listed.server_no_context,
        client_no_context_takeover: listed.client_no_context,
        server_max_window_bits: server,
        client_max_window_bits: client.unwrap_or(WindowBits::MAX),
    };
    Some((parameters, listed.write()))
}

/// Whether messages are to be compressed for themselves; `None` where they are not to be, or
/// cannot be, compressed.
fn no_context(compression: &Compression) -> Option<bool> {
    match compression.mode {
        _ if !cfg!(feature = "deflate") => None,
        CompressionMode::Off => None,
        CompressionMode::Shared => Some(true),
        CompressionMode::Dedicated => Some(false),
    }
}

/// What a client with these settings offers.
pub(super) fn offer(compression: &Compression) -> Option<Extension> {
    let no_context = no_context(compression)?;
    let smaller = Some(compression.window_bits).filter(|bits| *bits < WindowBits::MAX);
    let listed = Listed {
        server_no_context: no_context,
        client_no_context: no_context,
        server_window: smaller,
        client_window: Some(smaller),
    };
    Some(listed.write())
}

/// What a response to the client's offer agrees to; `None` where it breaks a rule, and the client
/// has to fail the connection.
pub(super) fn agree(response: &Extension, compression: &Compression) -> Option<DeflateParameters> {
    let offered = Listed::read(&offer(compression)?)?;
    let listed = Listed::read(response).filter(|_| response.name == NAME)?;
    // RFC 7692 §7.1.1.1 and §7.1.2.1: what was asked of the server is confirmed.
    if offered.server_no_context && !listed.server_no_context {
        return None;
    }
    let server = listed.server_window.unwrap_or(WindowBits::MAX);
    if offered.server_window.is_some_and(|wanted| server > wanted) {
        return None;
    }
    // RFC 7692 §7.1.2.2: in a response the parameter has a value.
    let client = match listed.client_window {
        None => WindowBits::MAX,
        Some(bits) => bits?,
    };
    if offered
        .client_window
        .flatten()
        .is_some_and(|offered| listed.client_window.is_some() && client > offered)
    {
        return None;
    }
    Some(DeflateParameters {
        server_no_context_takeover: listed.server_no_context,
        client_no_context_takeover: listed.client_no_context || offered.client_no_context,
        server_max_window_bits: server,
        client_max_window_bits: client.min(compression.window_bits),
    })
}

#[cfg(all(test, feature = "deflate"))]
mod tests {
    use super::*;
    use alloc::string::String;

    fn list(text: &str) -> Vec<Extension> {
        Extension::parse_list([text.as_bytes()].into_iter()).unwrap()
    }

    fn answer_to(offers: &str, mode: CompressionMode, bits: u8) -> Option<String> {
        let window_bits = WindowBits::new(bits).unwrap();
        let compression = Compression { mode, window_bits, ..Compression::default() };
        choose(&list(offers), &compression).map(|(_, response)| response.to_string())
    }

    #[test]
    fn a_server_answers_what_it_can_meet() {
        use CompressionMode::{Dedicated, Off, Shared};
        let name = "permessage-deflate";
        for (offers, mode, bits, expected) in [
            (name, Dedicated, 15, Some("")),
            (name, Off, 15, None),
            (name, Shared, 15, Some("; server_no_context_takeover; client_no_context_takeover")),
            (name, Dedicated, 12, Some("; server_max_window_bits=12")),
            ("permessage-deflate; client_max_window_bits", Dedicated, 15, Some("")),
            (
                "permessage-deflate; client_max_window_bits",
                Dedicated,
                12,
                Some("; server_max_window_bits=12; client_max_window_bits=12"),
            ),
            (
                "permessage-deflate; server_max_window_bits=10; client_max_window_bits=9",
                Dedicated,
                15,
                Some("; server_max_window_bits=10; client_max_window_bits=9"),
            ),
            (
                "permessage-deflate; server_no_context_takeover",
                Dedicated,
                15,
                Some("; server_no_context_takeover"),
            ),
            ("permessage-deflate; server_max_window_bits=8", Dedicated, 15, None),
            (
                "permessage-deflate; server_max_window_bits=8, permessage-deflate",
                Dedicated,
                15,
                Some(""),
            ),
        ] {
            let expected = expected.map(|parameters| String::from(name) + parameters);
            assert_eq!(answer_to(offers, mode, bits), expected, "{offers}");
        }
    }

    #[test]
    fn a_broken_offer_is_declined_and_the_next_one_taken() {
        for broken in [
            "permessage-deflate; unknown",
            "permessage-deflate; server_no_context_takeover=1",
            "permessage-deflate; server_max_window_bits",
            "permessage-deflate; server_max_window_bits=7",
            "permessage-deflate; server_max_window_bits=16",
            "permessage-deflate; server_max_window_bits=09",
            "permessage-deflate; client_max_window_bits=16",
            "permessage-deflate; client_max_window_bits=x",
            "permessage-deflate; client_no_context_takeover; client_no_context_takeover",
            "permessage-deflate; client_max_window_bits; client_max_window_bits=9",
            "x-webkit-deflate-frame",
        ] {
            assert_eq!(answer_to(broken, CompressionMode::Dedicated, 15), None, "{broken}");
            let with_fallback = String::from(broken) + ", permessage-deflate";
            assert!(answer_to(&with_fallback, CompressionMode::Dedicated, 15).is_some());
        }
    }

    #[test]
    fn a_client_agrees_to_what_it_offered_only() {
        let agrees = |response: &str, mode, bits| {
            let window_bits = WindowBits::new(bits).unwrap();
            let compression = Compression { mode, window_bits, ..Compression::default() };
            agree(&list(response)[0], &compression)
        };
        use CompressionMode::{Dedicated, Shared};
        let plain = agrees("permessage-deflate", Dedicated, 15).unwrap();
        assert_eq!(plain.server_max_window_bits, WindowBits::MAX);
        let smaller =
            agrees("permessage-deflate; client_max_window_bits=8", Dedicated, 15).unwrap();
        assert_eq!(smaller.client_max_window_bits.bits(), 8);
        assert!(agrees("permessage-deflate; server_no_context_takeover", Shared, 15).is_some());
        for (response, mode, bits) in [
            ("permessage-deflate", Shared, 15),
            ("permessage-deflate", Dedicated, 12),
            ("permessage-deflate; server_max_window_bits=13", Dedicated, 12),
            ("permessage-deflate; client_max_window_bits", Dedicated, 15),
            (
                "permessage-deflate; server_max_window_bits=12; client_max_window_bits=13",
                Dedicated,
                12,
            ),
            ("permessage-deflate; client_max_window_bits=7", Dedicated, 15),
            ("permessage-deflate; server_max_window_bits=16", Dedicated, 15),
            ("permessage-deflate; unknown", Dedicated, 15),
            ("other", Dedicated, 15),
            ("permessage-deflate", CompressionMode::Off, 15),
        ] {
            assert_eq!(agrees(response, mode, bits), None, "{response}");
        }
    }
}
