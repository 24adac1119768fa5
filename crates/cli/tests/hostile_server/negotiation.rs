//! What the opening handshake negotiates: subprotocols, extensions, and which origins may come in.

use std::time::Duration;

use crate::raw::{Request, Server};

#[test]
fn row_07_malformed_subprotocol_lists_are_400() {
    let server = Server::echo(&["--subprotocol", "chat"]);
    let offering = |list: &str| server.request().and("Sec-WebSocket-Protocol", list);
    for list in [
        "",
        ",",
        ",chat",
        "chat,",
        "chat,,soap",
        "chat, ,soap", // an empty item
        "chat, chat",
        "soap, chat, soap", // a name twice
        "chat soap",
        "chat;v=1",
        "chat/1",
        "(chat)",
        "\"chat\"",
        "chat@1",
        "{chat}",
        "chat=1", // a separator in a name
    ] {
        server.refuses(&offering(list), 400, "Sec-WebSocket-Protocol");
    }
    server.refuses(
        &offering("chat").and("Sec-WebSocket-Protocol", "chat"),
        400,
        "Sec-WebSocket-Protocol",
    );
    // Names are compared as they stand: two cases are two names.
    let response = server.accepts(&offering("Chat ,\tchat"));
    assert_eq!(response.header("Sec-WebSocket-Protocol"), Some("chat"));
}

#[test]
fn row_08_non_ascii_bytes_in_a_websocket_header_are_400() {
    let server = Server::echo(&["--subprotocol", "chat"]);
    for name in [
        "Sec-WebSocket-Key",
        "Sec-WebSocket-Version",
        "Sec-WebSocket-Protocol",
        "Sec-WebSocket-Extensions",
    ] {
        for value in [
            &b"\xff"[..],
            b"\x80",
            "\u{e9}".as_bytes(),
            b"13\xa0",
            b"chat\xc3",
            b"\xf0\x9f\x94\x91",
        ] {
            let response = server.answers(&server.request().with(name, value));
            // Row 6 lets a version be answered as a version that is not spoken here.
            assert!(
                response.status == 400 || name.ends_with("Version") && response.status == 426,
                "{response:?}"
            );
            response.assert_names("Sec-WebSocket");
        }
    }
    server.assert_well();
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "reads /proc")]
fn row_09_many_blanks_in_a_list_cost_linear_time() {
    let server = Server::echo(&["--subprotocol", "chat"]);
    let request = server.request();
    assert_eq!(
        server.answers(&request.clone().and("Sec-WebSocket-Protocol", " ".repeat(32_000))).status,
        431
    );

    let blanks = " ".repeat(15_000);
    let legal = [
        request.clone().and("Sec-WebSocket-Protocol", format!("chat{blanks},{}soap", "\t")),
        request.clone().and("Sec-WebSocket-Extensions", format!("x-unknown{blanks};{}a", "\t")),
        request.clone().with("Connection", format!("keep-alive,{blanks}Upgrade")),
        request.clone().with("Upgrade", format!("h2c{blanks}, websocket")),
        request.clone().and("X-Other", format!("a{blanks}b")),
    ];
    let before = server.processor_time();
    for _ in 0..20 {
        legal.iter().for_each(|request| drop(server.accepts(request)));
        let malformed = request.clone().and("Sec-WebSocket-Protocol", format!("chat{blanks}soap"));
        server.refuses(&malformed, 400, "Sec-WebSocket-Protocol");
    }
    // 120 heads of 15 kB: some milliseconds in linear time, tens of seconds in quadratic time.
    let spent = server.processor_time() - before;
    assert!(spent < Duration::from_secs(5), "{spent:?}");
}

#[test]
fn row_10_only_unsupported_subprotocols_are_answered_without_the_header() {
    let offering = |server: &Server, list: &str| -> Option<String> {
        let response = server.accepts(&server.request().and("Sec-WebSocket-Protocol", list));
        response.header("Sec-WebSocket-Protocol").map(Into::into)
    };
    let server = Server::echo(&["--subprotocol", "v2.chat", "--subprotocol", "v1.chat"]);
    for unsupported in ["soap", "soap, wamp", "v3.chat", "V2.CHAT", "v2.cha", "v2.chat.x"] {
        assert_eq!(offering(&server, unsupported), None, "{unsupported}");
    }
    assert_eq!(offering(&server, "soap, v1.chat").as_deref(), Some("v1.chat"));
    assert_eq!(
        offering(&server, "v1.chat, v2.chat").as_deref(),
        Some("v2.chat"),
        "the server's preference"
    );
    assert_eq!(server.accepts(&server.request()).header("Sec-WebSocket-Protocol"), None);

    let server = Server::echo(&[]);
    assert_eq!(offering(&server, "chat"), None);
}

#[test]
fn row_11_broken_extension_grammar_is_400() {
    let server = Server::echo(&[]);
    let offering = |list: &str| server.request().and("Sec-WebSocket-Extensions", list);
    for list in [
        "",
        ",",
        ";",
        "; a",
        "x;",
        "x; ;a",
        "x; a=",
        "x; =1",
        "x y",
        "x; a b",
        "x; a=1 2",
        "x; a=\"1",
        "x; a=\"\"",
        "x; a=\"two words\"", // §9.1: what the quotes hold must be a token too
        "x; a=\"1\"2",
        "x; a=1=2",
        "x=1",
        "(x)",
        "x/1",
        "x; a=@",
    ] {
        server.refuses(&offering(list), 400, "Sec-WebSocket-Extensions");
    }
    // Well formed but unknown: declined, which an answer without the header says.
    for list in ["x-unknown", "x; a; b=1; c=\"two\", y", "x;a=\"t\\wo\"", "x\t; a"] {
        assert_eq!(
            server.accepts(&offering(list)).header("Sec-WebSocket-Extensions"),
            None,
            "{list}"
        );
    }
}

#[test]
fn row_19_foreign_null_doubled_and_lookalike_origins_are_403() {
    let server = Server::echo(&[]);
    let host = server.address();
    let refused = |server: &Server, origin: &str| {
        server.refuses(&with_origin(server, origin), 403, "Origin");
    };
    for origin in [
        "http://evil.example".into(),
        "null".into(),
        "".into(),
        format!("http://{host}.evil.example"),
        format!("http://evil{host}"),
        format!("http://{host}@evil.example"),
        format!("http://evil.example/{host}"),
        format!("http://evil.example?{host}"),
        format!("http://evil.example#{host}"),
        format!("http://{host}, http://evil.example"),
        format!("http://{host} http://evil.example"),
        "http://127.0.0.1:1".into(), // another port is another origin
        host.to_string(),
    ] {
        refused(&server, &origin);
    }
    let own = with_origin(&server, &format!("http://{host}"));
    for second in [format!("http://{host}"), "http://evil.example".into()] {
        server.refuses(&own.clone().and("Origin", second), 403, "Origin");
    }

    server.accepts(&server.request()); // no browser sends a request without an Origin
    server.accepts(&own);
    let named = server.request().with("Host", "Chat.Example");
    server.accepts(&named.clone().and("Origin", "http://chat.example"));
    server.refuses(&named.and("Origin", "http://chat.example.evil.example"), 403, "Origin");

    let server =
        Server::echo(&["--origin", "https://app.example", "--origin", "https://b.example:444"]);
    for origin in ["https://app.example", "https://b.example:444"] {
        server.accepts(&with_origin(&server, origin));
    }
    for origin in [
        "http://app.example",
        "https://app.example:444",
        "https://app.example.evil.example",
        "https://b.example",
    ] {
        refused(&server, origin);
    }
    let server = Server::echo(&["--origin", "any"]);
    server.accepts(&with_origin(&server, "https://anyone.example"));
}

fn with_origin(server: &Server, origin: &str) -> Request {
    server.request().and("Origin", origin)
}
