//! The keys with which tokens are verified, each for one algorithm.

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Header};
use std::fmt::Display;
use std::fs;
use std::path::{Path, PathBuf};

/// Where the keys are.
#[derive(Clone, Default, clap::Args)]
#[command(next_help_heading = "Who may come in")]
pub(super) struct KeyArguments {
    /// The secret that tokens are signed with (HS256), of 32 bytes or more
    #[arg(long, value_name = "FILE")]
    token_secret_file: Option<PathBuf>,

    /// The public key of who signs tokens, as PEM: RSA (RS256), P-256 (ES256) or Ed25519 (EdDSA)
    #[arg(long, value_name = "FILE")]
    token_key_file: Option<PathBuf>,

    /// The same keys as a JSON Web Key Set (RFC 7517)
    #[arg(long, value_name = "FILE")]
    token_jwks_file: Option<PathBuf>,
}

/// A key, and the only algorithm that it is used with.
pub(super) struct Key {
    pub(super) algorithm: Algorithm,
    pub(super) key: DecodingKey,
    id: Option<String>,
}

/// The fewest bytes of a secret: RFC 7518 §3.2 wants as many as the hash has.
const SECRET_BYTES_MIN: usize = 32;

/// The most keys of a set.
const KEYS_MAX: usize = 32;

/// Finds the keys in a file.
type Parse = fn(&[u8]) -> Result<Vec<Key>, &'static str>;

/// What is in the files, in the order in which they are asked for.
pub(super) type Contents = Vec<Vec<u8>>;

impl KeyArguments {
    /// Reads all files that are given.
    pub(super) fn read(&self) -> Result<Contents, String> {
        let read = |(flag, path, _)| fs::read(path).map_err(|error| wrong(flag, path, &error));
        self.files().map(read).collect()
    }

    /// Whether all can be read again: a pipe, for one, gives what it holds once, and who reads it again may wait for ever.
    pub(super) fn are_rereadable(&self) -> bool {
        // What cannot be looked at cannot be read either, which is told then.
        self.files().all(|(_, path, _)| fs::metadata(path).map_or(true, |file| file.is_file()))
    }

    /// The keys in what was read.
    pub(super) fn parse(&self, contents: &Contents) -> Result<Vec<Key>, String> {
        let mut keys = Vec::new();
        for ((flag, path, parse), content) in self.files().zip(contents) {
            keys.extend(parse(content).map_err(|why| wrong(flag, path, &why))?);
        }
        Ok(keys)
    }

    /// The flags that are given, with their files and what is to be found in them.
    fn files(&self) -> impl Iterator<Item = (&'static str, &Path, Parse)> {
        let all: [(_, _, Parse); 3] = [
            ("--token-secret-file", &self.token_secret_file, secret),
            ("--token-key-file", &self.token_key_file, pem),
            ("--token-jwks-file", &self.token_jwks_file, set),
        ];
        all.into_iter().filter_map(|(flag, path, parse)| Some((flag, path.as_deref()?, parse)))
    }
}

impl Key {
    /// Whether a token with this header may be signed with this key.
    pub(super) fn may_have_signed(&self, header: &Header) -> bool {
        let names_another = self.id.is_some() && header.kid.is_some() && self.id != header.kid;
        self.algorithm == header.alg && !names_another
    }
}

fn wrong(flag: &str, path: &Path, why: &dyn Display) -> String {
    format!("{flag} {}: {why}", path.display())
}

fn secret(content: &[u8]) -> Result<Vec<Key>, &'static str> {
    let secret = content.trim_ascii_end();
    if secret.len() < SECRET_BYTES_MIN {
        return Err("a secret has 32 bytes or more, as `openssl rand -hex 32` makes them");
    }
    Ok(vec![Key { algorithm: Algorithm::HS256, key: DecodingKey::from_secret(secret), id: None }])
}

fn pem(content: &[u8]) -> Result<Vec<Key>, &'static str> {
    if content.windows(11).any(|words| words == b"PRIVATE KEY") {
        return Err("this key is private; give its public one, as `openssl pkey -pubout` makes it");
    }
    let key = |algorithm, key| vec![Key { algorithm, key, id: None }];
    DecodingKey::from_rsa_pem(content)
        .map(|rsa| key(Algorithm::RS256, rsa))
        .or_else(|_| DecodingKey::from_ec_pem(content).map(|ec| key(Algorithm::ES256, ec)))
        .or_else(|_| DecodingKey::from_ed_pem(content).map(|ed| key(Algorithm::EdDSA, ed)))
        .map_err(|_| "this is no public key of RSA, P-256 or Ed25519 as PEM")
}

fn set(content: &[u8]) -> Result<Vec<Key>, &'static str> {
    let set: serde_json::Value = serde_json::from_slice(content).map_err(|_| "this is not JSON")?;
    let keys = set["keys"].as_array().ok_or("this is no set of keys: it has no \"keys\"")?;
    if keys.len() > KEYS_MAX {
        return Err("there are more than 32 keys in it");
    }
    // RFC 7517 §5: keys that are not understood are passed over.
    let keys: Vec<_> =
        keys.iter().filter_map(|key| web_key(&serde_json::from_value(key.clone()).ok()?)).collect();
    if keys.is_empty() {
        Err("there is no key in it for RS256, ES256, EdDSA or HS256")
    } else {
        Ok(keys)
    }
}

fn web_key(key: &Jwk) -> Option<Key> {
    let algorithm = match &key.algorithm {
        AlgorithmParameters::RSA(_) => Algorithm::RS256,
        AlgorithmParameters::EllipticCurve(curve) if curve.curve == EllipticCurve::P256 => {
            Algorithm::ES256
        }
        AlgorithmParameters::OctetKeyPair(curve) if curve.curve == EllipticCurve::Ed25519 => {
            Algorithm::EdDSA
        }
        // In base64, so every four characters are three bytes.
        AlgorithmParameters::OctetKey(octets) if octets.value.len() * 3 / 4 >= SECRET_BYTES_MIN => {
            Algorithm::HS256
        }
        _ => return None,
    };
    let wanted = key.common.key_algorithm.map(|wanted| wanted.to_string());
    let is_for_this = wanted.is_none_or(|wanted| wanted == format!("{algorithm:?}"));
    let signs = !matches!(key.common.public_key_use, Some(PublicKeyUse::Encryption));
    let decoding = DecodingKey::from_jwk(key).ok().filter(|_| is_for_this && signs)?;
    Some(Key { algorithm, key: decoding, id: key.common.key_id.clone() })
}
