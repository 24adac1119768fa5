//! `wskit inspect` over HTTP/2, against our own servers, and against some that speak it otherwise.

mod common;

use common::{Ran, Server, run};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use wskit::tls::rustls::{ServerConfig, ServerConnection, StreamOwned};

fn inspect(url: &str, options: &[&str]) -> Ran {
    run(&[&["inspect", "--opening-timeout", "5", url], options].concat(), b"")
}

fn inspect_json(url: &str, options: &[&str]) -> serde_json::Value {
    let ran = inspect(url, &[options, &["--output", "json"]].concat());
    let report = ran.json();
    assert_eq!(report["exit_code"], ran.code.unwrap(), "{report}");
    report
}

/// What the failure is called, its exit code, and what is said of it.
fn fault(report: &serde_json::Value) -> (&str, i64, String) {
    let words = [report["fault"]["why"].to_string(), report["fault"]["try"].to_string()].concat();
    (report["outcome"].as_str().unwrap(), report["exit_code"].as_i64().unwrap(), words)
}

fn passed(report: &serde_json::Value) -> Vec<Option<bool>> {
    let checks = report["checks"].as_array().unwrap();
    checks.iter().map(|check| check["passed"].as_bool()).collect()
}

/// SETTINGS_ENABLE_CONNECT_PROTOCOL = 1
const ENABLE_CONNECT: [u8; 6] = [0, 8, 0, 0, 0, 1];
/// SETTINGS_MAX_CONCURRENT_STREAMS = 100
const MAX_STREAMS: [u8; 6] = [0, 3, 0, 0, 0, 100];

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const ACK: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// Speaks HTTP/2 by hand.
struct Frames<S>(S);

impl<S: Read + Write> Frames<S> {
    fn send(&mut self, kind: u8, flags: u8, stream: u8, payload: &[u8]) {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        let head = [length[1], length[2], length[3], kind, flags, 0, 0, 0, stream];
        // The client may have gone.
        let _ = self.0.write_all(&[&head, payload].concat());
    }

    /// The kind, the flags and the payload of the next frame.
    fn receive(&mut self) -> Option<(u8, u8, Vec<u8>)> {
        let mut head = [0; 9];
        self.0.read_exact(&mut head).ok()?;
        let mut payload = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize];
        self.0.read_exact(&mut payload).ok()?;
        Some((head[3], head[4], payload))
    }
}

/// Speaks HTTP/2 with one client until that goes.
fn talk<S: Read + Write>(stream: S, settings: &[u8], answer: impl Fn(&mut Frames<S>)) {
    let mut frames = Frames(stream);
    frames.0.read_exact(&mut [0; 24]).unwrap();
    frames.send(SETTINGS, 0, 0, settings);
    while let Some((kind, flags, payload)) = frames.receive() {
        match kind {
            SETTINGS if flags & ACK == 0 => frames.send(SETTINGS, ACK, 0, &[]),
            PING if flags & ACK == 0 => frames.send(PING, ACK, 0, &payload),
            HEADERS => answer(&mut frames),
            _ => {}
        }
    }
}

/// A server of one client over HTTP/2 with these settings, which answers a request so. No request is
/// made of it if it does not allow that.
fn serve_http2(
    settings: &[u8],
    answer: impl Fn(&mut Frames<TcpStream>) + Send + 'static,
) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    let settings = settings.to_vec();
    thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        talk(stream, &settings, answer);
    });
    url
}

/// A server of one client that says this, ends its side, and reads whatever comes.
fn answer_with(bytes: &[u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    let bytes = bytes.to_vec();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(&bytes).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let _the_client_may_have_gone = stream.read_to_end(&mut Vec::new());
    });
    url
}

/// A block of headers without any compression (RFC 7541 §6.2.2).
fn block(headers: &[(&str, &str)]) -> Vec<u8> {
    let text = |text: &str| [&[u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
    headers.iter().flat_map(|(name, value)| [vec![0], text(name), text(value)].concat()).collect()
}

#[test]
fn a_good_endpoint_is_explained_without_tls() {
    let echo = Server::start(&["echo", "--subprotocol", "chat.v1"]);
    let url = format!("ws://{}/room?x=1", echo.address);
    let options = ["--http", "2", "--subprotocol", "chat.v1", "--header", "X-Test: yes"];
    let good = inspect(&url, &options);
    assert_eq!((good.code, &*good.stderr), (Some(0), ""), "{}", good.text());
    for words in [
        "http/2    by prior knowledge",
        "SETTINGS_ENABLE_CONNECT_PROTOCOL (8): 1",
        "ok        SETTINGS_ENABLE_CONNECT_PROTOCOL is 1: the extended CONNECT may be sent",
        ":method: CONNECT",
        ":protocol: websocket",
        ":scheme: http\n",
        ":path: /room?x=1",
        "x-test: yes",
        "key       none, and no accept value",
        "response  :status: 200",
        "ok        1. the status has to be 2xx",
        "-         4. ",
        "does not apply: over HTTP/2 no key is sent",
        "ok        6. ",
        "agreed    subprotocol chat.v1, extensions permessage-deflate",
        "closing   sent 1000, received 1000, then the server ended the stream",
        "ok        this endpoint opens WebSocket connections",
    ] {
        assert!(good.text().contains(words), "{words:?} in {}", good.text());
    }
    assert!(!good.text().contains("Sec-WebSocket-Key"), "{}", good.text());
}

#[test]
fn alpn_chooses_the_version_and_the_report_has_its_documented_names() {
    let echo = Server::start(&["echo", "--tls-self-signed"]);
    let url = format!("wss://{}/", echo.address);
    for version in ["2", "auto"] {
        let report = inspect_json(&url, &["--http", version, "--insecure"]);
        assert_eq!(report["outcome"], "open", "{report}");
        assert_eq!(report["tls"]["protocol"], "h2");
        assert_eq!(report["http2"]["known_by"], "alpn");
        assert_eq!(report["http2"]["takes_websockets"], true);
        assert_eq!(report["http_version"], "2");
        let pseudo_headers = report["request"]["pseudo_headers"].as_array().unwrap();
        let fields: Vec<_> = pseudo_headers.iter().map(|field| &field["name"]).collect();
        assert_eq!(fields, [":method", ":protocol", ":scheme", ":authority", ":path"]);
        assert_eq!(pseudo_headers[2]["value"], "https");
        assert!(report["request"]["line"].is_null() && report["key"].is_null());
        assert_eq!(report["response"]["status"], 200);
        assert_eq!(passed(&report), [Some(true), None, None, None, Some(true), Some(true)]);
        assert!(report["checks"][3]["falls_away"].as_str().unwrap().contains("no key"));
        assert_eq!(report["closing"]["received"]["code"], 1000);
        assert_eq!(report["closing"]["ended_by_peer"], true);
    }
    let report = inspect_json(&url, &["--insecure"]);
    assert_eq!(report["http_version"], "1.1");
    assert!(report["http2"].is_null() && report["key"].is_object());
}

#[test]
fn a_server_without_extended_connect_is_asked_for_nothing() {
    for (settings, told) in [
        (MAX_STREAMS, "there is no SETTINGS_ENABLE_CONNECT_PROTOCOL"),
        ([0, 8, 0, 0, 0, 0], "SETTINGS_ENABLE_CONNECT_PROTOCOL is 0"),
    ] {
        let start = || serve_http2(&settings, |_| panic!("nothing may be asked for"));
        let report = inspect_json(&start(), &["--http", "2"]);
        let (outcome, exit_code, said) = fault(&report);
        assert_eq!((outcome, exit_code), ("http2_unavailable", 4));
        assert!(said.contains("takes no WebSockets") && said.contains("--http 1.1"), "{said}");
        assert_eq!(report["http2"]["settings"][0]["number"], settings[1]);
        assert_eq!(report["http2"]["takes_websockets"], false);
        assert!(report["request"].is_null() && report["http_version"].is_null());
        let page = inspect(&start(), &["--http", "2"]);
        assert!(page.text().contains(&format!("FAIL      {told}")), "{}", page.text());
    }
}

/// For a server that would rather speak HTTP/2.
fn tls_config() -> Arc<ServerConfig> {
    let key = rcgen::KeyPair::generate().unwrap();
    let params = rcgen::CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
    let certificate = params.self_signed(&key).unwrap().pem();
    let mut config =
        wskit::tls::server_config(certificate.as_bytes(), key.serialize_pem().as_bytes()).unwrap();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Arc::new(config)
}

fn begin_tls(config: Arc<ServerConfig>, stream: TcpStream) -> Tls {
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let mut tls = StreamOwned::new(ServerConnection::new(config).unwrap(), stream);
    tls.conn.complete_io(&mut tls.sock).unwrap();
    tls
}

type Tls = StreamOwned<ServerConnection, TcpStream>;

#[test]
fn auto_goes_on_with_http_1_1_where_http_2_takes_no_websockets() {
    let config = tls_config();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("wss://{}/", listener.local_addr().unwrap());
    for takes_websockets in [false, true] {
        let (config, listener) = (config.clone(), listener.try_clone().unwrap());
        thread::spawn(move || {
            for stream in listener.incoming().take(2) {
                let mut tls = begin_tls(config.clone(), stream.unwrap());
                if tls.conn.alpn_protocol() != Some(b"h2") {
                    tls.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").unwrap();
                    let _the_client_may_have_gone = tls.read_to_end(&mut Vec::new());
                } else if takes_websockets {
                    thread::spawn(|| talk(tls, &ENABLE_CONNECT, demand_http_1_1));
                } else {
                    let refuse = |_: &mut _| panic!("nothing may be asked for");
                    thread::spawn(move || talk(tls, &MAX_STREAMS, refuse));
                }
            }
        });
        let report = inspect_json(&url, &["--http", "auto", "--insecure"]);
        let version = &report["http_version"];
        assert_eq!((fault(&report).0, version), ("refused", &"1.1".into()), "{report}");
        assert_eq!(report["http2"]["takes_websockets"], takes_websockets);
        assert_eq!(report["tls"]["protocol"], "http/1.1");
        assert_eq!(report["attempts"].as_array().unwrap().len(), 1);
        assert_eq!(report["response"]["status"], 404);
    }
}

#[test]
fn what_the_first_connection_of_auto_met_is_not_told_of_the_second() {
    let start = || {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("wss://{}/", listener.local_addr().unwrap());
        thread::spawn(move || {
            let (stream, _) = listener.accept().unwrap();
            // Nobody comes in any more.
            drop(listener);
            talk(begin_tls(tls_config(), stream), &ENABLE_CONNECT, demand_http_1_1);
        });
        url
    };
    let options = ["--http", "auto", "--insecure"];
    let report = inspect_json(&start(), &options);
    assert_eq!(fault(&report).0, "no_connection", "{report}");
    assert_eq!(report["http2"]["takes_websockets"], true);
    for of_the_first in ["tls", "request", "http_version"] {
        assert!(report[of_the_first].is_null(), "{report}");
    }
    let attempts = report["attempts"].as_array().unwrap();
    assert!(attempts.len() == 1 && attempts[0]["error"].is_string(), "{report}");
    let page = inspect(&start(), &options);
    assert!(page.text().contains("tried first, on a connection of its own"), "{}", page.text());
}

fn demand_http_1_1<S: Read + Write>(frames: &mut Frames<S>) {
    const HTTP_1_1_REQUIRED: u32 = 0xd;
    frames.send(RST_STREAM, 0, 1, &HTTP_1_1_REQUIRED.to_be_bytes());
}

#[test]
fn a_server_that_demands_http_1_1_is_understood() {
    let url = serve_http2(&ENABLE_CONNECT, demand_http_1_1);
    let report = inspect_json(&url, &["--http", "2"]);
    let (outcome, exit_code, said) = fault(&report);
    assert_eq!((outcome, exit_code), ("http2_unavailable", 4), "{report}");
    assert!(said.contains("HTTP_1_1_REQUIRED") && said.contains("--http 1.1"), "{said}");
}

#[test]
fn every_refusal_has_its_reason() {
    for (status, words) in [
        ("302", "go where it points: wss://example.com/x"),
        ("400", "found a fault in the request"),
        ("401", "--header 'Authorization"),
        ("403", "--origin"),
        ("404", "nothing at this path"),
        ("405", "takes no extended CONNECT"),
        ("418", "only 2xx opens"),
        ("421", "not the one for this host"),
        ("501", "takes no extended CONNECT"),
        ("503", "no room or is not ready"),
    ] {
        let url = serve_http2(&ENABLE_CONNECT, move |frames| {
            let headers = block(&[(":status", status), ("location", "https://example.com/x")]);
            frames.send(HEADERS, END_HEADERS, 1, &headers);
            frames.send(DATA, END_STREAM, 1, b"not now");
        });
        let report = inspect_json(&url, &["--http", "2"]);
        let (outcome, exit_code, said) = fault(&report);
        assert_eq!((outcome, exit_code), ("refused", 4), "{report}");
        assert!(said.contains(words) && said.contains(status), "{status}: {said}");
        assert_eq!(report["response"]["line"], format!(":status: {status}"));
        assert_eq!(report["response"]["body"], "not now");
        assert_eq!(passed(&report), [Some(false), None, None, None, None, None]);
    }
}

#[test]
fn our_server_refuses_with_a_body() {
    let server = Server::start(&["serve", "--ephemeral"]);
    let report = inspect_json(&format!("ws://{}/nothing", server.address), &["--http", "2"]);
    assert_eq!((fault(&report).0, &report["response"]["status"]), ("refused", &404.into()));
    assert_ne!(report["response"]["body"], "");
}

#[test]
fn a_response_that_breaks_a_rule_shows_all_checks() {
    for (header, failed) in
        [(("sec-websocket-extensions", "x-other"), 5), (("sec-websocket-protocol", "b"), 6)]
    {
        let url = serve_http2(&ENABLE_CONNECT, move |frames| {
            frames.send(HEADERS, END_HEADERS, 1, &block(&[(":status", "204"), header]));
        });
        let report = inspect_json(&url, &["--http", "2"]);
        let (outcome, exit_code, said) = fault(&report);
        assert_eq!((outcome, exit_code), ("handshake_wrong", 4));
        assert!(said.contains("was not offered"), "{said}");
        let verdicts = [Some(true), None, None, None, Some(failed != 5), Some(failed != 6)];
        assert_eq!(passed(&report), verdicts);
    }
}

#[test]
fn what_ends_too_early_is_told() {
    let reset = serve_http2(&ENABLE_CONNECT, |frames| {
        frames.send(RST_STREAM, 0, 1, &7_u32.to_be_bytes());
    });
    let report = inspect_json(&reset, &["--http", "2"]);
    assert_eq!((fault(&report).0, fault(&report).1), ("connection_ended", 4));
    let ended = serve_http2(&ENABLE_CONNECT, |frames| {
        frames.send(HEADERS, END_HEADERS, 1, &block(&[(":status", "200")]));
        frames.send(DATA, END_STREAM, 1, &[]);
    });
    let report = inspect_json(&ended, &["--http", "2"]);
    let (outcome, exit_code, said) = fault(&report);
    assert_eq!((outcome, exit_code), ("closing_wrong", 5));
    assert!(said.contains("then the server ends the stream"), "{said}");
}

#[test]
fn a_server_that_does_not_speak_it_is_recognised() {
    let old = answer_with(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
    let report = inspect_json(&old, &["--http", "2"]);
    let (outcome, exit_code, said) = fault(&report);
    assert_eq!((outcome, exit_code), ("response_unreadable", 4), "{report}");
    assert!(said.contains("HTTP/1.1 400") && said.contains("--http 1.1"), "{said}");
    let gone = answer_with(b"");
    let report = inspect_json(&gone, &["--http", "2"]);
    assert_eq!((fault(&report).0, fault(&report).1), ("connection_ended", 4), "{report}");
    // The other way round.
    let new = answer_with(&[&[0, 0, 6, 4, 0, 0, 0, 0, 0][..], &MAX_STREAMS].concat());
    assert!(fault(&inspect_json(&new, &[])).2.contains("--http 2"));
}
