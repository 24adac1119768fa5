//! The headers that proxies agreed on before there was a standard: lists of values with commas between.

use wskit::proto::handshake::Headers;

/// All values of the headers of this name, the last first. Empty ones are passed over.
pub(super) fn values_from_the_end<'a>(
    headers: &'a Headers,
    name: &'a str,
) -> impl Iterator<Item = &'a str> {
    let mut lines: Vec<_> = headers.all(name).collect();
    lines.reverse();
    let text = |line: &'a [u8]| str::from_utf8(line).unwrap_or("unknown");
    lines
        .into_iter()
        .flat_map(move |line| text(line).rsplit(','))
        .map(str::trim)
        .filter(|value| !value.is_empty())
}
