//! `wskit connect` in pipes, against the echo server and against servers with a script.

mod common;

use common::{CLOSE, Echo, PING, PONG, TEXT, finish, nowhere, run, serve, serve_bytes, start};
use std::io::{BufRead, BufReader, Read, Write};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

#[test]
fn each_line_is_a_message_and_each_message_a_line() {
    let echo = Echo::start(&[]);
    let long = "x".repeat(100_000);
    let input = format!("one\n\n/help\n  two  \n{long}\nlast without an end");
    let ran = run(&["connect", "--expect", "6", &echo.url], input.as_bytes());
    assert_eq!((ran.code, &*ran.stderr), (Some(0), ""));
    assert_eq!(ran.text(), input + "\n");
}

#[test]
fn everything_sent_comes_back_however_much_it_is() {
    let echo = Echo::start(&[]);
    let lines: String = (0..100_000).map(|number| format!("line {number}\n")).collect();
    let ran = run(&["connect", "--linger", "0.2", &echo.url], lines.as_bytes());
    assert_eq!((ran.code, &*ran.stderr), (Some(0), ""));
    assert!(ran.text() == lines);
}

#[test]
fn what_the_command_line_says_is_sent_and_answered() {
    let echo = Echo::start(&[]);
    let ran = run(&["connect", "--send", "/one", "--send", "two\nlines", &echo.url], b"no input");
    assert_eq!((ran.code, ran.text(), &*ran.stderr), (Some(0), "/one\ntwo\nlines\n", ""));
    let arguments = ["connect", "--binary", "--output", "json", "--send", "hello", &echo.url];
    let ran = run(&arguments, b"");
    assert!(ran.text().contains(r#""direction":"received","binary":"aGVsbG8=""#), "{}", ran.text());
    // Fewer answers than messages, and more.
    let ran = run(&["connect", "--send", "1", "--send", "2", "--expect", "1", &echo.url], b"");
    assert_eq!((ran.code, ran.text()), (Some(0), "1\n"));
    let ran = run(&["connect", "--send", "1", "--expect", "2", "--linger", "0.2", &echo.url], b"");
    assert_eq!((ran.code, ran.text()), (Some(5), "1\n"));
    // A server that does not answer.
    let silent = serve(|mut client| {
        client.open();
        assert_eq!(client.receive().unwrap().payload, b"hello");
        let ping = client.receive().unwrap();
        client.send(PONG, &ping.payload);
        assert_eq!(client.receive_close(), Some(1000));
    });
    let ran = run(&["connect", "--send", "hello", "--linger", "0.2", &silent], b"");
    assert_eq!((ran.code, ran.text(), &*ran.stderr), (Some(0), "", ""));
}

#[test]
fn redirects_are_followed_with_the_short_flags_too() {
    let echo = Echo::start(&["--subprotocol", "chat"]);
    let moved = serve_bytes(format!(
        "HTTP/1.1 308 Moved\r\nLocation: {}\r\nContent-Length: 0\r\n\r\n",
        echo.url.replace("ws://", "http://")
    ));
    let arguments = ["connect", "-v", "-H", "X-A: b", "-s", "chat", "--send", "hello", &moved];
    let ran = run(&arguments, b"");
    assert_eq!((ran.code, ran.text()), (Some(0), "hello\n"), "{}", ran.stderr);
    assert!(ran.stderr.contains("subprotocol chat"), "{}", ran.stderr);
    let lost = serve_bytes("HTTP/1.1 301 \r\nLocation: ftp://x/\r\nContent-Length: 0\r\n\r\n");
    let ran = run(&["connect", &lost], b"");
    assert_eq!(ran.code, Some(4));
    assert!(ran.stderr.contains("is not followed: its scheme is \"ftp\""), "{}", ran.stderr);
}

#[test]
fn a_proxy_that_is_named_is_gone_through_and_told_of() {
    let proxy = serve(|mut client| {
        assert!(
            client.head.starts_with("CONNECT chat.test.example:80 HTTP/1.1"),
            "{}",
            client.head
        );
        client.write(b"HTTP/1.1 200 \r\n\r\n");
        client.head.clear();
        client.read_head();
        client.open();
        let message = client.receive().unwrap();
        client.send(TEXT, &message.payload);
        client.receive_close();
    });
    let url = "ws://chat.test.example/";
    let proxy = proxy.replace("ws://", "http://");
    let ran = run(&["connect", "-v", "--proxy", &proxy, "--send", "hello", url], b"");
    assert_eq!((ran.code, ran.text()), (Some(0), "hello\n"), "{}", ran.stderr);
    let told = format!("* connected to {url} through {}", proxy.trim_end_matches('/'));
    assert!(ran.stderr.starts_with(&told), "{}", ran.stderr);
    let ran = run(&["connect", "--proxy", "gopher://ann:secret@localhost", url], b"");
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("is no proxy") && !ran.stderr.contains("secret"), "{}", ran.stderr);
}

#[test]
fn the_whole_input_is_one_message() {
    let echo = Echo::start(&[]);
    let bytes: Vec<u8> = (0..3_000_000_u32).map(|number| (number % 251) as u8).collect();
    let ran = run(&["connect", "--binary", "--whole", "--expect", "1", &echo.url], &bytes);
    assert_eq!((ran.code, &*ran.stderr), (Some(0), ""));
    assert!(ran.stdout == bytes);
    let text = "first\nsecond\n";
    let arguments = ["connect", "--whole", "--output", "json", "--expect", "1", &echo.url];
    let ran = run(&arguments, text.as_bytes());
    assert!(
        ran.text().contains(r#""direction":"received","text":"first\nsecond\n""#),
        "{}",
        ran.text()
    );
}

#[test]
fn the_end_of_the_input_waits_for_the_replies_still_due() {
    // The peer is silent for longer than the time of --linger, but has not yet seen what was sent.
    let url = serve(|mut client| {
        client.open();
        let message = client.receive().unwrap();
        let ping = client.receive().unwrap();
        assert_eq!((message.opcode, ping.opcode), (TEXT, PING));
        thread::sleep(Duration::from_millis(600));
        client.send(TEXT, b"reply");
        client.send(PONG, &ping.payload);
        assert_eq!(client.receive_close(), Some(1000));
    });
    let ran = run(&["connect", "--linger", "0.3", &url], b"question\n");
    assert_eq!((ran.code, ran.text()), (Some(0), "reply\n"));
    // It has seen what was sent, and is silent for less than that time.
    let url = serve(|mut client| {
        client.open();
        let _message = client.receive();
        let ping = client.receive().unwrap();
        client.send(PONG, &ping.payload);
        thread::sleep(Duration::from_millis(100));
        client.send(TEXT, b"reply");
        client.send(CLOSE, b"");
    });
    let ran = run(&["connect", "--linger", "60", &url], b"question\n");
    assert_eq!((ran.code, ran.text()), (Some(0), "reply\n"));
}

#[test]
fn as_many_messages_as_expected() {
    let echo = Echo::start(&[]);
    let ran = run(&["connect", "--expect", "2", "--linger", "60", &echo.url], b"1\n2\n3\n");
    assert_eq!((ran.code, ran.text()), (Some(0), "1\n2\n"));
    let ran = run(&["connect", "--expect", "2", "--linger", "0.2", &echo.url], b"1\n");
    assert_eq!((ran.code, ran.text()), (Some(5), "1\n"));
    assert!(ran.stderr.contains("1 of 2 expected messages"), "{}", ran.stderr);
}

#[test]
fn a_peer_that_closes_too_early_has_not_answered() {
    // No code, 1000 and 1001.
    for payload in [&b""[..], b"\x03\xe8", b"\x03\xe9"] {
        let closing = || {
            serve(move |mut client| {
                client.open();
                client.send(TEXT, b"welcome");
                client.send(CLOSE, payload);
            })
        };
        for arguments in [["--expect", "2"], ["--send", "1"]] {
            let [flag, value] = arguments;
            let ran = run(&["connect", flag, value, "--send", "2", &closing()], b"");
            assert_eq!((ran.code, ran.text()), (Some(5), "welcome\n"), "{}", ran.stderr);
            assert!(ran.stderr.contains("1 of 2 expected messages"), "{}", ran.stderr);
        }
        let ran = run(&["connect", "--linger", "off", &closing()], b"");
        assert_eq!((ran.code, ran.text()), (Some(0), "welcome\n"), "{}", ran.stderr);
    }
}

#[test]
fn messages_are_shown_as_asked() {
    let script = |mut client: common::Client| {
        client.open();
        client.send(TEXT, "a\u{1b}[31m\nb\u{202e}".as_bytes());
        client.send(2, b"hello");
        client.receive_close();
    };
    for (format, expected) in [
        ("raw", "a\u{1b}[31m\nb\u{202e}\nhello"),
        ("shown", "< a\\u{1b}[31m\n| b\\u{202e}\n< <binary 5 bytes: 68 65 6c 6c 6f>\n"),
        ("base64", "YRtbMzFtCmLigK4=\naGVsbG8=\n"),
    ] {
        let url = serve(script);
        let ran = run(&["connect", "--expect", "2", "--output", format, &url], b"");
        assert_eq!((ran.code, ran.text()), (Some(0), expected));
    }
    let ran = run(&["connect", "--expect", "2", "--output", "json", &serve(script)], b"");
    for expected in [r#""text":"a\u001b[31m\nb\u202e"}"#, r#""binary":"aGVsbG8="}"#] {
        assert!(ran.text().contains(expected), "{}", ran.text());
    }
}

#[test]
fn the_request_says_what_it_is_told_to() {
    let (sender, heads) = mpsc::channel();
    let url = serve(move |mut client| {
        sender.send(client.head.clone()).unwrap();
        client.open();
        client.receive_close();
    });
    let options = "--header X-One:1 --header X-Two:2 --subprotocol a --subprotocol b \
                   --origin https://example.com --linger 0.1";
    let arguments: Vec<&str> =
        ["connect", &url].into_iter().chain(options.split_whitespace()).collect();
    assert_eq!(run(&arguments, b"").code, Some(0));
    let head = heads.recv().unwrap();
    for line in
        ["X-One: 1", "X-Two: 2", "Sec-WebSocket-Protocol: a, b", "Origin: https://example.com"]
    {
        assert!(head.lines().any(|found| found == line), "{line} in {head}");
    }
}

#[test]
fn the_close_of_the_peer_is_told() {
    for (payload, code, words) in [
        (&b"\x03\xe8bye\x1b"[..], 0, "with 1000 bye\\u{1b}"),
        (b"\x03\xe9", 0, "with 1001"),
        (b"", 0, "with no code"),
        (b"\x03\xf0not welcome", 5, "with 1008 not welcome"),
        (b"\x0f\xa0", 5, "with 4000"),
    ] {
        let url = serve(move |mut client| {
            client.open();
            client.send(TEXT, b"last words");
            client.send(CLOSE, payload);
        });
        let ran = run(&["connect", "--linger", "off", &url], b"");
        assert_eq!((ran.code, ran.text()), (Some(code), "last words\n"), "{}", ran.stderr);
        assert!(ran.stderr.contains(words), "{}", ran.stderr);
        assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
    }
}

#[test]
fn a_lost_connection_and_a_broken_protocol_are_told() {
    let lost = serve(|mut client| client.open());
    let ran = run(&["connect", "--linger", "off", &lost], b"");
    assert_eq!(ran.code, Some(5));
    assert!(ran.stderr.contains("without a Close frame"), "{}", ran.stderr);
    let broken = serve(|mut client| {
        client.open();
        client.write(b"\x83\x00");
        assert_eq!(client.receive_close(), Some(1002));
    });
    let ran = run(&["connect", "--linger", "off", &broken], b"");
    assert_eq!(ran.code, Some(5));
    assert!(ran.stderr.contains("opcode 3 is reserved"), "{}", ran.stderr);
}

#[test]
fn what_does_not_open_is_told() {
    let refused =
        serve_bytes("HTTP/1.1 403 Forbidden\r\nContent-Length: 12\r\n\r\n\u{202e}no\u{1b}[2J way");
    let ran = run(&["connect", &refused], b"");
    assert_eq!((ran.code, ran.text()), (Some(4), ""));
    assert!(ran.stderr.contains("403") && ran.stderr.contains("wskit inspect"), "{}", ran.stderr);
    assert!(!ran.stderr.contains(['\u{1b}', '\u{202e}']), "{}", ran.stderr);
    let ran = run(&["connect", &nowhere()], b"");
    assert_eq!(ran.code, Some(3));
    assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
    let silent = serve(std::mem::forget);
    let ran = run(&["connect", "--opening-timeout", "0.2", &silent], b"");
    assert_eq!(ran.code, Some(4), "{}", ran.stderr);
}

#[test]
fn text_has_to_be_text() {
    let echo = Echo::start(&[]);
    let ran = run(&["connect", &echo.url], b"good\n\xff\n");
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.contains("line 2 of the input: it is not UTF-8"), "{}", ran.stderr);
    let ran = run(&["connect", "--binary", "--expect", "1", &echo.url], b"\xff\n");
    assert_eq!((ran.code, &*ran.stdout), (Some(0), &b"\xff"[..]));
}

#[test]
fn a_message_that_is_too_long_is_refused() {
    let echo = Echo::start(&[]);
    let ran = run(&["connect", "--max-message", "10", &echo.url], b"more than ten\n");
    assert_eq!((ran.code, ran.text()), (Some(5), ""));
    assert!(ran.stderr.contains("10 are allowed"), "{}", ran.stderr);
}

#[test]
fn pings_and_pongs_are_told_of_on_request() {
    let url = serve(|mut client| {
        client.open();
        client.send(PING, b"from the peer");
        // One of the first two is that behind the end of the input.
        let mut pings_left = 2;
        while pings_left > 0 {
            let frame = client.receive().unwrap();
            if frame.opcode == PING {
                client.send(PONG, &frame.payload);
                pings_left -= 1;
            }
        }
        client.send(CLOSE, b"");
    });
    let arguments = ["connect", "--ping", "0.1", "--show-control", "--linger", "60", &url];
    let ran = run(&arguments, b"");
    assert_eq!((ran.code, ran.text()), (Some(0), ""));
    assert!(ran.stderr.contains("* Ping received: from the peer"), "{}", ran.stderr);
    assert!(ran.stderr.contains("* Pong after "), "{}", ran.stderr);
}

#[test]
fn a_closed_pipe_is_silent() {
    let echo = Echo::start(&[]);
    let mut child = start(&["connect", &echo.url]);
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    stdin.write_all(b"first\n").unwrap();
    stdout.read_line(&mut line).unwrap();
    assert_eq!(line, "first\n");
    drop(stdout);
    // The input goes on: only the closed output can end it. The first write may still succeed while
    // another test starts a process, which holds the pipe for a moment.
    thread::spawn(move || {
        while stdin.write_all(b"more\n").is_ok() {
            thread::sleep(Duration::from_millis(20));
        }
    });
    let ran = finish(child);
    assert_eq!(ran.stderr, "");
}

#[cfg(unix)]
mod interrupted {
    use super::*;
    use std::process::{Child, Command};

    fn interrupt(child: &Child) {
        let status = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
        assert!(status.unwrap().success());
    }

    /// Starts the command, and gives its standard error once it tells that it is connected.
    fn connected(url: &str) -> (Child, impl Read) {
        let mut child = start(&["connect", "--verbose", url]);
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        stderr.read_line(&mut line).unwrap();
        assert!(line.starts_with("* connected to ws://127.0.0.1:"), "{line}");
        (child, stderr)
    }

    #[test]
    fn it_closes_with_1001() {
        let (sender, codes) = mpsc::channel();
        let url = serve(move |mut client| {
            client.open();
            sender.send(client.receive_close()).unwrap();
        });
        let (child, _stderr) = connected(&url);
        interrupt(&child);
        assert_eq!(finish(child).code, Some(130));
        assert_eq!(codes.recv().unwrap(), Some(1001));
    }

    #[test]
    fn the_second_time_it_leaves_at_once() {
        let (sender, codes) = mpsc::channel();
        let url = serve(move |mut client| {
            client.open();
            sender.send(client.receive().unwrap().opcode).unwrap();
            // The Close frame is never answered.
            std::mem::forget(client);
        });
        let (child, _stderr) = connected(&url);
        interrupt(&child);
        assert_eq!(codes.recv().unwrap(), CLOSE);
        let begin = Instant::now();
        interrupt(&child);
        assert_eq!(finish(child).code, Some(130));
        assert!(begin.elapsed() < Duration::from_secs(3));
    }
}
