//! `wskit connect` as programs use it: records, statistics, credentials, and connections that are made
//! again.

mod common;

use common::{CLOSE, Echo, TEXT, finish, nowhere, run, serve, start};
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::sync::mpsc;

/// What was written as records.
fn records(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn all_that_happens_is_a_line_with_its_time() {
    let echo = Echo::start(&[]);
    let ran = run(&["connect", "--output", "json", "--send", "hello", &echo.url], b"");
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let mut records = records(ran.text());
    // The Ping behind the end of the input, if the answer was not faster.
    records.retain(|record| record["event"] != "ping" && record["event"] != "pong");
    let found: Vec<_> = records
        .iter()
        .map(|record| {
            let text = |name: &str| record[name].as_str().unwrap_or("-");
            (text("event"), text("direction"), text("text"))
        })
        .collect();
    assert_eq!(found[0], ("open", "-", "-"));
    assert_eq!(found[1..3], [("message", "sent", "hello"), ("message", "received", "hello")]);
    assert_eq!(found[3..], [("close", "sent", "-"), ("close", "received", "-")]);
    assert_eq!(records[0]["url"], echo.url);
    assert_eq!((&records[4]["code"], &records[4]["reason"]), (&1000.into(), &"".into()));
    let times: Vec<_> = records.iter().map(|record| record["time"].as_str().unwrap()).collect();
    assert!(times.is_sorted() && times[0].len() == "2000-02-29T00:00:00.007Z".len(), "{times:?}");
}

#[test]
fn bytes_come_and_go_as_base64() {
    let echo = Echo::start(&[]);
    let arguments = ["connect", "--base64", "--output", "base64", "--expect", "2", &echo.url];
    let ran = run(&arguments, b"aGVsbG8=\n/w==\n");
    assert_eq!((ran.code, ran.text()), (Some(0), "aGVsbG8=\n/w==\n"), "{}", ran.stderr);
    let ran = run(&["connect", "--base64", "--send", "!", &echo.url], b"");
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("it is not base64"), "{}", ran.stderr);
}

#[test]
fn statistics_tell_what_it_took() {
    let echo = Echo::start(&[]);
    let text = "so much alike, ".repeat(100);
    let ran = run(&["connect", "--stats", "--send", &text, &echo.url], b"");
    assert_eq!((ran.code, ran.text()), (Some(0), &*(text.clone() + "\n")));
    let told: Vec<_> = ran.stderr.lines().map(|line| line.split("  ").next().unwrap()).collect();
    assert_eq!(told, ["times", "received", "sent", "closed"], "{}", ran.stderr);
    assert!(ran.stderr.contains("1 message of 1500 bytes; 1500 of them as "), "{}", ran.stderr);
    let ran = run(&["connect", "--stats=json", "--send", "hello", &echo.url], b"");
    let told: Value = serde_json::from_str(&ran.stderr).unwrap();
    assert_eq!((&told["received"]["messages"], &told["sent"]["bytes"]), (&1.into(), &5.into()));
    assert_eq!((&told["close_code"], &told["exit_code"]), (&1000.into(), &0.into()));
    assert!(told["handshake_seconds"].is_f64() && told["proxy_seconds"].is_null(), "{told}");
    // What led to an error too.
    let ran = run(&["connect", "--stats=json", &nowhere()], b"");
    let told: Value = serde_json::from_str(ran.stderr.lines().next().unwrap()).unwrap();
    assert_eq!((&told["connections"], &told["exit_code"]), (&0.into(), &3.into()));
}

#[test]
fn credentials_and_headers_need_not_stand_on_the_command_line() {
    let (heads, seen) = mpsc::channel();
    let url = serve(move |mut client| {
        heads.send(client.head.clone()).unwrap();
        client.write(b"HTTP/1.1 401 \r\nContent-Length: 0\r\n\r\n");
    });
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    // The example of RFC 7617 §2.
    let (known, expected) = ("Aladdin:open sesame", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n");
    let password = file("password", &format!("{known}\n"));
    let headers = format!("@{}", file("headers", "X-One: 1\n\nX-Two: 2\n"));
    for arguments in [["--basic-auth", known], ["--basic-auth-file", &password]] {
        let ran = run(&[&["connect", "-H", &headers], &arguments[..], &[&url]].concat(), b"");
        assert_eq!(ran.code, Some(4), "{}", ran.stderr);
        let head = seen.recv().unwrap();
        assert!(head.contains(&format!("Authorization: {expected}")), "{head}");
        assert!(head.contains("X-One: 1\r\nX-Two: 2\r\n"), "{head}");
    }
    let ran = run(&["connect", "--basic-auth", "no-colon", &url], b"");
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("NAME:PASSWORD") && !ran.stderr.contains("no-colon"), "{ran:?}");
}

#[test]
fn a_connection_that_is_lost_is_made_again_and_nothing_is_sent_twice() {
    let (texts, seen) = mpsc::channel();
    let url = serve(move |mut client| {
        client.open();
        let text = String::from_utf8(client.receive().unwrap().payload).unwrap();
        texts.send(text.clone()).unwrap();
        match &*text {
            // As a server that is started anew.
            "one" => client.send(CLOSE, &[&1012_u16.to_be_bytes()[..], b"back soon"].concat()),
            // As one that crashes.
            "two" => {}
            _ => {
                client.send(TEXT, b"welcome");
                client.receive_close();
            }
        }
    });
    let mut child = start(&["connect", "--reconnect", "--expect", "1", "--output", "json", &url]);
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut events = Vec::new();
    for text in ["one", "two", "three"] {
        // Each is written when there is a connection for it.
        loop {
            let mut line = String::new();
            stdout.read_line(&mut line).unwrap();
            let record: Value = serde_json::from_str(&line).unwrap();
            events.push(record["event"].as_str().unwrap().to_owned());
            if events.last().unwrap() == "open" {
                break;
            }
        }
        writeln!(stdin, "{text}").unwrap();
    }
    let mut rest = String::new();
    std::io::Read::read_to_string(&mut stdout, &mut rest).unwrap();
    let ran = finish(child);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(seen.try_iter().collect::<Vec<_>>(), ["one", "two", "three"]);
    let expected = ["open", "message", "close", "waiting", "open", "message", "waiting", "open"];
    assert_eq!(events, expected);
    assert!(ran.stderr.contains("1012 back soon; trying again in "), "{}", ran.stderr);
}

#[test]
fn tries_can_be_bounded_and_what_is_final_is_not_tried_again() {
    let ran = run(&["connect", "--reconnect", "--retries", "1", &nowhere()], b"");
    assert_eq!(ran.code, Some(3));
    assert_eq!(ran.stderr.matches("trying again in").count(), 1, "{}", ran.stderr);
    let refusing = common::serve_bytes("HTTP/1.1 403 \r\nContent-Length: 0\r\n\r\n");
    let ran = run(&["connect", "--reconnect", &refusing], b"");
    assert_eq!(ran.code, Some(4));
    assert!(!ran.stderr.contains("trying again"), "{}", ran.stderr);
}
