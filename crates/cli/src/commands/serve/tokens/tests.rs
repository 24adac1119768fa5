use super::*;
use clap::Parser;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use std::path::Path;
use std::time::UNIX_EPOCH;
use wskit::RequestLine;
use wskit::proto::handshake::HeadLimits;

#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    tokens: TokenArguments,
}

const SECRET: &str = "0123456789abcdef0123456789abcdef";
const RSA_KEY: &str = include_str!("../../../../tests/keys/rsa.key");
const RSA_PUBLIC: &str = include_str!("../../../../tests/keys/rsa.pub");
const EC_KEY: &str = include_str!("../../../../tests/keys/ec.key");
const EC_PUBLIC: &str = include_str!("../../../../tests/keys/ec.pub");
const ED_KEY: &str = include_str!("../../../../tests/keys/ed.key");
const ED_PUBLIC: &str = include_str!("../../../../tests/keys/ed.pub");

/// A gate with what these flags say; `KEY` among them is a file with this content.
fn try_gate(flags: &str, key: &str) -> Result<Gate, Failure> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), key).unwrap();
    gate_of_file(flags, file.path())
}

/// The same with a file that is there already.
fn gate_of_file(flags: &str, file: &Path) -> Result<Gate, Failure> {
    let flags = flags.replace("KEY", file.to_str().unwrap());
    Arguments::parse_from(std::iter::once("test").chain(flags.split_whitespace())).tokens.gate()
}

fn gate(flags: &str, key: &str) -> Gate {
    try_gate(flags, key).unwrap_or_else(|failure| panic!("{failure:?}"))
}

fn secret_gate(flags: &str) -> Gate {
    gate(&format!("--token-secret-file KEY {flags}"), SECRET)
}

fn now() -> i64 {
    UNIX_EPOCH.elapsed().unwrap().as_secs() as i64
}

/// Claims that are good for a minute, with these besides or instead.
fn claims(others: &Value) -> Value {
    let mut claims = json!({"sub": "ann", "exp": now() + 60});
    claims.as_object_mut().unwrap().extend(others.as_object().unwrap().clone());
    claims
}

fn signed(algorithm: Algorithm, key: &EncodingKey, others: &Value) -> String {
    encode(&Header::new(algorithm), &claims(others), key).unwrap()
}

fn secret_signed(others: &Value) -> String {
    signed(Algorithm::HS256, &EncodingKey::from_secret(SECRET.as_bytes()), others)
}

fn admit_with(gate: &Gate, target: &str, headers: &[(&str, &str)]) -> Result<Admitted, Denial> {
    let line = RequestLine { method: "GET", target, minor_version: 1 };
    let headers = headers.iter().map(|(name, value)| (*name, value.as_bytes()));
    let headers = std::iter::once(("Host", &b"a"[..])).chain(headers);
    let request = Request::new(line, headers, HeadLimits::default()).unwrap();
    gate.admit(&request, Visit { room: "lobby".into(), ..Visit::default() })
}

fn admit(gate: &Gate, token: &str) -> Result<Admitted, Denial> {
    admit_with(gate, "/chat", &[("Authorization", &format!("Bearer {token}"))])
}

fn denied(gate: &Gate, token: &str) -> Option<Denial> {
    admit(gate, token).err()
}

#[test]
fn a_token_says_who_somebody_is_and_what_it_may_do() {
    let gate = secret_gate("");
    let admitted =
        admit(&gate, &secret_signed(&json!({"name": "Ann Lee", "rights": ["read"]}))).unwrap();
    let known = Standing::Known { user: "ann".into(), name: Some("Ann Lee".into()) };
    assert_eq!(admitted.visit.standing, known);
    assert_eq!(admitted.visit.rights, Rights { reads: true, writes: false });
    assert!(admitted.expires.unwrap() > SystemTime::now() + LEEWAY);
    let both = admit(&gate, &secret_signed(&json!({}))).unwrap().visit;
    assert_eq!(both.rights, Rights { reads: true, writes: true });
    assert_eq!(both.standing, Standing::Known { user: "ann".into(), name: None });
    let nobody = admit(&gate, &secret_signed(&json!({"sub": null}))).unwrap().visit;
    assert_eq!(nobody.standing, Standing::Stranger);
    assert_eq!(denied(&gate, &secret_signed(&json!({"rights": []}))), Some(Denial::Room));
    assert_eq!(denied(&gate, &secret_signed(&json!({"rights": ["reed"]}))), Some(Denial::Invalid));
}

#[test]
fn a_token_is_for_its_rooms() {
    let gate = secret_gate("");
    for (rooms, is_in) in [
        (json!(["lobby"]), true),
        (json!(["Lobby"]), true),
        (json!(["news", "lob*"]), true),
        (json!(["*"]), true),
        (json!(["lobb"]), false),
        (json!(["lobby-*"]), false),
        (json!([]), false),
    ] {
        let outcome = denied(&gate, &secret_signed(&json!({ "rooms": rooms })));
        assert_eq!(outcome.is_none(), is_in, "{rooms}");
        assert!(is_in || outcome == Some(Denial::Room) && Denial::Room.status() == 403);
    }
}

#[test]
fn every_kind_of_key_verifies_its_own_tokens_and_no_others() {
    let keys = [
        (Algorithm::HS256, SECRET, EncodingKey::from_secret(SECRET.as_bytes())),
        (Algorithm::RS256, RSA_PUBLIC, EncodingKey::from_rsa_pem(RSA_KEY.as_bytes()).unwrap()),
        (Algorithm::ES256, EC_PUBLIC, EncodingKey::from_ec_pem(EC_KEY.as_bytes()).unwrap()),
        (Algorithm::EdDSA, ED_PUBLIC, EncodingKey::from_ed_pem(ED_KEY.as_bytes()).unwrap()),
    ];
    for (ours, public, _) in &keys {
        let flag = if *ours == Algorithm::HS256 {
            "--token-secret-file KEY"
        } else {
            "--token-key-file KEY"
        };
        let gate = gate(flag, public);
        for (theirs, _, key) in &keys {
            let token = signed(*theirs, key, &json!({}));
            assert_eq!(admit(&gate, &token).is_ok(), ours == theirs, "{ours:?} {theirs:?}");
        }
        // The public key of all the world, taken for a secret.
        let forged = signed(
            Algorithm::HS256,
            &EncodingKey::from_secret(public.trim().as_bytes()),
            &json!({}),
        );
        assert_eq!(admit(&gate, &forged).is_ok(), *ours == Algorithm::HS256, "{ours:?}");
    }
}

#[test]
fn tokens_that_are_not_signed_or_changed_are_invalid() {
    use base64::Engine;
    let gate = secret_gate("");
    let part = |value: &Value| base64::prelude::BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let token = secret_signed(&json!({}));
    let [head, body, signature] = token.split('.').collect::<Vec<_>>()[..] else { panic!() };
    for wrong in [
        "a.b.c".into(),
        format!("{}.{body}.", part(&json!({"alg": "none"}))),
        format!("{}.{body}.{signature}", part(&json!({"alg": "none"}))),
        format!("{}.{body}.{signature}", part(&json!({"alg": "HS512"}))),
        format!("{head}.{}.{signature}", part(&claims(&json!({"sub": "bob"})))),
        format!("{head}.{body}"),
        format!("{head}.{body}.{signature}x"),
        signed(Algorithm::HS256, &EncodingKey::from_secret(b"another"), &json!({})),
        secret_signed(&json!({"name": "x".repeat(TOKEN_BYTES_MAX)})),
    ] {
        assert_eq!(denied(&gate, &wrong), Some(Denial::Invalid), "{wrong}");
    }
    let missing = encode(
        &Header::default(),
        &json!({"sub": "ann"}),
        &EncodingKey::from_secret(SECRET.as_bytes()),
    );
    assert_eq!(denied(&gate, &missing.unwrap()), Some(Denial::Invalid), "it never expires");
}

#[test]
fn what_a_token_wants_to_be_understood_has_to_be() {
    use base64::Engine;
    let part = |value: &Value| base64::prelude::BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let header = json!({"alg": "HS256", "crit": ["b64"], "b64": true});
    let message = format!("{}.{}", part(&header), part(&claims(&json!({}))));
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, Algorithm::HS256).unwrap();
    assert_eq!(denied(&secret_gate(""), &format!("{message}.{signature}")), Some(Denial::Invalid));
}

#[test]
fn clocks_may_differ_by_a_minute() {
    let gate = secret_gate("");
    for (times, outcome) in [
        (json!({"exp": now() - 50}), None),
        (json!({"exp": now() - 70}), Some(Denial::Expired)),
        (json!({"nbf": now() + 50}), None),
        (json!({"nbf": now() + 70}), Some(Denial::TooEarly)),
        (json!({"exp": 1e300}), Some(Denial::Invalid)),
        (json!({"exp": -1}), Some(Denial::Invalid)),
    ] {
        assert_eq!(denied(&gate, &secret_signed(&times)), outcome, "{times}");
    }
}

#[test]
fn what_is_no_time_is_not_taken_for_a_time_that_is_missing() {
    let gate = secret_gate("");
    for claim in ["exp", "nbf"] {
        for wrong in [json!("9999999999"), json!(null), json!([0]), json!(1e300), json!(-1)] {
            let token = secret_signed(&json!({ claim: wrong }));
            assert_eq!(denied(&gate, &token), Some(Denial::Invalid), "{claim}: {wrong}");
        }
    }
}

#[test]
fn a_token_may_have_to_be_meant_for_this_server() {
    let gate = secret_gate("--token-audience chat --token-issuer https://id.example");
    let issuer = "https://id.example";
    assert!(admit(&gate, &secret_signed(&json!({"aud": "chat", "iss": issuer}))).is_ok());
    assert!(admit(&gate, &secret_signed(&json!({"aud": ["mail", "chat"], "iss": issuer}))).is_ok());
    for (wrong, denial) in [
        (json!({"aud": "mail", "iss": issuer}), Denial::Foreign),
        (json!({"aud": "chat", "iss": "https://evil.example"}), Denial::Foreign),
        (json!({"iss": issuer}), Denial::Invalid),
        (json!({"aud": "chat"}), Denial::Invalid),
    ] {
        assert_eq!(denied(&gate, &secret_signed(&wrong)), Some(denial), "{wrong}");
    }
    let expects_nobody = secret_gate("");
    let meant = secret_signed(&json!({"aud": "mail"}));
    assert_eq!(denied(&expects_nobody, &meant), Some(Denial::Foreign));
}

#[test]
fn a_token_is_found_where_it_may_be() {
    let gate = secret_gate("");
    let token = secret_signed(&json!({}));
    let header = format!("bearer {token}");
    let offered = format!("wskit.chat, bearer.{token}");
    assert!(admit_with(&gate, "/chat", &[("Authorization", &header)]).is_ok());
    assert!(admit_with(&gate, "/chat", &[("Sec-WebSocket-Protocol", &offered)]).is_ok());
    assert!(admit_with(&gate, &format!("/chat?name=a&token={token}"), &[]).is_ok());
    assert_eq!(admit_with(&gate, "/chat", &[]).err(), Some(Denial::Missing));
    let basic = [("Authorization", "Basic YTpi")];
    assert_eq!(admit_with(&gate, "/chat", &basic).err(), Some(Denial::Missing));
}

#[test]
fn who_has_no_token_may_do_what_the_operator_says() {
    let anybody = gate("", "");
    let visit =
        admit_with(&anybody, "/chat", &[("Authorization", "Bearer nonsense")]).unwrap().visit;
    assert_eq!((visit.standing, visit.rights), (Standing::Open, Rights::default()));
    for (flags, writes) in [("--anonymous read", false), ("--anonymous write", true)] {
        let visit = admit_with(&secret_gate(flags), "/chat", &[]).unwrap().visit;
        assert_eq!(visit.standing, Standing::Stranger);
        assert_eq!(visit.rights, Rights { reads: true, writes });
    }
    // A token that is wrong is never taken for none.
    assert_eq!(denied(&secret_gate("--anonymous write"), "nonsense"), Some(Denial::Invalid));
}

#[test]
fn a_set_of_keys_is_asked_for_the_one_that_is_named() {
    use base64::Engine;
    let encoded = base64::prelude::BASE64_URL_SAFE_NO_PAD.encode(SECRET);
    let other = base64::prelude::BASE64_URL_SAFE_NO_PAD.encode([7; 32]);
    let set = json!({"keys": [
        {"kty": "unheard-of", "kid": "0"},
        {"kty": "oct", "kid": "old", "k": other, "alg": "HS256"},
        {"kty": "oct", "kid": "new", "k": encoded},
        {"kty": "oct", "kid": "not-for-this", "k": encoded, "alg": "HS512"},
    ]});
    let gate = gate("--token-jwks-file KEY", &set.to_string());
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    for (kid, is_in) in
        [(Some("new"), true), (None, true), (Some("old"), false), (Some("not-for-this"), false)]
    {
        let header = Header { kid: kid.map(str::to_owned), ..Header::new(Algorithm::HS256) };
        let token = encode(&header, &claims(&json!({})), &key).unwrap();
        assert_eq!(admit(&gate, &token).is_ok(), is_in, "{kid:?}");
    }
}

#[test]
fn what_is_no_key_is_refused_at_the_start() {
    for (flag, content) in [
        ("--token-secret-file KEY", "short"),
        ("--token-key-file KEY", RSA_KEY),
        ("--token-key-file KEY", SECRET),
        ("--token-jwks-file KEY", "{}"),
        ("--token-jwks-file KEY", r#"{"keys":[]}"#),
        ("--token-jwks-file KEY", r#"{"keys":[{"kty":"oct","k":"c2hvcnQ"}]}"#),
        ("--token-jwks-file /nowhere", ""),
    ] {
        assert!(try_gate(flag, content).is_err(), "{flag} {content}");
    }
}

#[test]
fn keys_that_are_replaced_are_known_and_broken_ones_change_nothing() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let write = |content: &str| std::fs::write(file.path(), content).unwrap();
    write(EC_PUBLIC);
    let gate = gate_of_file("--token-key-file KEY", file.path()).unwrap();
    let of_ec = EncodingKey::from_ec_pem(EC_KEY.as_bytes()).unwrap();
    let of_ed = EncodingKey::from_ed_pem(ED_KEY.as_bytes()).unwrap();
    let tokens = [
        signed(Algorithm::ES256, &of_ec, &json!({})),
        signed(Algorithm::EdDSA, &of_ed, &json!({})),
    ];
    let let_in = || {
        gate.keys.look();
        gate.keys.look();
        [admit(&gate, &tokens[0]).is_ok(), admit(&gate, &tokens[1]).is_ok()]
    };
    assert_eq!(let_in(), [true, false]);
    for broken in ["", "half of a key", ED_KEY, &ED_PUBLIC[..60]] {
        write(broken);
        assert_eq!(let_in(), [true, false], "{broken}");
    }
    write(ED_PUBLIC);
    assert_eq!(let_in(), [false, true]);
    std::fs::remove_file(file.path()).unwrap();
    assert_eq!(let_in(), [false, true]);
    write(EC_PUBLIC);
    assert_eq!(let_in(), [true, false]);
}

#[test]
fn keys_that_are_being_written_are_not_taken() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let write = |content: &str| std::fs::write(file.path(), content).unwrap();
    write(SECRET);
    let gate = gate_of_file("--token-secret-file KEY", file.path()).unwrap();
    let token = secret_signed(&json!({}));
    let is_let_in_after_a_look = || {
        gate.keys.look();
        admit(&gate, &token).is_ok()
    };
    // Each is long enough for a secret.
    for half in ["x".repeat(32), "x".repeat(40), "x".repeat(48)] {
        write(&half);
        assert!(is_let_in_after_a_look(), "{half}");
    }
    assert!(!is_let_in_after_a_look());
}

#[cfg(unix)]
#[test]
fn keys_from_a_pipe_are_read_once() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("secret");
    assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    let writing = std::thread::spawn({
        let path = path.clone();
        move || std::fs::write(path, SECRET).unwrap()
    });
    let gate = gate_of_file("--token-secret-file KEY", &path).unwrap();
    writing.join().unwrap();
    gate.keys.look();
    assert!(admit(&gate, &secret_signed(&json!({}))).is_ok());
}
