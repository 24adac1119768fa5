//! Tokens: JSON Web Tokens (RFC 7519) that say who somebody is and what this one may do.
//!
//! ```text
//!  request ──▶ presented ──▶ keys ──▶ claims ──▶ Grant ──▶ Visit ──▶ hub
//!              (where?)      (whose?)  (what?)
//! ```

mod claims;
mod keys;
mod presented;
mod ring;

use crate::failure::Failure;
use claims::Claims;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Validation, decode};
use keys::KeyArguments;
use ring::KeyRing;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use wskit::Request;
use wskit_hub::{Closing, Rights, Standing, Visit};

/// Who may come in, and with which rights.
#[derive(clap::Args)]
#[command(next_help_heading = "Who may come in")]
pub(super) struct TokenArguments {
    #[command(flatten)]
    keys: KeyArguments,

    /// Who the tokens have to be meant for (their aud)
    #[arg(long, value_name = "NAME")]
    token_audience: Option<String>,

    /// Who has to have issued the tokens (their iss)
    #[arg(long, value_name = "NAME")]
    token_issuer: Option<String>,

    /// What who has no token may do [default: write; none if there are keys for tokens]
    #[arg(long, value_name = "WHAT", value_enum)]
    anonymous: Option<Anonymous>,
}

/// What somebody without a token may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Anonymous {
    /// Not come in
    None,
    /// Read
    Read,
    /// Read and write
    Write,
}

/// Lets in who may come in.
pub(super) struct Gate {
    keys: Arc<KeyRing>,
    /// Whether tokens are known here at all, which stays as it is.
    knows_tokens: bool,
    validation: Validation,
    anonymous: Anonymous,
}

/// Somebody who may come in, and until when.
#[derive(Debug)]
pub(super) struct Admitted {
    pub(super) visit: Visit,
    pub(super) expires: Option<SystemTime>,
}

/// Why somebody may not come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Denial {
    /// A token is needed, and none was given.
    Missing,
    /// The token is not as it should be, or nobody knows who made it.
    Invalid,
    /// The token is valid no more.
    Expired,
    /// The token is not valid yet.
    TooEarly,
    /// The token is meant for somebody else, or made by somebody else.
    Foreign,
    /// The token is good, and not for this room.
    Room,
}

/// How far the clocks of two machines may be apart.
const LEEWAY: Duration = Duration::from_secs(60);

/// The longest token.
const TOKEN_BYTES_MAX: usize = 4 * 1024;

impl TokenArguments {
    pub(super) fn gate(&self) -> Result<Gate, Failure> {
        let keys = KeyRing::load(&self.keys)?;
        let knows_tokens = !keys.keys().is_empty();
        let mut validation = Validation::default();
        validation.leeway = LEEWAY.as_secs();
        validation.validate_nbf = true;
        // Who expects nobody takes no token that is meant for somebody.
        validation.aud = self.token_audience.clone().map(|name| [name].into());
        validation.iss = self.token_issuer.clone().map(|name| [name].into());
        let mut required = vec!["exp"];
        required.extend(self.token_audience.as_ref().map(|_| "aud"));
        required.extend(self.token_issuer.as_ref().map(|_| "iss"));
        validation.set_required_spec_claims(&required);
        let default = if knows_tokens { Anonymous::None } else { Anonymous::Write };
        let anonymous = self.anonymous.unwrap_or(default);
        Ok(Gate { keys: Arc::new(keys), knows_tokens, validation, anonymous })
    }
}

impl Gate {
    /// Sees to it that keys which are replaced in their files are known, for ever.
    pub(super) fn look_after_keys(&self) -> impl Future<Output = ()> + use<> {
        let (keys, knows_tokens) = (self.keys.clone(), self.knows_tokens);
        async move {
            if knows_tokens {
                keys.look_after().await;
            }
        }
    }

    /// Finds out who sent the request, and what this one may do where it wants to go.
    pub(super) fn admit(&self, request: &Request, visit: Visit) -> Result<Admitted, Denial> {
        // Where there are no keys nobody is known, and what looks like a token is none.
        match presented::token(request).filter(|_| self.knows_tokens) {
            None => self.admit_anonymous(visit),
            Some(token) => {
                let grant = self.verify(&token)?.grant()?;
                if !grant.rooms.cover(&visit.room) {
                    return Err(Denial::Room);
                }
                let (standing, rights) = (grant.standing, grant.rights);
                let expires = Some(grant.expires + LEEWAY);
                Ok(Admitted { visit: Visit { standing, rights, ..visit }, expires })
            }
        }
    }

    fn admit_anonymous(&self, visit: Visit) -> Result<Admitted, Denial> {
        let writes = match self.anonymous {
            Anonymous::None => return Err(Denial::Missing),
            Anonymous::Read => false,
            Anonymous::Write => true,
        };
        let standing = if self.knows_tokens { Standing::Stranger } else { Standing::Open };
        let visit = Visit { standing, rights: Rights { reads: true, writes }, ..visit };
        Ok(Admitted { visit, expires: None })
    }

    fn verify(&self, token: &str) -> Result<Claims, Denial> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(Denial::Invalid);
        }
        let header = jsonwebtoken::decode_header(token).map_err(|_| Denial::Invalid)?;
        // RFC 7515 §4.1.11: what has to be understood and is not makes the token invalid.
        if presented::has_critical(token) {
            return Err(Denial::Invalid);
        }
        let mut denial = Denial::Invalid;
        // Each key verifies with its own algorithm alone, so that no key is taken for one of another kind.
        for key in self.keys.keys().iter().filter(|key| key.may_have_signed(&header)) {
            let mut validation = self.validation.clone();
            validation.algorithms = vec![key.algorithm];
            match decode::<Claims>(token, &key.key, &validation) {
                Ok(token) => return Ok(token.claims),
                Err(error) => {
                    denial = match error.kind() {
                        ErrorKind::ExpiredSignature => Denial::Expired,
                        ErrorKind::ImmatureSignature => Denial::TooEarly,
                        ErrorKind::InvalidAudience | ErrorKind::InvalidIssuer => Denial::Foreign,
                        ErrorKind::InvalidSignature => continue,
                        _ => Denial::Invalid,
                    };
                }
            }
        }
        Err(denial)
    }
}

impl Denial {
    /// 401 asks for another token, 403 says that no token of this kind will do (RFC 9110 §15.5).
    pub(super) fn status(self) -> u16 {
        match self {
            Denial::Room => 403,
            _ => 401,
        }
    }

    /// The close code, for those who cannot see a status.
    pub(super) fn close_code(self) -> u16 {
        4000 + self.status()
    }

    /// What goes into the Close frame.
    pub(super) fn closing(self) -> Closing {
        Closing::because(self.close_code(), self.to_string())
    }

    /// The reason, as programs know it.
    pub(super) fn reason(self) -> &'static str {
        match self {
            Denial::Missing => "token_missing",
            Denial::Invalid => "token_invalid",
            Denial::Expired => "token_expired",
            Denial::TooEarly => "token_too_early",
            Denial::Foreign => "token_foreign",
            Denial::Room => "token_room",
        }
    }
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Denial::Missing => "a token is needed to come in",
            Denial::Invalid => "the token is not valid here",
            Denial::Expired => "the token has expired; come back with a new one",
            Denial::TooEarly => "the token is not valid yet",
            Denial::Foreign => "the token is not meant for this server, or not from its issuer",
            Denial::Room => "the token is not for this room",
        })
    }
}

#[cfg(test)]
mod tests;
