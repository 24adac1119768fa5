//! The opening handshake over HTTP/2 and HTTP/3, as far as it does not depend on who carries it.

use wskit_proto::handshake::{
    Acceptance, Bootstrap, Check, ClientRequest, ConnectOpening, Field, HeadLimits, Offer,
    OriginPolicy, PseudoHeaders, Rejection, Request, RequestError, ResponseError, Subprotocol,
};
use wskit_proto::{Compression, Output};

type Header<'a> = (&'a str, &'a [u8]);

const GOOD: PseudoHeaders<'static> = PseudoHeaders {
    method: "CONNECT",
    protocol: Some("websocket"),
    scheme: Some("https"),
    authority: Some("example.com"),
    path: Some("/chat?x=1"),
};
const VERSION: Header<'static> = ("sec-websocket-version", b"13");

fn request(fields: PseudoHeaders<'_>, headers: &[Header<'_>]) -> Result<Request, RequestError> {
    Request::new(fields, headers.iter().copied(), HeadLimits::default())
}

fn offer(fields: PseudoHeaders<'_>, headers: &[Header<'_>]) -> Result<Offer, RequestError> {
    request(fields, headers)?.into_offer()
}

#[test]
fn an_offer_tells_what_was_asked_for() {
    let headers: [Header<'_>; 4] = [
        VERSION,
        ("sec-websocket-protocol", b"a, b"),
        ("sec-websocket-extensions", b"permessage-deflate"),
        ("origin", b"https://example.com"),
    ];
    let offer = offer(GOOD, &headers).unwrap();
    assert_eq!((offer.path(), offer.request().query()), ("/chat", Some("x=1")));
    assert_eq!(offer.request().host(), "example.com");
    assert_eq!(offer.bootstrap(), Bootstrap::ExtendedConnect);
    assert_eq!((offer.subprotocols().len(), offer.extensions().len()), (2, 1));
    assert_eq!(offer.check_origin(&OriginPolicy::SameHost), Ok(()));
    assert!(offer.request().is_upgrade());
    let head = str::from_utf8(offer.request().headers().raw()).unwrap();
    assert!(head.starts_with(":method: CONNECT\r\n:protocol: websocket\r\n:scheme: https\r\n"));
}

#[test]
fn an_acceptance_has_no_upgrade_and_no_key() {
    let headers: [Header<'_>; 3] = [
        VERSION,
        ("sec-websocket-protocol", b"a"),
        // It has no meaning here, right or wrong.
        ("sec-websocket-key", b"x"),
    ];
    let accept = |add: &mut dyn FnMut(&str)| {
        let acceptance = Acceptance {
            subprotocol: Some(Subprotocol::new("a").unwrap()),
            headers: vec![Field::new("x-name", "value").unwrap()],
        };
        let offer = offer(GOOD, &headers).unwrap();
        offer.accept_with_headers(acceptance, &Compression::off(), |name, _| add(name))
    };
    let mut names = Vec::new();
    let agreed = accept(&mut |name| names.push(name.to_owned()));
    assert_eq!(names, ["Sec-WebSocket-Protocol", "x-name"]);
    assert_eq!((agreed.bootstrap.key(), agreed.bootstrap.success_status()), (None, 200));
    // Nor can it be answered by the bytes of another version.
    let mut output = Output::default();
    let offer = offer(GOOD, &headers).unwrap();
    offer.accept(Acceptance::default(), &Compression::off(), &mut output);
    assert!(output.is_empty());
}

#[test]
fn every_fault_of_a_request_has_its_answer() {
    let none: [Header<'_>; 0] = [];
    let refused = |fields, headers: &[Header<'_>]| {
        let error = offer(fields, headers).unwrap_err();
        (error.status(), error.is_malformed(), error.to_string())
    };
    let good = GOOD;
    for (fields, status, is_malformed, words) in [
        (PseudoHeaders { scheme: None, ..good }, 400, true, ":scheme"),
        (PseudoHeaders { scheme: Some("wss"), ..good }, 400, true, ":scheme"),
        (PseudoHeaders { path: None, ..good }, 400, true, ":path"),
        (PseudoHeaders { authority: None, ..good }, 400, true, ":authority"),
        (PseudoHeaders { method: "GET", ..good }, 400, true, ":protocol"),
        (PseudoHeaders { protocol: Some("webrtc"), ..good }, 501, false, ":protocol"),
        (PseudoHeaders { protocol: None, ..good }, 405, false, "method"),
        (PseudoHeaders { method: "POST", protocol: None, ..good }, 405, false, "method"),
        (PseudoHeaders { method: "GET", protocol: None, ..good }, 405, false, "CONNECT"),
        (PseudoHeaders { authority: Some("ann@example.com"), ..good }, 400, false, "Host"),
        (PseudoHeaders { path: Some("/#x"), ..good }, 400, false, "target"),
        (PseudoHeaders { path: Some("https://example.com/"), ..good }, 400, false, "target"),
    ] {
        let (found, found_malformed, text) = refused(fields, &[VERSION]);
        assert_eq!((found, found_malformed), (status, is_malformed), "{fields:?}");
        assert!(text.contains(words), "{text}");
    }
    for (header, status, is_malformed) in [
        (("connection", &b"Upgrade"[..]), 400, true),
        (("upgrade", b"websocket"), 400, true),
        (("transfer-encoding", b"chunked"), 400, true),
        (("keep-alive", b"5"), 400, true),
        (("proxy-connection", b"close"), 400, true),
        (("host", b"other.example"), 400, false),
        (("content-length", b"5"), 400, false),
        (("sec-websocket-protocol", b"a,,b"), 400, false),
        (("sec-websocket-extensions", b"a;"), 400, false),
        (("sec-websocket-version", b"13"), 426, false),
    ] {
        let (found, found_malformed, text) = refused(good, &[VERSION, header]);
        assert_eq!((found, found_malformed), (status, is_malformed), "{header:?}: {text}");
    }
    assert_eq!(refused(good, &none).0, 400);
    assert!(request(good, &[("host", b"EXAMPLE.com")]).is_ok());
    let any_case = PseudoHeaders { protocol: Some("WebSocket"), scheme: Some("HTTP"), ..good };
    assert!(offer(any_case, &[VERSION]).is_ok());
}

#[test]
fn a_page_can_be_asked_for() {
    let page = PseudoHeaders { method: "GET", protocol: None, path: Some("/"), ..GOOD };
    let request = request(page, &[]).unwrap();
    assert!(!request.is_upgrade() && request.path() == "/");
    let without = PseudoHeaders { authority: None, scheme: None, ..page };
    let request = self::request(without, &[("host", b"example.com")]).unwrap();
    assert_eq!(request.host(), "example.com");
    assert_eq!(self::request(without, &[]).unwrap_err(), RequestError::HostMissing);
}

#[test]
fn every_limit_of_a_head_holds_at_its_edge() {
    let within = |head_bytes_max, target_bytes_max| {
        Request::new(GOOD, [VERSION], HeadLimits { head_bytes_max, target_bytes_max })
    };
    let head_bytes = request(GOOD, &[VERSION]).unwrap().headers().raw().len();
    assert!(within(head_bytes, 9).is_ok());
    assert_eq!(within(head_bytes, 8).unwrap_err(), RequestError::TargetTooLong(8));
    let too_long = within(head_bytes - 1, 9).unwrap_err();
    assert_eq!(too_long, RequestError::HeadTooLong(head_bytes - 1));
    let many: Vec<Header<'_>> = vec![("x", b"y"); 101];
    assert!(request(GOOD, &many[..100]).is_ok());
    assert_eq!(request(GOOD, &many).unwrap_err(), RequestError::TooManyHeaders(100));
}

#[test]
fn a_refusal_names_no_upgrade() {
    let error = offer(GOOD, &[("sec-websocket-version", b"8")]).unwrap_err();
    let rejection = Rejection::from(&error).without_upgrade();
    let headers: Vec<_> = rejection.final_headers().map(|(name, _)| name).collect();
    assert_eq!(rejection.final_status(), 400);
    assert_eq!(headers, ["Sec-WebSocket-Version", "Content-Type"]);
}

fn opening() -> ConnectOpening {
    let mut request = ClientRequest::new("example.com:81", "/chat").unwrap();
    request.add_subprotocol(Subprotocol::new("a").unwrap()).unwrap();
    request.set_compression(Compression::default());
    request.add_header(Field::new("Authorization", "Bearer x").unwrap());
    ConnectOpening::new(request)
}

#[test]
fn the_request_is_what_our_server_takes() {
    let opening = opening();
    let mut headers = Vec::new();
    opening.for_each_header(|name, value| headers.push((name.to_owned(), value.to_vec())));
    let names: Vec<_> = headers.iter().map(|(name, _)| &**name).collect();
    assert_eq!(
        names,
        [
            "Sec-WebSocket-Version",
            "Sec-WebSocket-Protocol",
            "Sec-WebSocket-Extensions",
            "Authorization"
        ]
    );
    for (is_secure, scheme) in [(true, "https"), (false, "http")] {
        let fields = opening.pseudo_headers(is_secure);
        assert_eq!(fields.scheme, Some(scheme));
        let headers: Vec<_> = headers.iter().map(|(name, value)| (&**name, &**value)).collect();
        assert_eq!(offer(fields, &headers).unwrap().request().host(), "example.com:81");
    }
}

#[test]
fn every_2xx_opens_and_nothing_else() {
    let opening = opening();
    for status in [200, 204, 299] {
        assert!(opening.receive(status, [("server", &b"x"[..])]).is_ok());
    }
    for status in [101, 300, 302, 401, 403, 404, 501, 503] {
        let error = opening.receive(status, [("location", &b"/"[..])]).unwrap_err();
        assert!(matches!(error, ResponseError::Refused(_)), "{error}");
        assert_eq!(error.status(), Some(status));
        assert_eq!(error.headers().unwrap().get("location"), Some(&b"/"[..]));
    }
}

#[test]
fn every_check_of_the_response_fails_alone() {
    let good: [Header<'_>; 2] = [
        ("sec-websocket-protocol", b"a"),
        ("sec-websocket-extensions", b"permessage-deflate; server_no_context_takeover"),
    ];
    let agreed = opening().receive(200, good).unwrap();
    assert_eq!(agreed.subprotocol.unwrap().as_str(), "a");
    assert!(agreed.deflate.is_some() && agreed.bootstrap == Bootstrap::ExtendedConnect);
    for (header, failing) in [
        (("sec-websocket-protocol", &b"b"[..]), Check::Subprotocol),
        (("sec-websocket-protocol", b"a, a"), Check::Subprotocol),
        (("sec-websocket-extensions", b"x-other"), Check::Extensions),
        (("sec-websocket-extensions", b"permessage-deflate; x"), Check::Extensions),
    ] {
        let error = opening().receive(200, [header]).unwrap_err();
        assert_eq!(error.status(), Some(200));
        let ResponseError::Check { check, .. } = error else { panic!("{error}") };
        assert_eq!(check, failing);
    }
}
