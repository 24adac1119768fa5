//! What every subcommand shares, and the small ones.

mod common;

use common::{finish, run, start};
use std::fs;
use std::io::{BufRead, BufReader};

const SUBCOMMANDS: [&str; 8] =
    ["serve", "echo", "connect", "inspect", "key", "accept", "completions", "man"];

#[test]
fn keys_are_fresh_and_accepted() {
    let first = run(&["key"], b"");
    let second = run(&["key"], b"");
    assert_eq!((first.code, second.code), (Some(0), Some(0)));
    assert_ne!(first.text(), second.text());
    for key in [first.text(), second.text()] {
        assert_eq!(key.len(), 25);
        let accept = run(&["accept", key.trim_end()], b"");
        assert_eq!((accept.code, accept.text().len()), (Some(0), 29));
    }
}

#[test]
fn the_example_of_the_specification_is_right() {
    let accept = run(&["accept", "dGhlIHNhbXBsZSBub25jZQ=="], b"");
    assert_eq!(accept.text(), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\n");
    assert_eq!((accept.code, &*accept.stderr), (Some(0), ""));
}

#[test]
fn a_bad_key_is_refused_with_the_reason() {
    for (key, why) in [
        ("dGhlIHNhbXBsZSBub25jZQ", "has 24 characters, this has 22"),
        ("dGhlIHNhbXBsZSBub25jZR==", "the base64 of 16 bytes"),
        ("", "this has 0"),
    ] {
        let refused = run(&["accept", key], b"");
        assert_eq!((refused.code, refused.text()), (Some(2), ""));
        assert!(refused.stderr.contains(why), "{}", refused.stderr);
        assert_eq!(refused.stderr.lines().count(), 1, "{}", refused.stderr);
    }
}

#[test]
fn every_subcommand_helps() {
    let help = run(&["--help"], b"");
    assert_eq!(help.code, Some(0));
    for subcommand in SUBCOMMANDS {
        assert!(help.text().contains(&format!("\n  {subcommand} ")), "{subcommand}");
        let own = run(&[subcommand, "--help"], b"");
        assert_eq!((own.code, &*own.stderr), (Some(0), ""));
        assert!(own.text().contains(&format!("Usage: wskit {subcommand}")), "{subcommand}");
    }
    assert!(help.text().contains("Exit codes:"));
    for subcommand in ["serve", "echo", "connect", "inspect"] {
        assert!(run(&[subcommand, "--help"], b"").text().contains("Exit codes:"), "{subcommand}");
    }
}

#[test]
fn the_version_is_told() {
    let version = run(&["--version"], b"");
    assert_eq!(version.text(), concat!("wskit ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[test]
fn the_manual_tells_of_everything() {
    let man = run(&["man"], b"");
    assert_eq!(man.code, Some(0));
    assert!(man.text().contains(".TH wskit 1"));
    for subcommand in SUBCOMMANDS {
        let section = format!(".SH \"WSKIT {}\"", subcommand.to_uppercase());
        assert!(man.text().contains(&section), "{subcommand}");
    }
    for told in [
        ".SS \"Times\"\n",
        ".TP\n\\fB\\-\\-stats[=<FORMAT>]\\fR\n",
        ".TP\n\\fB\\-\\-linger <SECONDS>\\fR\nAfter the end of piped input",
        ".TP\n\\fB<URL>\\fR\n",
        ".TP 5\n130\ninterrupted by Ctrl\\-C\n",
        ".TP 5\n5\nclosed by the peer with another code, connection lost, or fewer messages than expected,\nwhatever",
        ".br\n\\ \\ wskit serve \\-\\-ephemeral",
    ] {
        assert!(man.text().contains(told), "{told}");
    }
}

#[test]
fn every_shell_completes() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let completions = run(&["completions", shell], b"");
        assert_eq!(completions.code, Some(0), "{shell}");
        for word in ["inspect", "show-control"] {
            assert!(completions.text().contains(word), "{shell}");
        }
    }
}

#[test]
fn a_wrong_command_line_is_told_so() {
    for arguments in [
        &[][..],
        &["nothing"],
        &["connect"],
        &["connect", "example.com"],
        &["connect", "http://example.com/"],
        &["connect", "--header", "no colon", "ws://127.0.0.1/"],
        &["connect", "--header", "Upgrade: mine", "ws://127.0.0.1/"],
        &["connect", "--header", "X-A: b\r\nX-C: d", "ws://127.0.0.1/"],
        &["connect", "--subprotocol", "two words", "ws://127.0.0.1/"],
        &["connect", "--linger", "soon", "ws://127.0.0.1/"],
        &["inspect", "ws://"],
        &["inspect", "--opening-timeout", "0", "ws://127.0.0.1/"],
        &["inspect", "--json", "--output", "page", "ws://127.0.0.1/"],
        &["completions", "no-shell"],
    ] {
        let wrong = run(arguments, b"");
        assert_eq!((wrong.code, wrong.text()), (Some(2), ""), "{arguments:?}");
        assert!(!wrong.stderr.is_empty() && !wrong.stderr.contains("panicked"), "{arguments:?}");
    }
}

#[test]
fn a_nats_server_that_is_not_there_is_named_without_a_password() {
    let ran = run(&["serve", "--listen", "127.0.0.1:0", "--nats", "ann:hush@127.0.0.1:1"], b"");
    assert_eq!((ran.code, ran.text()), (Some(3), ""), "{}", ran.stderr);
    assert!(ran.stderr.starts_with("wskit: nats://127.0.0.1:1: NATS: "), "{}", ran.stderr);
    assert!(!ran.stderr.contains("hush"), "{}", ran.stderr);
}

#[test]
fn a_file_that_cannot_be_read_is_a_fault_of_the_command_line_and_no_end_of_a_service() {
    let serve = ["serve", "--ephemeral", "--listen", "127.0.0.1:0"];
    let api = ["--api-listen", "127.0.0.1:0", "--api-token-file", "nowhere"];
    let tls = ["--tls-cert", "nowhere", "--tls-key", "nowhere"];
    let nats = ["serve", "--listen", "127.0.0.1:0", "--nats", "tls://127.0.0.1:1"];
    for (code, arguments) in [
        (2, &["connect", "--ca-cert", "nowhere", "wss://127.0.0.1:1/"][..]),
        (2, &["connect", "--header", "@nowhere", "ws://127.0.0.1:1/"]),
        (2, &["inspect", "--basic-auth-file", "nowhere", "ws://127.0.0.1:1/"]),
        (1, &[&["echo", "--listen", "127.0.0.1:0"][..], &tls].concat()),
        (1, &[&serve[..], &tls].concat()),
        (1, &[&serve[..], &["--config", "nowhere"]].concat()),
        (1, &[&serve[..], &["--token-secret-file", "nowhere"]].concat()),
        (1, &[&serve[..], &api].concat()),
        (1, &[&nats[..], &["--nats-ca-cert", "nowhere"]].concat()),
        (1, &[&nats[..], &["--nats-credentials", "nowhere"]].concat()),
    ] {
        let ran = run(arguments, b"");
        assert_eq!((ran.code, ran.text()), (Some(code), ""), "{arguments:?}: {}", ran.stderr);
        assert!(ran.stderr.contains("nowhere"), "{arguments:?}: {}", ran.stderr);
    }
    let help = run(&["--help"], b"");
    for words in
        ["serve or echo cannot read a file", "2    the command line is wrong, or a file that"]
    {
        assert!(help.text().contains(words), "{words}");
    }
}

#[test]
fn half_written_credentials_are_no_end_of_a_service() {
    let folder = tempfile::tempdir().unwrap();
    for (flag, half, why) in [
        ("--nats-credentials", "-----BEGIN NATS USER JWT-----\neyJ0", "no NATS credentials in it"),
        ("--nats-nkey-file", "SUAC", "no seed of a key of NATS in it"),
        ("--nats-token-file", "\n", "no token in it"),
    ] {
        let file = folder.path().join("half");
        fs::write(&file, half).unwrap();
        let nats = ["serve", "--listen", "127.0.0.1:0", "--nats", "127.0.0.1:1"];
        let ran = run(&[&nats[..], &[flag, file.to_str().unwrap()]].concat(), b"");
        assert_eq!((ran.code, ran.text()), (Some(1), ""), "{flag}: {}", ran.stderr);
        assert!(ran.stderr.contains(why), "{flag}: {}", ran.stderr);
    }
}

#[test]
fn names_of_flags_that_have_gone_still_work() {
    let old = ["inspect", "--json", "--timeout", "5", "ws://127.0.0.1:1/"];
    let new = ["inspect", "--output", "json", "--opening-timeout", "5", "ws://127.0.0.1:1/"];
    for arguments in [&old[..], &new] {
        let ran = run(arguments, b"");
        assert_eq!((ran.code, &ran.json()["outcome"]), (Some(3), &"no_connection".into()));
    }
    let help = run(&["inspect", "--help"], b"");
    assert!(
        !help.text().contains("--json") && !help.text().contains("--timeout"),
        "{}",
        help.text()
    );
}

#[test]
fn a_closed_pipe_is_silent() {
    for arguments in [&["man"][..], &["completions", "bash"], &["key"]] {
        let mut child = start(arguments);
        drop(child.stdout.take());
        assert_eq!(finish(child).stderr, "", "{arguments:?}");
    }
    // The pipe may also close after the first line.
    let mut child = start(&["man"]);
    let mut line = String::new();
    BufReader::with_capacity(16, child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(finish(child).stderr, "");
}
