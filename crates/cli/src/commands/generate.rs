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
        let mut lines = crate::failure::EXIT_CODES.lines();
        writeln!(page, ".SH {}", lines.next().unwrap_or_default().trim_end_matches(':'))?;
        lines.try_for_each(|line| writeln!(page, "{}\n.br", line.trim()))?;
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
        for line in help.render_long_help().to_string().lines() {
            let line = line.replace('\\', "\\\\").replace('-', "\\-");
            match line.trim_start() {
                "" => writeln!(page, ".PP")?,
                text if text.len() < line.len() => writeln!(page, ".br\n\\ \\ {text}")?,
                text => writeln!(page, ".br\n{text}")?,
            }
        }
    }
    Ok(())
}
