//! The grammar of `Sec-WebSocket-Extensions` (RFC 6455 §9.1).

use super::list::{is_token, items, split_outside_quotes};
use alloc::{string::String, vec::Vec};
use core::fmt;

/// An extension as it is offered or agreed: a name with parameters.
///
/// Written as in the header: `permessage-deflate; client_max_window_bits=12`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extension {
    /// The name, such as `permessage-deflate`.
    pub name: String,
    /// The parameters in the order they stand in.
    pub parameters: Vec<Parameter>,
}

/// A parameter of an extension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// The name.
    pub name: String,
    /// The value, if there is one. Quotes around it are removed.
    pub value: Option<String>,
}

/// The header does not follow the grammar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BrokenGrammar;

impl Extension {
    /// Reads the header, which may stand on several lines.
    pub(super) fn parse_list<'a>(
        lines: impl Iterator<Item = &'a [u8]>,
    ) -> Result<Vec<Extension>, BrokenGrammar> {
        let mut list = Vec::new();
        for line in lines {
            for item in items(line) {
                list.push(Extension::parse(item)?);
            }
        }
        Ok(list)
    }

    fn parse(item: &[u8]) -> Result<Extension, BrokenGrammar> {
        let mut parts = split_outside_quotes(item, b';');
        let name = token(parts.next().unwrap_or_default())?;
        let parameters = parts.map(Parameter::parse).collect::<Result<_, _>>()?;
        Ok(Extension { name, parameters })
    }
}

impl Parameter {
    fn parse(part: &[u8]) -> Result<Parameter, BrokenGrammar> {
        let mut sides = part.splitn(2, |byte| *byte == b'=');
        let name = token(super::list::trim(sides.next().unwrap_or_default()))?;
        let value = sides.next().map(|value| parameter_value(super::list::trim(value)));
        Ok(Parameter { name, value: value.transpose()? })
    }
}

/// A token, or a quoted string whose content is a token (RFC 6455 §9.1).
fn parameter_value(value: &[u8]) -> Result<String, BrokenGrammar> {
    let Some(quoted) = value.strip_prefix(b"\"") else { return token(value) };
    let content = quoted.strip_suffix(b"\"").ok_or(BrokenGrammar)?;
    let mut unescaped = Vec::with_capacity(content.len());
    let mut bytes = content.iter();
    while let Some(byte) = bytes.next() {
        let byte = if *byte == b'\\' { bytes.next().ok_or(BrokenGrammar)? } else { byte };
        unescaped.push(*byte);
    }
    token(&unescaped)
}

fn token(bytes: &[u8]) -> Result<String, BrokenGrammar> {
    if !is_token(bytes) {
        return Err(BrokenGrammar);
    }
    Ok(bytes.iter().map(|byte| char::from(*byte)).collect())
}

impl fmt::Display for Extension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        for Parameter { name, value } in &self.parameters {
            write!(f, "; {name}")?;
            if let Some(value) = value {
                write!(f, "={value}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    fn parse(line: &str) -> Result<Vec<String>, BrokenGrammar> {
        let list = Extension::parse_list([line.as_bytes()].into_iter())?;
        Ok(list.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn extensions_are_read_with_their_parameters() {
        assert_eq!(parse("foo").unwrap(), ["foo"]);
        assert_eq!(parse(" a ; b = 1;c, d;e=\"\\x\\y\" ").unwrap(), ["a; b=1; c", "d; e=xy"]);
    }

    #[test]
    fn broken_grammar_is_refused() {
        let broken = [
            "",
            ",",
            "a,",
            "a;",
            ";a",
            "a;=1",
            "a;b=",
            "a b",
            "a;b c",
            "a;b=\"c",
            "a;b=\"\"",
            "a;b=\"c d\"",
            "a;b=\"\\\"",
            "a;b=c\"d\"",
            "a/b",
            "a;b=\"x\"y",
            "é",
        ];
        for line in broken {
            assert_eq!(parse(line), Err(BrokenGrammar), "{line}");
        }
    }
}
