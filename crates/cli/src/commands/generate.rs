//! `wskit completions` and `wskit man`: made from the very definition of the command line.

use crate::{Arguments, failure::Failure};
use clap::CommandFactory;
use std::io::{self, Write};

/// Print the completions for a shell.
///
/// For bash: wskit completions bash > ~/.local/share/bash-completion/completions/wskit
#[derive(clap::Args)]
pub(crate) struct Completions {
    /// The shell to complete in
    shell: clap_complete::Shell,
}

/// Print the manual page, in the format of man.
///
/// To read it at once: wskit man | man -l -
#[derive(clap::Args)]
pub(crate) struct Man {}

impl Completions {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Arguments::command(), "wskit", &mut script);
        Ok(io::stdout().write_all(&script)?)
    }
}

impl Man {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let mut page = Vec::new();
        let command = Arguments::command().after_help(None::<&str>);
        let man = clap_mangen::Man::new(command.clone());
        man.render_title(&mut page)?;
        man.render_name_section(&mut page)?;
        man.render_synopsis_section(&mut page)?;
        man.render_description_section(&mut page)?;
        render_subcommands(command, &mut page)?;
        let (title, codes) = crate::failure::EXIT_CODES.split_once(":\n").unwrap_or_default();
        writeln!(page, ".SH {title}")?;
        render_help(codes, &mut page)?;
        Ok(io::stdout().write_all(&page)?)
    }
}

/// One page holds all subcommands, with all that their own help tells.
fn render_subcommands(mut command: clap::Command, page: &mut Vec<u8>) -> io::Result<()> {
    command.build();
    for subcommand in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
        writeln!(page, ".SH \"WSKIT {}\"", subcommand.get_name().to_uppercase())?;
        // The reader of the page breaks the lines.
        let mut help = subcommand.clone().color(clap::ColorChoice::Never).term_width(0);
        render_help(&help.render_long_help().to_string(), page)?;
    }
    Ok(())
}

/// How far what is told of a flag or an argument is indented in a help, and nothing else.
const TOLD_INDENT: usize = 10;

/// The longest line that is a heading.
const HEADING_BYTES_MAX: usize = 30;

/// A help, in the format of man.
fn render_help(help: &str, page: &mut Vec<u8>) -> io::Result<()> {
    let (mut begins_paragraph, mut tells_codes) = (true, false);
    for line in help.lines() {
        let text = line.trim_start();
        let indent = line.len() - text.len();
        let is_told = indent >= TOLD_INDENT;
        let is_heading = text.ends_with(':') && text.len() <= HEADING_BYTES_MAX;
        let escaped = escape(text);
        let code = exit_code(text);
        tells_codes = code.is_some() || tells_codes && !text.is_empty();
        match indent {
            _ if text.is_empty() => {}
            0 if begins_paragraph && is_heading => {
                writeln!(page, ".SS \"{}\"", escaped.trim_end_matches(':'))?;
            }
            0 if begins_paragraph => writeln!(page, ".PP\n{escaped}")?,
            1..TOLD_INDENT if tells_codes => match code {
                Some((code, why)) => writeln!(page, ".TP 5\n{code}\n{}", escape(why))?,
                None => writeln!(page, "{escaped}")?,
            },
            1..TOLD_INDENT if text.starts_with(['-', '<', '[']) => {
                writeln!(page, ".TP\n\\fB{escaped}\\fR")?;
            }
            _ if is_told && begins_paragraph => writeln!(page, ".sp\n{escaped}")?,
            _ if is_told && is_item(text) => writeln!(page, ".br\n{escaped}")?,
            _ if is_told => writeln!(page, "{escaped}")?,
            _ => writeln!(page, ".br\n{}{escaped}", "\\ ".repeat(indent))?,
        }
        begins_paragraph = text.is_empty();
    }
    Ok(())
}

/// Words in which nothing is a request to man.
fn escape(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('-', "\\-");
    if text.starts_with(['.', '\'']) { format!("\\&{escaped}") } else { escaped }
}

/// An exit code, and the beginning of what it means.
fn exit_code(text: &str) -> Option<(&str, &str)> {
    let (code, why) = text.split_once("  ")?;
    code.bytes().all(|byte| byte.is_ascii_digit()).then_some((code, why.trim_start()))
}

/// Whether it is one of the values that a flag may have.
fn is_item(text: &str) -> bool {
    text.starts_with("- ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn becomes(help: &str, expected: &str) {
        let mut page = Vec::new();
        render_help(help, &mut page).unwrap();
        assert_eq!(String::from_utf8(page).unwrap(), expected);
    }

    #[test]
    fn no_line_of_words_is_a_request_to_man() {
        becomes(
            "      --file\n          Reads\n          .netrc and\n          'quoted' words",
            ".TP\n\\fB\\-\\-file\\fR\nReads\n\\&.netrc and\n\\&'quoted' words\n",
        );
    }

    #[test]
    fn what_an_exit_code_means_is_one_paragraph() {
        becomes(
            "Exit codes:\n  0  well\n  1  a fault that\n     -x had\n\n  wskit key\n",
            ".SS \"Exit codes\"\n.TP 5\n0\nwell\n.TP 5\n1\na fault that\n\\-x had\n.br\n\\ \\ wskit key\n",
        );
    }
}
