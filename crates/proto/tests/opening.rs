//! The server's side of the opening handshake: every fault has its answer, every freedom is allowed.

mod common;

use bytes::BytesMut;
use common::waiting;
use wskit_proto::Compression;
use wskit_proto::Output;
use wskit_proto::handshake::{
    Acceptance, Field, HeadLimits, InvalidField, Offer, OriginPolicy, Rejection, Request,
    RequestError, RequestLine, ServerOpening, Subprotocol,
};

const GOOD: &str = "GET /chat HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Version: 13\r\n\r\n";

fn receive(head: impl AsRef<[u8]>) -> Result<Offer, RequestError> {
    receive_within(HeadLimits::default(), head).map(|offer| offer.expect("the head is whole"))
}

/// Receives the request as bytes and, if it is one, as another parser hands it over too: the outcome
/// is the same.
fn receive_within(
    limits: HeadLimits,
    head: impl AsRef<[u8]>,
) -> Result<Option<Offer>, RequestError> {
    let head = head.as_ref();
    let received = ServerOpening::new(limits).receive(&mut BytesMut::from(head));
    let mut storage = [httparse::EMPTY_HEADER; 200];
    let mut parsed = httparse::Request::new(&mut storage);
    if matches!(parsed.parse(head), Ok(httparse::Status::Complete(_))) {
        let line = RequestLine {
            method: parsed.method.unwrap(),
            target: parsed.path.unwrap(),
            minor_version: parsed.version.unwrap(),
        };
        let headers = parsed.headers.iter().map(|header| (header.name, header.value));
        let handed_over = Request::new(line, headers, limits).and_then(Request::into_offer);
        let show = |offer: &Offer| {
            let request = offer.request();
            let target = (request.path_and_query().to_owned(), request.host().to_owned());
            let headers = format!("{:?}", request.headers());
            (target, headers, offer.bootstrap(), offer.subprotocols().to_vec())
        };
        let as_bytes = received.as_ref().map(|offer| show(offer.as_ref().unwrap()));
        assert_eq!(handed_over.as_ref().map(show), as_bytes);
    }
    received
}

/// The good request with `from` replaced.
fn with(from: &str, to: &str) -> String {
    assert!(GOOD.contains(from), "{from}");
    GOOD.replacen(from, to, 1)
}

/// The good request with one more line.
fn plus(line: &str) -> String {
    with("\r\n\r\n", &format!("\r\n{line}\r\n\r\n"))
}

fn response(error: &RequestError) -> String {
    let mut output = Output::default();
    error.write_response(&mut output);
    String::from_utf8(waiting(&output)).unwrap()
}

#[test]
fn every_fault_of_a_request_has_its_answer() {
    let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let version = "Sec-WebSocket-Version: 13\r\n";
    let faults: &[(String, u16, &str)] = &[
        // §4.2.1 (1)
        (with("GET", "POST"), 405, "Allow: GET"),
        (with("GET /chat", "OPTIONS *"), 405, "Allow: GET"),
        (with("HTTP/1.1", "HTTP/1.0"), 505, ""),
        (with("HTTP/1.1", "HTTP/2.0"), 505, ""),
        (with("/chat", "chat"), 400, "target"),
        (with("/chat", "/<"), 400, "target"),
        (with("/chat", "/#part"), 400, "target"),
        (with("/chat", "/%zz"), 400, "target"),
        (with("/chat", "http://user@example.com/"), 400, "target"),
        (with("/chat", "/ chat"), 400, "target"),
        // §4.2.1 (2)
        (with("Host: example.com\r\n", ""), 400, "Host is missing"),
        (plus("Host: example.com"), 400, "Host"),
        (with("example.com", ""), 400, "Host"),
        (with("example.com", "a, b"), 400, "Host"),
        (with("example.com", "caf\u{e9}.example"), 400, "Host"),
        (with("example.com", "user@example.com"), 400, "Host"),
        (with("example.com", "example.com:x"), 400, "Host"),
        // §4.2.1 (3)
        (with("Upgrade: websocket\r\n", ""), 426, "Upgrade: websocket"),
        (with("websocket", "h2c"), 426, "Connection: close, Upgrade"),
        // §4.2.1 (4)
        (with("Connection: Upgrade\r\n", ""), 426, "Upgrade: websocket"),
        (with("Connection: Upgrade", "Connection: keep-alive"), 426, "Upgrade: websocket"),
        (with("Connection: Upgrade", "Connection: Upgrades"), 426, "Upgrade: websocket"),
        // §4.2.1 (5)
        (with(key, ""), 400, "Key is missing"),
        (plus(key.trim()), 400, "Key stands more than once"),
        (with("dGhlIHNhbXBsZSBub25jZQ==", ""), 400, "24 characters"),
        (with("dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZQ"), 400, "24 characters"),
        (with("jZQ==", "jZR=="), 400, "base64"),
        (with("jZQ==", "jZSE="), 400, "base64"),
        // §4.2.1 (6) and §4.4
        (with(version, ""), 400, "Sec-WebSocket-Version: 13"),
        (with("Version: 13", "Version: 8"), 426, "Sec-WebSocket-Version: 13"),
        (with("Version: 13", "Version: 013"), 426, "Sec-WebSocket-Version: 13"),
        (with("Version: 13", "Version: 13, 8"), 426, "Sec-WebSocket-Version: 13"),
        (plus("Sec-WebSocket-Version: 13"), 426, "Sec-WebSocket-Version: 13"),
        // §4.2.1 (8)
        (plus("Sec-WebSocket-Protocol: a,,b"), 400, "Protocol"),
        (plus("Sec-WebSocket-Protocol:"), 400, "Protocol"),
        (plus("Sec-WebSocket-Protocol: a b"), 400, "Protocol"),
        (plus("Sec-WebSocket-Protocol: a, b, a"), 400, "a stands twice"),
        (plus("Sec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: a"), 400, "a stands twice"),
        // §4.2.1 (9) and §9.1
        (plus("Sec-WebSocket-Extensions: a;"), 400, "Extensions"),
        (plus("Sec-WebSocket-Extensions: a, , b"), 400, "Extensions"),
        (plus("Sec-WebSocket-Extensions: a; b=\"c d\""), 400, "Extensions"),
        // What stands in no list, but must not pass.
        (plus("Sec-WebSocket-Protocol: caf\u{e9}"), 400, "ASCII"),
        (plus("Sec-WebSocket-Anything: caf\u{e9}"), 400, "ASCII"),
        (plus("Content-Length: 5"), 400, "body"),
        (plus("Content-Length: 5\r\nContent-Length: 0"), 400, "body"),
        (plus("Transfer-Encoding: chunked"), 400, "body"),
        (plus("no colon"), 400, "not HTTP"),
        (plus("X : blank before the colon"), 400, "not HTTP"),
        (plus("X: a\r\n folded"), 400, "not HTTP"),
        (plus("X: a\0b"), 400, "not HTTP"),
        ("\x16\x03\x01".into(), 400, "not HTTP"),
        ("\r\n\r\n".into(), 400, "not HTTP"),
    ];
    for (head, status, part) in faults {
        let error = receive(head).expect_err(head);
        let response = response(&error);
        let (lines, body) = response.split_once("\r\n\r\n").unwrap();
        assert!(lines.starts_with(&format!("HTTP/1.1 {status} ")), "{head}{response}");
        assert_eq!(error.status(), *status);
        assert!(response.contains(part), "{head}{response}");
        assert!(lines.contains("Connection: close") && body == format!("{error}\n"), "{response}");
        assert!(lines.contains(&format!("Content-Length: {}", body.len())), "{response}");
    }
}

#[test]
fn every_legal_variety_is_accepted() {
    let long_blanks = format!("Connection:{}Upgrade", " ".repeat(15_000));
    let varieties = [
        GOOD.to_owned(),
        GOOD.replace("\r\n", "\n"),
        with("Upgrade: websocket", "uPGRADE: WebSocket"),
        with("Upgrade: websocket", "Upgrade: h2c, websocket"),
        with("Upgrade: websocket", "Upgrade: websocket\r\nUpgrade: h2c"),
        with("Connection: Upgrade", "Connection: Upgrade\r\nConnection: keep-alive"),
        with("Upgrade: websocket", "Upgrade:websocket"),
        with("Upgrade: websocket", "Upgrade: \t websocket\t "),
        with("Connection: Upgrade", "connection: keep-alive, UPGRADE"),
        with("Connection: Upgrade", "Connection: keep-alive\r\nConnection: x,upgrade,"),
        with("Connection: Upgrade", &long_blanks),
        with("Host: example.com", "Host: [::1]:8080"),
        with("Host: example.com", "Host: example.com:"),
        with("Sec-WebSocket-Key:", "SEC-WEBSOCKET-KEY:"),
        plus("X-Empty:"),
        plus("X-Empty: \t"),
        plus("X-Name: caf\u{e9}"),
        plus("Content-Length: 0"),
        plus("Sec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: b , c"),
        plus("Sec-WebSocket-Extensions: a; b; c=1; d=\"x\" , e"),
        plus("Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=99"),
        with("/chat", "/"),
        with("/chat", "http://other.example/chat?x"),
        with("/chat", "ws://other.example"),
    ];
    for head in varieties {
        let offer = receive(&head).expect(&head);
        assert_eq!(
            offer.bootstrap().key().unwrap().accept().as_str(),
            "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
        );
    }
}

#[test]
fn an_offer_tells_what_was_asked_for() {
    let head = with("/chat", "HTTP://Other.example:81/a/b?c=%20?d").replace(
        "\r\n\r\n",
        "\r\nSec-WebSocket-Protocol: x, y\r\nX-A: 1\r\nx-a:\t2 \r\nX-Empty:\r\n\
         Sec-WebSocket-Extensions: e; p=\"1\"\r\n\r\n",
    );
    let offer = receive(head).unwrap();
    let request = offer.request();
    assert_eq!((offer.path(), request.query()), ("/a/b", Some("c=%20?d")));
    assert_eq!(request.host(), "Other.example:81");
    let values: Vec<&[u8]> = request.headers().all("X-a").collect();
    assert_eq!(values, [b"1", b"2"]);
    assert_eq!(request.headers().get("x-empty"), Some(&b""[..]));
    assert_eq!(request.headers().get("x-none"), None);
    let usual = format!("{:?}", receive(GOOD).unwrap().request());
    assert!(usual.contains("\"/chat\"") && usual.contains("\"example.com\""), "{usual}");
    let names: Vec<&str> = offer.subprotocols().iter().map(Subprotocol::as_str).collect();
    assert_eq!(names, ["x", "y"]);
    assert_eq!(offer.extensions()[0].to_string(), "e; p=1");
    assert_eq!(receive(GOOD).unwrap().request().query(), None);
}

#[test]
fn what_follows_the_head_stays_in_the_buffer() {
    let mut input = BytesMut::from(GOOD);
    input.extend_from_slice(b"\x81\x80\0\0\0\0");
    ServerOpening::default().receive(&mut input).unwrap().unwrap();
    assert_eq!(input, &b"\x81\x80\0\0\0\0"[..]);
}

#[test]
fn a_server_may_answer_other_requests_too() {
    let plain = "GET /style.css HTTP/1.1\r\nHost: x\r\n\r\n";
    let request = ServerOpening::default().receive_head(&mut BytesMut::from(plain));
    let request = request.unwrap().unwrap();
    assert!(!request.is_upgrade());
    assert_eq!(request.path(), "/style.css");
    assert_eq!(request.into_offer().unwrap_err(), RequestError::UpgradeMissing);
}

#[test]
fn an_acceptance_has_its_four_lines_and_what_the_application_adds() {
    let names = |list: &[&'static str]| -> Vec<Subprotocol> {
        list.iter().map(|name| Subprotocol::new(*name).unwrap()).collect()
    };
    let head = plus("Sec-WebSocket-Protocol: b, a\r\nSec-WebSocket-Extensions: e");
    // The server's preference decides, and nothing is chosen that was not offered.
    for (supported, chosen) in
        [(&["a", "b"][..], Some("a")), (&["c", "b"], Some("b")), (&["c"], None)]
    {
        let offer = receive(&head).unwrap();
        let subprotocol = offer.choose_subprotocol(&names(supported));
        let headers = vec![Field::new("X-Name", "value").unwrap()];
        let mut output = Output::default();
        let agreed =
            offer.accept(Acceptance { subprotocol, headers }, &Compression::off(), &mut output);
        assert_eq!(agreed.subprotocol.as_ref().map(Subprotocol::as_str), chosen);
        assert!(agreed.extensions().is_empty());
        let line =
            chosen.map_or(String::new(), |name| format!("Sec-WebSocket-Protocol: {name}\r\n"));
        let expected = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n{line}X-Name: value\r\n\r\n"
        );
        assert_eq!(String::from_utf8(waiting(&output)).unwrap(), expected);
    }
    let mut output = Output::default();
    let [foreign] = &names(&["c"])[..] else { unreachable!() };
    let acceptance = Acceptance { subprotocol: Some(foreign.clone()), ..Acceptance::default() };
    assert_eq!(
        receive(&head).unwrap().accept(acceptance, &Compression::off(), &mut output).subprotocol,
        None
    );
    assert!(!String::from_utf8(waiting(&output)).unwrap().contains("Protocol:"));
}

#[test]
fn what_another_parser_lets_pass_cannot_break_out_of_a_header() {
    let line = RequestLine { method: "GET", target: "/", minor_version: 1 };
    for (name, value) in [("x", "a\r\nb: c"), ("x", "a\0b"), ("a b", "c"), ("", "c"), ("a:", "c")] {
        let headers = [("host", &b"example.com"[..]), (name, value.as_bytes())];
        let refused = Request::new(line, headers, HeadLimits::default()).unwrap_err();
        assert_eq!(refused, RequestError::NotHttp, "{name}: {value}");
    }
}

#[test]
fn an_answer_can_be_written_by_another_server() {
    let head = plus("Sec-WebSocket-Protocol: a\r\nSec-WebSocket-Extensions: permessage-deflate");
    let accept = |lines: &mut String| {
        let headers = vec![Field::new("X-Name", "value").unwrap()];
        let subprotocol = Some(Subprotocol::new("a").unwrap());
        let add_header = |name: &str, value: &[u8]| {
            *lines += &format!("{name}: {}\r\n", std::str::from_utf8(value).unwrap());
        };
        receive(&head).unwrap().accept_with_headers(
            Acceptance { subprotocol, headers },
            &Compression::default(),
            add_header,
        )
    };
    let mut lines = String::new();
    let agreed = accept(&mut lines);
    assert_eq!((agreed.subprotocol.unwrap().as_str(), agreed.deflate.is_some()), ("a", true));
    assert!(
        lines.starts_with("Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3")
    );
    assert!(lines.contains("\r\nSec-WebSocket-Protocol: a\r\n"));
    assert!(lines.contains("\r\nSec-WebSocket-Extensions: permessage-deflate"));
    assert!(lines.ends_with("\r\nX-Name: value\r\n"));

    let rejection = Rejection::from(&receive(with("Version: 13", "Version: 8")).unwrap_err());
    assert_eq!(rejection.final_status(), 426);
    let headers: Vec<(&str, &[u8])> = rejection.final_headers().collect();
    let expected: [(&str, &[u8]); 3] = [
        ("Upgrade", b"websocket"),
        ("Sec-WebSocket-Version", b"13"),
        ("Content-Type", b"text/plain; charset=utf-8"),
    ];
    assert_eq!(headers, expected);
    assert_eq!(rejection.body, "the header Sec-WebSocket-Version has to be 13\n");
}

#[test]
fn a_rejection_ends_the_connection() {
    let mut output = Output::default();
    let retry = Field::new("Retry-After", "5").unwrap();
    Rejection::new(503, "full").with_header(retry).write_response(&mut output);
    let expected = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\n\
        Content-Type: text/plain; charset=utf-8\r\nContent-Length: 5\r\nConnection: close\r\n\r\nfull\n";
    assert_eq!(String::from_utf8(waiting(&output)).unwrap(), expected);
    let mut output = Output::default();
    Rejection::new(101, "never by a rejection").write_response(&mut output);
    assert!(waiting(&output).starts_with(b"HTTP/1.1 500 "));
}

#[test]
fn pages_of_another_host_are_refused() {
    let check = |lines: &str, policy| receive(plus(lines)).unwrap().check_origin(&policy);
    let same = OriginPolicy::SameHost;
    assert_eq!(receive(GOOD).unwrap().check_origin(&same), Ok(()));
    assert_eq!(check("Origin: http://example.com", same.clone()), Ok(()));
    for line in ["null", "http://evil.example", "http://example.com.evil.example", "", "caf\u{e9}"]
    {
        let refused = check(&format!("Origin: {line}"), same.clone()).unwrap_err();
        assert_eq!((refused.status(), refused), (403, RequestError::OriginRefused), "{line}");
        assert_eq!(check(&format!("Origin: {line}"), OriginPolicy::Any), Ok(()));
    }
    let twice = "Origin: http://example.com\r\nOrigin: http://example.com";
    assert_eq!(check(twice, same), Err(RequestError::OriginRefused));
}

#[test]
fn an_application_cannot_break_out_of_a_header() {
    for value in ["a\r\nX: b", "a\nb", "a\rb", "a\0b", "a\x1bb", "a\x7fb"] {
        let refused = Field::new("X-Name", value).unwrap_err();
        assert_eq!(refused, InvalidField::Value("X-Name".into()));
    }
    for name in ["", "a b", "a:", "a\r\n", "caf\u{e9}"] {
        assert_eq!(Field::new(name, "x").unwrap_err(), InvalidField::Name(name.into()));
    }
    for name in ["Host", "CONNECTION", "Upgrade", "Sec-WebSocket-Key", "content-length"] {
        assert_eq!(Field::new(name, "x").unwrap_err(), InvalidField::Reserved(name.into()));
    }
    assert!(Field::new("X-Name", "a\tb caf\u{e9}").is_ok());
}

#[test]
fn every_limit_of_a_head_holds_at_its_edge() {
    let receive = |head: &str, head_bytes_max, target_bytes_max| {
        receive_within(HeadLimits { head_bytes_max, target_bytes_max }, head)
    };
    let len = GOOD.len();
    assert!(receive(GOOD, len, 5).unwrap().is_some());
    assert_eq!(receive(GOOD, len - 1, 5).unwrap_err(), RequestError::HeadTooLong(len - 1));
    assert_eq!(RequestError::HeadTooLong(len).status(), 431);
    assert_eq!(receive(GOOD, len, 4).unwrap_err(), RequestError::TargetTooLong(4));
    assert_eq!(RequestError::TargetTooLong(4).status(), 414);
    // The head need not end for that.
    assert!(receive("GET /chat", len, 5).unwrap().is_none());
    assert!(receive("GET /chats", len, 5).is_err());

    let headers = |count: usize| plus(&vec!["X: y"; count - 5].join("\r\n"));
    assert!(receive(&headers(100), 16 << 10, 5).unwrap().is_some());
    let error = receive(&headers(101), 16 << 10, 5).unwrap_err();
    assert_eq!((error.status(), error), (431, RequestError::TooManyHeaders(100)));
}
