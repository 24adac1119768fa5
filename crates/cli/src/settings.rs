//! What `wskit serve` is told beside the command line: by the environment, and by a file.
//!
//! A flag goes before a variable, a variable before the file, and the file before the default. Both are made into
//! flags, so that every setting has one name, is read in one way, and is refused with the same words.

use crate::failure::{Failure, Kind};
use clap::error::{ContextKind, ContextValue};
use clap::{Arg, ArgAction, Command};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};

/// The command line with all that it is to say.
pub(crate) struct Settings {
    pub(crate) arguments: Vec<OsString>,
    /// What was settled beside the command line, and where; `false` settles a flag that takes no value without adding
    /// it.
    settled: Vec<(String, String)>,
}

/// The subcommand that has settings.
const SUBCOMMAND: &str = "serve";

/// What the names of variables begin with.
const PREFIX: &str = "WSKIT_";

impl Settings {
    /// Adds to these arguments of the program what its environment and its file say.
    pub(crate) fn gather(
        command: &Command,
        arguments: Vec<OsString>,
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Settings, Failure> {
        let mut settings = Settings { arguments, settled: Vec::new() };
        let subcommand = command.find_subcommand(SUBCOMMAND);
        let is_meant = settings.arguments.get(1).is_some_and(|name| name == SUBCOMMAND);
        let Some(subcommand) = subcommand.filter(|_| is_meant) else { return Ok(settings) };
        let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
        let file = settings.value_of("config").or_else(|| variable("WSKIT_CONFIG"));
        let file = file.map(PathBuf::from);
        let table = file.as_deref().map_or_else(|| Ok(toml::Table::new()), read)?;
        for name in table.keys() {
            if !known(subcommand).any(|(known, _)| known == name) {
                let file = file.as_deref().unwrap_or(Path::new("")).display();
                let why = format!(
                    "{file}: there is no setting {name:?}; they are called as the flags are"
                );
                return Err(Failure::new(Kind::Usage, why));
            }
        }
        settings.add_all(subcommand, |name, arg| {
            let variable_name = format!("{PREFIX}{}", name.replace('-', "_").to_ascii_uppercase());
            let Some(value) = variable(&variable_name) else { return Ok(None) };
            let words = match value.into_string() {
                Ok(value) if matches!(arg.get_action(), ArgAction::Append) => {
                    let words = value.split([',', ' ']).filter(|word| !word.is_empty());
                    words.map(OsString::from).collect()
                }
                Ok(value) => vec![value.into()],
                Err(value) => vec![value],
            };
            Ok(Some((words, variable_name)))
        })?;
        settings.add_all(subcommand, |name, _| {
            let Some(value) = table.get(name) else { return Ok(None) };
            let file = file.as_deref().unwrap_or(Path::new("")).display();
            let words = words(value).ok_or_else(|| {
                let why =
                    format!("{file}: {name} has to be a text, a number, true, false, or a list");
                Failure::new(Kind::Usage, why)
            })?;
            Ok(Some((words, format!("{file}: {name}"))))
        })?;
        Ok(settings)
    }

    /// What is wrong with a setting that did not come from the command line.
    pub(crate) fn explain(&self, error: &clap::Error) -> Option<Failure> {
        let Some(ContextValue::String(flag)) = error.get(ContextKind::InvalidArg) else {
            return None;
        };
        let name = flag.trim_start_matches('-').split([' ', '=']).next()?;
        let (_, origin) = self.settled.iter().find(|(settled, _)| settled == name)?;
        let words = error.to_string();
        let line = words.lines().next()?.trim_start_matches("error: ");
        Some(Failure::new(Kind::Usage, format!("{origin}: {line}")))
    }

    /// Adds every setting that is not there yet and is not at odds with one that is.
    fn add_all(
        &mut self,
        command: &Command,
        find: impl Fn(&str, &Arg) -> Result<Option<(Vec<OsString>, String)>, Failure>,
    ) -> Result<(), Failure> {
        let is_there: Vec<_> = known(command).filter(|(name, _)| self.has(name)).collect();
        let at_odds = |arg: &Arg| {
            let conflicts = |one: &Arg, other: &Arg| {
                command.get_arg_conflicts_with(one).iter().any(|arg| arg.get_id() == other.get_id())
            };
            is_there.iter().any(|(_, there)| conflicts(arg, there) || conflicts(there, arg))
        };
        for (name, arg) in known(command) {
            let is_settled = self.settled.iter().any(|(settled, _)| settled == name);
            if is_settled || self.has(name) || at_odds(arg) {
                continue;
            }
            let Some((words, origin)) = find(name, arg)? else { continue };
            self.add(name, arg, words, &origin)?;
            self.settled.push((name.to_owned(), origin));
        }
        Ok(())
    }

    fn add(
        &mut self,
        name: &str,
        arg: &Arg,
        words: Vec<OsString>,
        origin: &str,
    ) -> Result<(), Failure> {
        if matches!(arg.get_action(), ArgAction::SetTrue) {
            match words.first().and_then(|word| word.to_str()) {
                Some("true" | "1" | "yes") => self.arguments.push(format!("--{name}").into()),
                Some("false" | "0" | "no") => {}
                _ => {
                    let why = format!("{origin} has to be true or false");
                    return Err(Failure::new(Kind::Usage, why));
                }
            }
            return Ok(());
        }
        for word in words {
            let mut flag = OsString::from(format!("--{name}="));
            flag.push(word);
            self.arguments.push(flag);
        }
        Ok(())
    }

    fn has(&self, name: &str) -> bool {
        self.arguments.iter().any(|argument| is_flag(argument, name).is_some())
    }

    fn value_of(&self, name: &str) -> Option<OsString> {
        let position =
            self.arguments.iter().position(|argument| is_flag(argument, name).is_some())?;
        match is_flag(&self.arguments[position], name)? {
            "" => self.arguments.get(position + 1).cloned(),
            value => Some(value.trim_start_matches('=').into()),
        }
    }
}

/// What stands behind the flag of this name: nothing, or `=` and a value.
fn is_flag<'a>(argument: &'a OsStr, name: &str) -> Option<&'a str> {
    let rest = argument.to_str()?.strip_prefix("--")?.strip_prefix(name)?;
    (rest.is_empty() || rest.starts_with('=')).then_some(rest)
}

/// Everything that can be set, by its name.
fn known(command: &Command) -> impl Iterator<Item = (&str, &Arg)> {
    let named = command.get_arguments().filter_map(|arg| Some((arg.get_long()?, arg)));
    named.filter(|(name, _)| !["config", "help", "version"].contains(name))
}

fn read(path: &Path) -> Result<toml::Table, Failure> {
    let failure = |kind, why: &dyn std::fmt::Display| {
        Failure::new(kind, format_args!("--config {}: {why}", path.display()))
    };
    let text = fs::read_to_string(path).map_err(|error| failure(Kind::Local, &error))?;
    text.parse::<toml::Table>().map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let why = format_args!("line {line}: {}", error.message().replace('\n', "; "));
        failure(Kind::Usage, &why)
    })
}

/// A value as the words of flags.
fn words(value: &toml::Value) -> Option<Vec<OsString>> {
    let word = |value: &toml::Value| match value {
        toml::Value::String(text) => Some(text.into()),
        toml::Value::Integer(number) => Some(number.to_string().into()),
        toml::Value::Float(number) => Some(number.to_string().into()),
        toml::Value::Boolean(value) => Some(value.to_string().into()),
        _ => None,
    };
    match value {
        toml::Value::Array(values) => values.iter().map(word).collect(),
        value => Some(vec![word(value)?]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn command() -> Command {
        let flag = |name: &'static str| Arg::new(name).long(name);
        Command::new("wskit").subcommand(
            Command::new("serve")
                .arg(flag("listen"))
                .arg(flag("origin").action(ArgAction::Append))
                .arg(flag("ephemeral").action(ArgAction::SetTrue))
                .arg(flag("data").conflicts_with("ephemeral"))
                .arg(flag("config")),
        )
    }

    fn gather(given: &str, variables: &[(&str, &str)], file: &str) -> Result<String, Failure> {
        let mut config = tempfile::NamedTempFile::new().unwrap();
        config.write_all(file.as_bytes()).unwrap();
        let given = given.replace("FILE", config.path().to_str().unwrap());
        let given = given.split(' ').map(OsString::from).collect();
        let settings = Settings::gather(&command(), given, |name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into())
        })?;
        let all = settings.arguments.join(OsStr::new(" ")).into_string().unwrap();
        Ok(all.replace(config.path().to_str().unwrap(), "FILE"))
    }

    #[test]
    fn flags_go_before_variables_and_these_before_the_file() {
        let file = "listen = \"file\"\norigin = [\"a\", \"b\"]\nephemeral = true\n";
        let all = "--config=FILE";
        for (given, variables, outcome) in [
            ("", &[][..], " --listen=file --origin=a --origin=b --ephemeral"),
            (
                "",
                &[("WSKIT_LISTEN", "env"), ("WSKIT_ORIGIN", "c, d e")],
                " --listen=env --origin=c --origin=d --origin=e --ephemeral",
            ),
            (
                " --listen x --origin=y",
                &[("WSKIT_LISTEN", "env")],
                " --listen x --origin=y --ephemeral",
            ),
            (
                "",
                &[("WSKIT_LISTEN", ""), ("WSKIT_EPHEMERAL", "no")],
                " --listen=file --origin=a --origin=b",
            ),
        ] {
            let got = gather(&format!("wskit serve {all}{given}"), variables, file).unwrap();
            let expected = format!(
                "wskit serve {all}{given}{}",
                outcome.strip_prefix(given).unwrap_or(outcome)
            );
            assert_eq!(got, expected);
        }
    }

    #[test]
    fn what_is_at_odds_with_a_higher_word_is_left_out() {
        let got = gather("wskit serve --config FILE --ephemeral", &[], "data = \"/x\"").unwrap();
        assert_eq!(got, "wskit serve --config FILE --ephemeral");
        let got = gather("wskit serve --data /y", &[("WSKIT_EPHEMERAL", "true")], "").unwrap();
        assert_eq!(got, "wskit serve --data /y");
        // What is said not to be so is at odds with nothing.
        let no = [("WSKIT_EPHEMERAL", "no")];
        let got = gather("wskit serve --config FILE", &no, "data = \"/x\"").unwrap();
        assert_eq!(got, "wskit serve --config FILE --data=/x");
    }

    #[test]
    fn the_file_may_be_named_by_the_environment() {
        let mut config = tempfile::NamedTempFile::new().unwrap();
        config.write_all(b"listen = 8080").unwrap();
        let path = config.path().to_str().unwrap();
        let got = gather("wskit serve", &[("WSKIT_CONFIG", path)], "").unwrap();
        assert_eq!(got, "wskit serve --listen=8080");
    }

    #[test]
    fn other_commands_have_no_settings() {
        let variables = [("WSKIT_LISTEN", "x"), ("WSKIT_CONFIG", "/nowhere")];
        assert_eq!(gather("wskit echo", &variables, "").unwrap(), "wskit echo");
        assert_eq!(gather("wskit", &variables, "").unwrap(), "wskit");
    }

    #[test]
    fn what_cannot_be_a_setting_is_refused() {
        let file = "wskit serve --config FILE";
        for wrong in [
            "lissten = 1",
            "listen",
            "listen = {}",
            "origin = [[1]]",
            "ephemeral = 2",
            "config = \"x\"",
        ] {
            assert!(gather(file, &[], wrong).is_err(), "{wrong}");
        }
        assert!(gather("wskit serve", &[("WSKIT_EPHEMERAL", "maybe")], "").is_err());
        assert!(gather("wskit serve --config /nowhere", &[], "").is_err());
    }
}
