//! The subcommands, one file each.

mod accept;
mod connect;
mod echo;
mod generate;
mod inspect;
mod key;
mod serve;

use crate::failure::Failure;
use clap::Subcommand;

#[derive(Subcommand)]
pub(crate) enum Command {
    Serve(Box<serve::Serve>),
    Echo(echo::Echo),
    Connect(connect::Connect),
    Inspect(inspect::Inspect),
    Key(key::Key),
    Accept(accept::Accept),
    Completions(generate::Completions),
    Man(generate::Man),
}

impl Command {
    pub(crate) fn run(self) -> Result<(), Failure> {
        match self {
            Command::Serve(serve) => serve.run(),
            Command::Echo(echo) => echo.run(),
            Command::Connect(connect) => connect.run(),
            Command::Inspect(inspect) => inspect.run(),
            Command::Key(key) => key.run(),
            Command::Accept(accept) => accept.run(),
            Command::Completions(completions) => completions.run(),
            Command::Man(man) => man.run(),
        }
    }
}
