//! Who may use the server, and whether anybody can listen in.

use std::fs;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use nkeys::KeyPair;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair as TlsKey};
use tempfile::TempDir;
use wskit_nats::{Nats, Settings};
use wskit_store::Bounds;

use crate::common::{AnyStore, follow, keep};
use crate::nats_server::{CONFIG, NatsServer};

/// All that a node has to be allowed to do, as the documentation has it.
const PERMISSIONS: &str = r#"{
    publish = ["$JS.API.>", "wskit.>"]
    subscribe = ["_INBOX.>", "wskit.>"]
}"#;

/// A server with these settings, which may name files in its folder.
fn server(settings: &str, files: &[(&str, &str)]) -> NatsServer {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        fs::write(folder.path().join(name), content).unwrap();
    }
    let settings = settings.replace("$FOLDER", &folder.path().display().to_string());
    fs::write(folder.path().join(CONFIG), settings).unwrap();
    NatsServer::start_as(folder)
}

fn connect(address: String, set: impl FnOnce(&mut Settings)) -> Result<AnyStore, String> {
    let mut settings = Settings::default();
    settings.addresses = vec![address];
    set(&mut settings);
    let store = Nats::connect(settings, Bounds::default()).map_err(|error| error.to_string())?;
    Ok(Box::new(store))
}

/// Keeps and reads something, so that all that a node needs is allowed.
#[track_caller]
fn works(store: Result<AnyStore, String>) {
    let store = &*store.unwrap();
    let _following = follow(store, "room");
    let before = store.position("room").map_or(0, |position| position.last);
    assert_eq!(keep(store, "room", "one"), before + 1);
}

#[track_caller]
fn fails(store: Result<AnyStore, String>, words: &str) {
    let error = store.err().expect("it is let in");
    assert!(error.contains(words), "{error}");
    assert!(!error.contains("hush"), "{error}");
}

#[test]
fn a_user_is_known_by_a_password_in_the_address() {
    let user = format!(r#"{{ user = "ann", password = "hush@:,", permissions = {PERMISSIONS} }}"#);
    let server = server(&format!("authorization {{ users = [{user}] }}"), &[]);
    let at = |user: &str| format!("nats://{user}127.0.0.1:{}", server.port());
    works(connect(at("ann:hush%40%3A%2C@"), |_| {}));
    for wrong in ["ann:hush@", "bob:hush%40%3A%2C@", "hush@", ""] {
        fails(connect(at(wrong), |_| {}), "the password");
    }
}

#[test]
fn a_token_is_in_a_file_or_in_the_address() {
    let server = server(r#"authorization { token = "hush" }"#, &[("token", "hush\n")]);
    let file = server.config().join("token");
    works(connect(server.address(), |settings| settings.token_file = Some(file.clone())));
    works(connect(format!("nats://hush@127.0.0.1:{}", server.port()), |_| {}));
    fs::write(&file, "hush, hush").unwrap();
    let wrong = connect(server.address(), |settings| settings.token_file = Some(file));
    fails(wrong, "the token");
}

#[test]
fn a_key_of_nats_is_in_a_file() {
    let pair = KeyPair::new_user();
    let users = format!("{{ nkey = {}, permissions = {PERMISSIONS} }}", pair.public_key());
    let seed = pair.seed().unwrap();
    let server = server(&format!("authorization {{ users = [{users}] }}"), &[("seed", &seed)]);
    let file = server.config().join("seed");
    works(connect(server.address(), |settings| settings.nkey_file = Some(file.clone())));
    fs::write(&file, KeyPair::new_user().seed().unwrap()).unwrap();
    fails(connect(server.address(), |settings| settings.nkey_file = Some(file)), "the key");
}

/// A JSON Web Token as NATS has them.
fn token(issuer: &KeyPair, subject: &KeyPair, nats: &str) -> String {
    let (iss, sub) = (issuer.public_key(), subject.public_key());
    let claims = format!(
        r#"{{"jti":"{sub}","iat":1700000000,"iss":"{iss}","name":"test","sub":"{sub}","nats":{nats}}}"#
    );
    let head = URL_SAFE_NO_PAD.encode(r#"{"typ":"JWT","alg":"ed25519-nkey"}"#);
    let signed = format!("{head}.{}", URL_SAFE_NO_PAD.encode(claims));
    let signature = issuer.sign(signed.as_bytes()).unwrap();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn credentials(account: &KeyPair) -> String {
    let user = KeyPair::new_user();
    let permissions =
        r#""pub":{"allow":["$JS.API.>","wskit.>"]},"sub":{"allow":["_INBOX.>","wskit.>"]}"#;
    let unlimited = r#""subs":-1,"data":-1,"payload":-1"#;
    let nats = format!(r#"{{{permissions},{unlimited},"type":"user","version":2}}"#);
    let token = token(account, &user, &nats);
    let seed = user.seed().unwrap();
    format!(
        "-----BEGIN NATS USER JWT-----\n{token}\n------END NATS USER JWT------\n\n\
         -----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n"
    )
}

#[test]
fn credentials_are_in_a_file_that_may_be_replaced() {
    let [operator, system, account, other] = [
        KeyPair::new_operator(),
        KeyPair::new_account(),
        KeyPair::new_account(),
        KeyPair::new_account(),
    ];
    let limits = r#""limits":{"subs":-1,"data":-1,"payload":-1,"imports":-1,"exports":-1,"wildcards":true,"conn":-1,"leaf":-1,"mem_storage":-1,"disk_storage":-1,"streams":-1,"consumer":-1}"#;
    let of_account = format!(r#"{{{limits},"type":"account","version":2}}"#);
    let settings = format!(
        "operator = \"{}\"\nsystem_account = {}\nresolver = MEMORY\nresolver_preload = {{ {}: \"{}\", {}: \"{}\" }}",
        token(&operator, &operator, r#"{"type":"operator","version":2}"#),
        system.public_key(),
        system.public_key(),
        token(
            &operator,
            &system,
            r#"{"limits":{"subs":-1,"data":-1,"payload":-1,"imports":-1,"exports":-1,"wildcards":true,"conn":-1,"leaf":-1},"type":"account","version":2}"#
        ),
        account.public_key(),
        token(&operator, &account, &of_account),
    );
    let mut server = server(&settings, &[("creds", &credentials(&account))]);
    let file = server.config().join("creds");
    let with = |file: PathBuf| move |settings: &mut Settings| settings.credentials = Some(file);
    let store = connect(server.address(), with(file.clone()));
    // Whoever connects again shows what is in the file by then.
    fs::write(&file, credentials(&other)).unwrap();
    server.restart();
    let store = store.unwrap();
    let failure = |store: &AnyStore| store.statistics().failure;
    until(|| failure(&store).is_some());
    fails(connect(server.address(), with(file.clone())), "the credentials");
    fs::write(&file, credentials(&account)).unwrap();
    until(|| failure(&store).is_none());
    works(Ok(store));
    works(connect(server.address(), with(file)));
}

fn until(what: impl Fn() -> bool) {
    let began = std::time::Instant::now();
    while !what() {
        assert!(began.elapsed() < std::time::Duration::from_secs(120), "it does not come to be");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

/// Certificates of an authority, a server and a client, in files of a folder.
fn certificates() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, content: String| fs::write(folder.path().join(name), content).unwrap();
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = TlsKey::generate().unwrap();
    write("ca.pem", params.self_signed(&key).unwrap().pem());
    let authority = Issuer::new(params, key);
    for (name, host) in [("server", "127.0.0.1"), ("client", "node")] {
        let key = TlsKey::generate().unwrap();
        let params = CertificateParams::new([host.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &authority).unwrap();
        write(&format!("{name}.pem"), certificate.pem());
        write(&format!("{name}.key"), key.serialize_pem());
    }
    folder
}

/// A server with TLS.
fn secure(verify: bool) -> NatsServer {
    let folder = certificates();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let settings = format!(
        "tls {{ cert_file = {:?}, key_file = {:?}, ca_file = {:?}, verify = {verify} }}",
        path("server.pem"),
        path("server.key"),
        path("ca.pem"),
    );
    fs::write(folder.path().join(CONFIG), settings).unwrap();
    NatsServer::start_as(folder)
}

#[test]
fn a_server_with_tls_has_to_be_vouched_for() {
    let server = secure(false);
    let file = |name: &str| server.config().join(name);
    for scheme in ["tls", "nats"] {
        let address = format!("{scheme}://127.0.0.1:{}", server.port());
        let trusting = |settings: &mut Settings| settings.trusted = Some(file("ca.pem"));
        works(connect(address.clone(), trusting));
        fails(connect(address.clone(), |_| {}), "invalid peer certificate");
        let foreign = certificates();
        let other = foreign.path().join("ca.pem");
        let distrusting = |settings: &mut Settings| settings.trusted = Some(other);
        fails(connect(address.clone(), distrusting), "invalid peer certificate");
        let by_name = format!("{scheme}://localhost:{}", server.port());
        fails(connect(by_name, trusting), "not valid for name");
    }
    let address = format!("tls://127.0.0.1:{}", server.port());
    for (name, words) in [("server.key", "no CERTIFICATE in it"), ("none", "none cannot be read")] {
        let wrong = |settings: &mut Settings| settings.trusted = Some(file(name));
        fails(connect(address.clone(), wrong), words);
    }
}

#[test]
fn a_server_may_want_a_certificate() {
    let server = secure(true);
    let file = |name: &str| server.config().join(name);
    let address = format!("tls://127.0.0.1:{}", server.port());
    let trusting = |settings: &mut Settings| settings.trusted = Some(file("ca.pem"));
    works(connect(address.clone(), |settings| {
        trusting(settings);
        settings.client_certificate = Some((file("client.pem"), file("client.key")));
    }));
    fails(connect(address, trusting), "ertificate");
}

#[test]
fn who_asks_for_tls_says_nothing_without_it() {
    let server = NatsServer::start();
    let address = format!("tls://ann:hush@127.0.0.1:{}", server.port());
    fails(connect(address, |_| {}), "has the server TLS?");
}
