//! `wskit connect`

use crate::failure::Failure;

/// (being written)
#[derive(clap::Args)]
pub(crate) struct Connect {
    /// The URL
    url: String,
}

impl Connect {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        Err(Failure::new(
            crate::failure::Kind::Usage,
            format_args!("{} cannot be connected to yet", self.url),
        ))
    }
}
