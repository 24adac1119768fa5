//! Who this node is to the server.

use std::fmt::Display;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use async_nats::Auth;
use nkeys::KeyPair;
use percent_encoding::percent_decode_str;

use crate::addresses::UserOfAddress;
use crate::connecting::Settings;
use crate::file::read;

/// Who this node is. What is in files is read for each connection anew, so that it may be replaced while the node runs.
#[derive(Clone)]
pub(crate) enum Identity {
    Nobody,
    User { name: String, password: String },
    Token(String),
    TokenFile(PathBuf),
    Nkey(PathBuf),
    Credentials(PathBuf),
}

impl Identity {
    /// What the settings say; with who the addresses say it is.
    pub(crate) fn of(settings: &Settings, users: Vec<UserOfAddress>) -> Result<Self, String> {
        let Settings { token_file, nkey_file, credentials, .. } = settings;
        let of_address = |UserOfAddress { name, password }: UserOfAddress| {
            let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
            match password {
                Some(password) => Self::User { name: decode(&name), password: decode(&password) },
                // As all clients of NATS have it.
                None => Self::Token(decode(&name)),
            }
        };
        let mut identities: Vec<_> = users.into_iter().map(of_address).collect();
        identities.extend(token_file.clone().map(Self::TokenFile));
        identities.extend(nkey_file.clone().map(Self::Nkey));
        identities.extend(credentials.clone().map(Self::Credentials));
        let identity = identities.pop().unwrap_or(Self::Nobody);
        if !identities.is_empty() {
            return Err("there are several ways to say who this node is; say it once".into());
        }
        Ok(identity)
    }

    /// What the server is shown, and the nonce signed.
    pub(crate) fn show(&self, nonce: &[u8]) -> io::Result<Auth> {
        let mut auth = Auth::new();
        match self {
            Self::Nobody => {}
            Self::User { name, password } => {
                auth.username = Some(name.clone());
                auth.password = Some(password.clone());
            }
            Self::Token(token) => auth.token = Some(token.clone()),
            Self::TokenFile(path) => {
                let content = read(path)?;
                let token = content.trim();
                if token.is_empty() {
                    return Err(wrong(path, &"there is no token in it"));
                }
                auth.token = Some(token.to_owned());
            }
            Self::Nkey(path) => {
                let content = read(path)?;
                let pair = key_pair(path, content.trim())?;
                auth.nkey = Some(pair.public_key());
                auth.signature = Some(sign(path, &pair, nonce)?);
            }
            Self::Credentials(path) => {
                let content = read(path)?;
                let mut armoured = armoured(&content);
                let (Some(token), Some(seed)) = (armoured.next(), armoured.next()) else {
                    return Err(wrong(path, &"there are no NATS credentials in it"));
                };
                auth.jwt = Some(token.to_owned());
                auth.signature = Some(sign(path, &key_pair(path, seed)?, nonce)?);
            }
        }
        Ok(auth)
    }
}

fn key_pair(path: &Path, seed: &str) -> io::Result<KeyPair> {
    KeyPair::from_seed(seed).map_err(|_| wrong(path, &"there is no seed of a key of NATS in it"))
}

fn sign(path: &Path, pair: &KeyPair, nonce: &[u8]) -> io::Result<Vec<u8>> {
    pair.sign(nonce).map_err(|error| wrong(path, &error))
}

fn wrong(path: &Path, why: &dyn Display) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, format!("{}: {why}", path.display()))
}

/// What stands between lines of `-----BEGIN …-----` and `------END …------`.
fn armoured(content: &str) -> impl Iterator<Item = &str> {
    let mut lines = content.lines().map(str::trim);
    std::iter::from_fn(move || {
        lines.find(|line| line.starts_with("---") && line.contains("BEGIN"))?;
        lines.next()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::addresses::Addresses;
    use std::fs;

    fn of(addresses: &[&str], settings: &Settings) -> Result<Auth, String> {
        let addresses: Vec<_> = addresses.iter().map(|address| (*address).to_owned()).collect();
        let users = Addresses::parse(&addresses).unwrap().users;
        Identity::of(settings, users)?.show(b"nonce").map_err(|error| error.to_string())
    }

    #[test]
    fn an_address_says_who_one_is() {
        let auth = of(&["nats://a%40nn:p%3Aw%2C@host", "host2"], &Settings::default()).unwrap();
        assert_eq!(auth.username.as_deref(), Some("a@nn"));
        assert_eq!(auth.password.as_deref(), Some("p:w,"));
        let auth = of(&["nats://t0k3n@host"], &Settings::default()).unwrap();
        assert_eq!((auth.token.as_deref(), auth.username), (Some("t0k3n"), None));
        let same = ["nats://ann:a@host", "nats://ann:a@host2"];
        assert!(of(&same, &Settings::default()).is_ok());
    }

    #[test]
    fn who_one_is_can_be_said_once_only() {
        let two = ["nats://ann:a@host", "nats://bob:b@host2"];
        assert!(of(&two, &Settings::default()).err().unwrap().contains("once"));
        let with_token = Settings { token_file: Some("token".into()), ..Settings::default() };
        assert!(of(&two[..1], &with_token).err().unwrap().contains("once"));
    }

    #[test]
    fn files_that_are_none_are_named_and_not_shown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        let credentials = Settings { credentials: Some(path.clone()), ..Settings::default() };
        assert!(of(&["host"], &credentials).err().unwrap().contains("secret cannot be read: "));
        fs::write(&path, "hush").unwrap();
        let nkey = Settings { nkey_file: Some(path), ..Settings::default() };
        for settings in &[credentials, nkey] {
            let error = of(&["host"], settings).err().unwrap();
            assert!(error.contains("secret: there ") && !error.contains("hush"), "{error}");
        }
    }
}
