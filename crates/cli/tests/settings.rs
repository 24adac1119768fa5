//! Settings of `serve` from its environment and its file, and the files in `packaging/` that have some.

mod common;

use common::{Server, run};
use std::io::Write;
use std::path::PathBuf;

fn packaging(name: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../packaging");
    std::fs::read_to_string(folder.join(name)).unwrap()
}

/// Whether `serve` has a flag of this name.
fn is_flag(help: &str, name: &str) -> bool {
    help.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'))
        .any(|word| word == format!("--{name}"))
}

#[test]
fn a_server_is_set_up_by_a_file() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(b"ephemeral = true\npublic-host = \"chat.example\"\n").unwrap();
    // The port on the command line goes before anything else.
    let server = Server::start(&["serve", "--config", file.path().to_str().unwrap()]);
    assert!(common::get(&server.address, "/readyz").0.starts_with("HTTP/1.1 200 "));
}

#[test]
fn what_is_wrong_with_a_file_is_told_with_its_place() {
    for (content, words) in [
        ("listen = \"a\"\nlissten = 1\n", "there is no setting \"lissten\""),
        ("listen = \"a\"\nlisten\n", "line 2: "),
        ("threads = 0\n", ": threads: invalid value '0'"),
        ("threads = {}\n", "threads has to be a text, a number"),
    ] {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(content.as_bytes()).unwrap();
        let path = file.path().to_str().unwrap();
        let ran = run(&["serve", "--ephemeral", "--config", path], b"");
        assert_eq!(ran.code, Some(2), "{}", ran.stderr);
        assert!(ran.stderr.contains(words) && ran.stderr.contains(path), "{}", ran.stderr);
        assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
    }
}

#[test]
fn what_is_packaged_fits_the_command() {
    let help = run(&["serve", "--help"], b"");
    let help = help.text();
    let unit = packaging("wskit.service");
    let start = unit.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap();
    let flags = start.split(' ').filter_map(|word| word.strip_prefix("--"));
    assert!(flags.clone().count() > 0 && flags.clone().all(|flag| is_flag(help, flag)), "{start}");
    // A file that cannot be read ends the server with 1, and may be there two seconds later.
    let given_up = unit.lines().find_map(|line| line.strip_prefix("RestartPreventExitStatus="));
    assert!(given_up.unwrap().split(' ').all(|code| code != "1"), "{given_up:?}");
    let container = packaging("Containerfile");
    let variables = container.lines().filter_map(|line| line.strip_prefix("ENV WSKIT_"));
    for variable in variables.clone() {
        let name = variable.split('=').next().unwrap().to_ascii_lowercase().replace('_', "-");
        assert!(is_flag(help, &name), "{variable}");
    }
    assert!(variables.count() > 0);
    // With what is commented out, too.
    let settings = packaging("wskit.toml");
    let settings: Vec<_> = settings
        .lines()
        .filter_map(|line| line.trim_start_matches("# ").split_once(" = "))
        .collect();
    assert!(settings.len() > 6, "{settings:?}");
    for (name, _) in settings {
        assert!(is_flag(help, name), "{name}");
    }
    let config = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../packaging/wskit.toml");
    let server = Server::start(&["serve", "--ephemeral", "--config", config.to_str().unwrap()]);
    assert!(common::get(&server.address, "/readyz").0.starts_with("HTTP/1.1 200 "));
}
