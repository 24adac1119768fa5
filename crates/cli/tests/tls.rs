//! TLS on the command line, in both roles.

mod common;

use common::{Ran, Server, run};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// A folder with the certificates of a test: `ca.pem`, and for each name a `.pem` and a `.key`.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str, names: &[&str]) -> Folder {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(test);
        fs::create_dir_all(&folder).unwrap();
        let folder = Folder(folder);
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "Authority of a test");
        let key = KeyPair::generate().unwrap();
        fs::write(folder.file("ca.pem"), params.self_signed(&key).unwrap().pem()).unwrap();
        let issuer = Issuer::new(params, key);
        for name in names {
            let mut params = CertificateParams::new([(*name).to_owned()]).unwrap();
            params.distinguished_name.push(DnType::CommonName, format!("The one of {name}"));
            let key = KeyPair::generate().unwrap();
            let certificate = params.signed_by(&key, &issuer).unwrap();
            fs::write(folder.file(&format!("{name}.pem")), certificate.pem()).unwrap();
            fs::write(folder.file(&format!("{name}.key")), key.serialize_pem()).unwrap();
        }
        folder
    }

    fn file(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    /// `wskit echo` with the certificate of this name.
    fn echo(&self, name: &str) -> Server {
        let (chain, key) = (self.file(&format!("{name}.pem")), self.file(&format!("{name}.key")));
        Server::start(&["echo", "--tls-cert", &chain, "--tls-key", &key])
    }
}

fn inspect(url: &str, options: &[&str]) -> Ran {
    run(&[&["inspect", "--output", "json", "--opening-timeout", "10", url], options].concat(), b"")
}

#[test]
fn a_line_comes_back_through_tls_if_the_authority_is_known() {
    let folder = Folder::new("known", &["127.0.0.1"]);
    let echo = folder.echo("127.0.0.1");
    let url = format!("wss://{}/", echo.address);
    let ca = folder.file("ca.pem");
    let ran = run(&["connect", "--verbose", "--expect", "1", "--ca-cert", &ca, &url], b"hello\n");
    assert_eq!((ran.code, ran.text()), (Some(0), "hello\n"), "{}", ran.stderr);
    assert!(ran.stderr.contains(", TLS 1.3"), "{}", ran.stderr);
    let ran = run(&["connect", &url], b"");
    assert_eq!((ran.code, ran.text()), (Some(3), ""));
    assert!(ran.stderr.starts_with("wskit: no TLS connection: the certificate of 127.0.0.1 comes"));
    assert_eq!(ran.stderr.lines().count(), 1);
}

#[test]
fn anyone_is_trusted_with_a_warning_only() {
    let echo = Server::start(&["echo", "--tls-self-signed"]);
    let url = format!("wss://{}/", echo.address);
    let ran = run(&["connect", "--expect", "1", "--insecure", &url], b"hello\n");
    assert_eq!((ran.code, ran.text()), (Some(0), "hello\n"), "{}", ran.stderr);
    assert!(ran.stderr.starts_with("wskit: warning: --insecure takes any certificate"));
}

#[test]
fn what_helps_with_a_certificate_that_signed_itself_is_told() {
    let echo = Server::start(&["echo", "--tls-self-signed"]);
    let url = format!("wss://{}/", echo.address);
    let ran = run(&["connect", "--proxy", "none", &url], b"");
    assert_eq!(ran.code, Some(3));
    for words in [
        "(--ca-cert FILE trusts who signed it, perhaps itself; --insecure takes any)",
        &format!("; to see more: wskit inspect --proxy none {url}\n"),
    ] {
        assert!(ran.stderr.contains(words), "{words:?} in {}", ran.stderr);
    }
    let report = inspect(&url, &[]).json();
    let remedies = report["fault"]["try"].to_string();
    assert!(remedies.contains("it signed itself") && remedies.contains("--ca-cert"), "{report}");
    assert!(remedies.contains("--insecure"), "{report}");
}

#[test]
fn inspect_tells_of_tls_and_of_the_certificate() {
    let folder = Folder::new("inspected", &["127.0.0.1"]);
    let echo = folder.echo("127.0.0.1");
    let url = format!("wss://{}/", echo.address);
    let ca = folder.file("ca.pem");
    let good = inspect(&url, &["--ca-cert", &ca]).json();
    assert_eq!((&good["outcome"], &good["exit_code"]), (&"open".into(), &0.into()));
    let tls = &good["tls"];
    assert_eq!((&tls["version"], &tls["protocol"]), (&"TLS 1.3".into(), &"http/1.1".into()));
    assert!(tls["cipher"].as_str().unwrap().starts_with("TLS13_"), "{tls}");
    assert!(tls["error"].is_null() && tls["let_pass"].is_null(), "{tls}");
    let certificate = &tls["certificate"];
    assert_eq!(certificate["subject"], "CN=The one of 127.0.0.1");
    assert_eq!(certificate["issuer"], "CN=Authority of a test");
    assert_eq!(certificate["names"][0], "127.0.0.1");
    assert_eq!(certificate["not_before"], "1975-01-01T00:00:00Z");
    assert_eq!(certificate["sha256"].as_str().unwrap().len(), 32 * 3 - 1);
    assert_eq!(good["closing"]["ended_by_peer"], true);

    let unknown = inspect(&url, &[]);
    let report = unknown.json();
    assert_eq!((unknown.code, &report["outcome"]), (Some(3), &"tls_failed".into()));
    assert_eq!(report["tls"]["certificate"], *certificate, "it is shown though nobody trusts it");
    assert!(report["tls"]["error"].as_str().unwrap().contains("not trusted"));
    assert!(report["fault"]["try"].to_string().contains("--ca-cert"));

    let let_pass = inspect(&url, &["--insecure"]);
    assert_eq!(let_pass.code, Some(0));
    assert!(let_pass.stderr.contains("warning"));
    let report = let_pass.json();
    assert!(report["tls"]["let_pass"].as_str().unwrap().contains("not trusted"));

    let page = run(&["inspect", "--ca-cert", &ca, &url], b"");
    for line in [
        "tls       TLS 1.3, TLS13_",
        "http/1.1 agreed by ALPN",
        "          certificate of CN=The one of 127.0.0.1",
        "          issued by CN=Authority of a test",
        "          valid from 1975-01-01T00:00:00Z until 4096-01-01T00:00:00Z",
        "SHA-256 ",
    ] {
        assert!(page.text().contains(line), "{line:?} in {}", page.text());
    }
}

#[test]
fn a_certificate_for_another_name_is_refused() {
    let folder = Folder::new("other", &["other.example"]);
    let echo = folder.echo("other.example");
    let url = format!("wss://{}/", echo.address);
    let report = inspect(&url, &["--ca-cert", &folder.file("ca.pem")]).json();
    let why = report["fault"]["why"].as_str().unwrap();
    assert_eq!(why, "the certificate is for other.example, and not for 127.0.0.1");
}

#[test]
fn a_url_of_the_wrong_kind_is_explained_in_both_directions() {
    let plain = Server::start(&["echo"]);
    let ran = run(&["connect", &format!("wss://{}/", plain.address)], b"");
    assert_eq!(ran.code, Some(3));
    assert!(ran.stderr.contains("does not speak TLS on this port"), "{}", ran.stderr);

    let secure = Server::start(&["serve", "--ephemeral", "--tls-self-signed"]);
    let report = inspect(&format!("ws://{}/", secure.address), &[]).json();
    assert!(report["tls"].is_null());
    assert!(report["fault"]["try"].to_string().contains("wss://"), "{report}");
    let mut stream = TcpStream::connect(&secure.address).unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert!(answer.ends_with("this port speaks TLS; the URL begins with https:// or wss://\n"));
}

#[test]
fn a_client_that_says_nothing_is_not_waited_for_and_keeps_nobody_waiting() {
    // Without the flag it is ten seconds.
    let time_max = Duration::from_secs(9);
    let echo = Server::start(&["echo", "--tls-self-signed", "--opening-timeout", "4"]);
    let started = Instant::now();
    let mut silent = TcpStream::connect(&echo.address).unwrap();
    let url = format!("wss://{}/", echo.address);
    let ran = run(&["connect", "--expect", "1", "--insecure", &url], b"hello\n");
    assert_eq!((ran.code, ran.text()), (Some(0), "hello\n"), "{}", ran.stderr);
    silent.set_read_timeout(Some(time_max)).unwrap();
    assert_eq!(silent.read(&mut [0; 1]).unwrap(), 0);
    assert!(started.elapsed() < time_max, "{:?}", started.elapsed());
}

#[test]
fn what_cannot_be_is_refused_with_the_reason() {
    let folder = Folder::new("wrong", &["a", "b"]);
    let (a, b, ca) = (folder.file("a.pem"), folder.file("b.key"), folder.file("ca.pem"));
    let (half, encrypted) = (folder.file("half"), folder.file("encrypted.key"));
    let old_encrypted = folder.file("old-encrypted.key");
    fs::write(&half, "-----BEGIN ").unwrap();
    let label = "ENCRYPTED PRIVATE KEY-----";
    fs::write(&encrypted, format!("-----BEGIN {label}\nAAAA\n-----END {label}\n")).unwrap();
    let content = "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nAAAA";
    let label = "RSA PRIVATE KEY-----";
    let old = format!("-----BEGIN {label}\n{content}\n-----END {label}\n");
    fs::write(&old_encrypted, old).unwrap();
    let echo = ["echo", "--listen", "127.0.0.1:0"];
    let nodes = ["serve", "--listen", "127.0.0.1:0", "--nats", "tls://127.0.0.1:1"];
    for (arguments, code, why) in [
        (
            &["echo", "--listen", "127.0.0.1:0", "--tls-cert", &a, "--tls-key", &b][..],
            1,
            "b.key: the private key does not belong to the certificate",
        ),
        (
            &["echo", "--listen", "127.0.0.1:0", "--tls-cert", &b, "--tls-key", &b],
            1,
            "no certificate in the PEM text",
        ),
        (
            &["echo", "--listen", "127.0.0.1:0", "--tls-cert", "nowhere", "--tls-key", &b],
            1,
            "nowhere cannot be read",
        ),
        (&[&echo[..], &["--tls-cert", &half, "--tls-key", &b]].concat(), 1, "read as PEM"),
        (&[&echo[..], &["--tls-cert", &a, "--tls-key", &encrypted]].concat(), 2, "is encrypted"),
        (&[&echo[..], &["--tls-cert", &half, "--tls-key", &encrypted]].concat(), 2, "is encrypted"),
        (
            &[&echo[..], &["--tls-cert", &a, "--tls-key", &old_encrypted]].concat(),
            2,
            "is encrypted",
        ),
        (&[&nodes[..], &["--nats-ca-cert", &half]].concat(), 1, "no CERTIFICATE in it"),
        (
            &[&nodes[..], &["--nats-client-cert", &half, "--nats-client-key", &b]].concat(),
            1,
            "no CERTIFICATE in it",
        ),
        (
            &[&nodes[..], &["--nats-client-cert", &a, "--nats-client-key", &half]].concat(),
            1,
            "no PRIVATE KEY in it",
        ),
        (
            &[&nodes[..], &["--nats-client-cert", &a, "--nats-client-key", &encrypted]].concat(),
            2,
            "is encrypted",
        ),
        (
            &[&nodes[..], &["--nats-client-cert", &a, "--nats-client-key", &old_encrypted]]
                .concat(),
            2,
            "is encrypted",
        ),
        (&["echo", "--listen", "127.0.0.1:0", "--tls-cert", &a], 2, "--tls-key"),
        (
            &[
                "echo",
                "--listen",
                "127.0.0.1:0",
                "--tls-self-signed",
                "--tls-cert",
                &a,
                "--tls-key",
                &b,
            ],
            2,
            "cannot be used",
        ),
        (&["connect", "--ca-cert", "nowhere", "wss://localhost:1/"], 2, "nowhere cannot be read"),
        (&["connect", "--ca-cert", &b, "wss://localhost:1/"], 2, "no certificate"),
        (&["connect", "--ca-cert", &ca, "ws://localhost:1/"], 2, "for URLs that begin with wss"),
        (&["connect", "--client-cert", &a, "wss://localhost:1/"], 2, "--client-key"),
    ] {
        let ran = run(arguments, b"");
        assert_eq!(ran.code, Some(code), "{arguments:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(why), "{arguments:?}: {}", ran.stderr);
    }
}
