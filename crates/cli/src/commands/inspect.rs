//! `wskit inspect`

use crate::failure::Failure;

/// (being written)
#[derive(clap::Args)]
pub(crate) struct Inspect {
    /// The URL
    url: String,
}

impl Inspect {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        Err(Failure::new(
            crate::failure::Kind::Usage,
            format_args!("{} cannot be connected to yet", self.url),
        ))
    }
}
