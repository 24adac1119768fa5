//! Where a request has its token.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use wskit::Request;

/// What stands before a token among the subprotocols.
const SUBPROTOCOL_PREFIX: &str = "bearer.";

/// The token of a request: in `Authorization: Bearer` (RFC 6750 §2.1); else, as pages cannot set headers, among the
/// offered subprotocols, behind `bearer.`; else in the query as `token`, which proxies write into their logs.
pub(super) fn token(request: &Request) -> Option<String> {
    let headers = request.headers();
    let text = |value| str::from_utf8(value).ok();
    let authorization = headers.get("authorization").and_then(text).and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    });
    let subprotocol = || {
        let offered = headers.all("sec-websocket-protocol").filter_map(text);
        offered
            .flat_map(|line| line.split(','))
            .find_map(|name| name.trim().strip_prefix(SUBPROTOCOL_PREFIX))
    };
    let query = || {
        let pairs = request.query().unwrap_or_default().split('&');
        pairs.filter_map(|pair| pair.strip_prefix("token=")).next()
    };
    authorization.or_else(subprotocol).or_else(query).map(str::to_owned)
}

/// Whether the header of a token asks for something that has to be understood.
pub(super) fn has_critical(token: &str) -> bool {
    let header = token.split('.').next().unwrap_or_default();
    let header = BASE64_URL_SAFE_NO_PAD.decode(header).unwrap_or_default();
    let header: serde_json::Value = serde_json::from_slice(&header).unwrap_or_default();
    header.get("crit").is_some()
}
