//! Unix-domain sockets: `serve` and `echo` listen on them, `connect` and `inspect` go through them.

#![cfg(unix)]

mod common;

use common::{Ran, finish, run, start, wait};
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use tempfile::TempDir;

/// `wskit echo` on a socket in a folder of its own.
struct Echo {
    child: Child,
    path: PathBuf,
    _folder: TempDir,
}

impl Echo {
    fn start(arguments: &[&str]) -> Echo {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("echo.sock");
        let child = listen(&path, arguments);
        Echo { child, path, _folder: folder }
    }

    fn path(&self) -> &str {
        self.path.to_str().unwrap()
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn place(path: &Path) -> String {
    format!("unix:{}", path.display())
}

/// Starts `wskit echo` on this socket and waits until it says so.
fn listen(path: &Path, arguments: &[&str]) -> Child {
    let mut child = start(&[&["echo", "--listen", &place(path)], arguments].concat());
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, format!("wskit echo listens on {}\n", place(path)));
    child
}

/// Runs `wskit echo` where it is not to start.
fn refused(path: &Path, arguments: &[&str]) -> Ran {
    let ran = run(&[&["echo", "--listen", &place(path)], arguments].concat(), b"");
    assert_eq!(ran.code, Some(6), "{ran:?}");
    ran
}

fn signal(child: &Child, name: &str) {
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
}

#[test]
fn connect_goes_through_the_socket_and_says_so() {
    let echo = Echo::start(&[]);
    let url = "ws://localhost/";
    for version in ["1.1", "2"] {
        let through = ["connect", "-v", "--http", version, "--unix", echo.path()];
        let ran = run(&[&through[..], &["--send", "hello", url]].concat(), b"");
        assert_eq!((ran.code, ran.text()), (Some(0), "hello\n"), "{}", ran.stderr);
        let told = format!("* connected to {url} at {}", place(&echo.path));
        assert!(ran.stderr.starts_with(&told), "{}", ran.stderr);
    }
    let both = ["connect", "--unix", "x", "--proxy", "none", "ws://localhost/"];
    assert_eq!(run(&both, b"").code, Some(2));
}

#[test]
fn tls_is_spoken_through_the_socket_too() {
    let echo = Echo::start(&["--tls-self-signed"]);
    let url = "wss://localhost/";
    let arguments = ["connect", "--insecure", "--unix", echo.path(), "--send", "hello", url];
    let ran = run(&arguments, b"");
    assert_eq!((ran.code, ran.text()), (Some(0), "hello\n"), "{}", ran.stderr);
}

#[test]
fn inspect_explains_what_it_finds_behind_the_socket() {
    let echo = Echo::start(&[]);
    let ran = run(&["inspect", "--unix", echo.path(), "ws://localhost/"], b"");
    assert_eq!(ran.code, Some(0), "{}", ran.text());
    let told = format!("url       ws://localhost/\nthrough   {} in ", place(&echo.path));
    assert!(ran.text().starts_with(&told), "{}", ran.text());
    let ran = run(&["inspect", "--output", "json", "--unix", "/nowhere", "ws://localhost/"], b"");
    let report = ran.json();
    assert_eq!((ran.code, &report["outcome"]), (Some(3), &"no_connection".into()));
    assert_eq!(
        (&report["detour"]["through"], &report["lookup"]),
        (&"unix:/nowhere".into(), &Value::Null)
    );
}

#[test]
fn the_socket_goes_with_the_server() {
    for name in ["INT", "TERM"] {
        let mut echo = Echo::start(&[]);
        assert!(fs::metadata(&echo.path).unwrap().file_type().is_socket());
        signal(&echo.child, name);
        assert_eq!(wait(&mut echo.child).code(), Some(0));
        assert!(!echo.path.exists(), "{name}");
    }
}

#[test]
fn a_socket_that_somebody_listens_on_is_left_alone() {
    let echo = Echo::start(&[]);
    let ran = refused(&echo.path, &[]);
    assert!(ran.stderr.contains("a program listens there"), "{}", ran.stderr);
    let arguments = ["connect", "--unix", echo.path(), "--send", "alive", "ws://localhost/"];
    assert_eq!(run(&arguments, b"").text(), "alive\n");
}

#[test]
fn a_socket_that_was_left_is_replaced() {
    let mut echo = Echo::start(&[]);
    echo.child.kill().unwrap();
    echo.child.wait().unwrap();
    assert!(echo.path.exists());
    echo.child = listen(&echo.path, &[]);
    let arguments = ["connect", "--unix", echo.path(), "--send", "again", "ws://localhost/"];
    assert_eq!(run(&arguments, b"").text(), "again\n");
}

#[test]
fn the_socket_of_a_successor_is_not_removed() {
    let mut echo = Echo::start(&[]);
    fs::remove_file(&echo.path).unwrap();
    let _successor = UnixListener::bind(&echo.path).unwrap();
    signal(&echo.child, "TERM");
    wait(&mut echo.child);
    assert!(echo.path.exists());
}

#[test]
fn what_is_no_socket_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "precious").unwrap();
    let ran = refused(&file, &[]);
    assert!(ran.stderr.contains("is no socket"), "{}", ran.stderr);
    assert_eq!(fs::read(&file).unwrap(), b"precious");
    let ran = refused(&folder.path().join("no/folder/echo.sock"), &[]);
    assert!(ran.stderr.contains("its folder does not exist"), "{}", ran.stderr);
    let ran = refused(&folder.path().join("x".repeat(200)), &[]);
    assert!(ran.stderr.contains("too long"), "{}", ran.stderr);
}

#[test]
fn who_may_connect_is_as_the_mode_says() {
    for mode in ["600", "666"] {
        let echo = Echo::start(&["--unix-mode", mode]);
        let found = fs::metadata(&echo.path).unwrap().permissions().mode();
        assert_eq!(format!("{:o}", found & 0o777), mode);
    }
    for (arguments, why) in [
        (["echo", "--listen", "unix:x", "--unix-mode", "888"], "octal"),
        (["echo", "--listen", "127.0.0.1:0", "--unix-mode", "660"], "--unix-mode is for"),
    ] {
        let ran = finish(start(&arguments));
        assert_eq!(ran.code, Some(2));
        assert!(ran.stderr.contains(why), "{}", ran.stderr);
    }
}
