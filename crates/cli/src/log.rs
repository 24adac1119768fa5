//! The log: one line on standard error for each thing that an operator may want to know.

use clap::ValueEnum;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;
#[cfg(unix)]
use std::{fs::File, os::fd::AsFd};
use tracing::Dispatch;
use tracing_subscriber::fmt::MakeWriter;

/// How the log is written.
#[derive(clap::Args)]
#[command(next_help_heading = "The log")]
pub(crate) struct LogArguments {
    /// Who comes, goes and is refused, on standard error
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "off")]
    log: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Nothing is written
    Off,
    /// For people
    Text,
    /// One JSON object for each line
    Json,
}

/// What waits to be written. A thread of its own writes it, so that nobody else waits for whoever reads the log.
struct Queue {
    entries: Sender<Entry>,
    waiting_bytes: AtomicUsize,
}

enum Entry {
    Line(Vec<u8>),
    /// Tells that all before it is written.
    End(Sender<()>),
}

/// Where the log goes. Not through the lock of the standard library: while nobody reads, it would be held, and a thread that
/// panics would wait for it.
#[cfg(unix)]
type StandardError = File;
#[cfg(not(unix))]
type StandardError = io::Stderr;

/// Writes what waits when it is dropped, if that does not take long.
pub(crate) struct Log(Option<Arc<Queue>>);

/// Bytes that may wait to be written. Lines beyond it are lost, and counted.
const WAITING_BYTES_MAX: usize = 1024 * 1024;

/// How long the end of the program waits for what is still to be written.
const ENDING_MAX: Duration = Duration::from_secs(1);

/// How many lines were lost.
static LINES_LOST: AtomicU64 = AtomicU64::new(0);

pub(crate) fn lines_lost() -> u64 {
    LINES_LOST.load(Relaxed)
}

impl LogArguments {
    /// Begins to write, until the end of the program; what is returned is to be held until then.
    pub(crate) fn begin(&self) -> io::Result<Log> {
        if self.log == Format::Off {
            return Ok(Log(None));
        }
        let (entries, to_write) = channel();
        let queue = Arc::new(Queue { entries, waiting_bytes: AtomicUsize::new(0) });
        let (writer, output) = (queue.clone(), Arc::new(standard_error()?));
        let unqueued = self.write_to(output.clone());
        let write_all = move || writer.write_all(&to_write, &output, &unqueued);
        thread::Builder::new().name("log".into()).spawn(write_all)?;
        tracing::dispatcher::set_global_default(self.write_to(queue.clone()))
            .map_err(io::Error::other)?;
        Ok(Log(Some(queue)))
    }

    /// Writes lines in the format of the log.
    fn write_to(&self, writer: impl for<'a> MakeWriter<'a> + Send + Sync + 'static) -> Dispatch {
        // A line that cannot be written is lost. To complain of it is to write to the same place, and that panics.
        let log = tracing_subscriber::fmt().with_writer(writer).log_internal_errors(false);
        let log = log.with_target(false);
        match self.log {
            Format::Json => log.json().flatten_event(true).with_current_span(false).finish().into(),
            _ => log.with_ansi(false).finish().into(),
        }
    }
}

fn standard_error() -> io::Result<StandardError> {
    #[cfg(unix)]
    return Ok(io::stderr().as_fd().try_clone_to_owned()?.into());
    #[cfg(not(unix))]
    Ok(io::stderr())
}

impl Queue {
    fn put(&self, line: &[u8]) {
        let waiting = self.waiting_bytes.fetch_add(line.len(), Relaxed);
        if waiting + line.len() > WAITING_BYTES_MAX {
            self.waiting_bytes.fetch_sub(line.len(), Relaxed);
            LINES_LOST.fetch_add(1, Relaxed);
            return;
        }
        let _the_thread_lives = self.entries.send(Entry::Line(line.to_vec()));
    }

    fn write_all(
        &self,
        to_write: &Receiver<Entry>,
        mut output: &StandardError,
        unqueued: &Dispatch,
    ) {
        let mut told = 0;
        for entry in to_write {
            if let Entry::Line(line) = &entry {
                let _nobody_reads = output.write_all(line);
                self.waiting_bytes.fetch_sub(line.len(), Relaxed);
            }
            let lost = lines_lost() - told;
            told += lost;
            if lost > 0 {
                // Past the queue, where there may be no room for it either.
                tracing::dispatcher::with_default(unqueued, || {
                    tracing::warn!(
                        lost,
                        "lines of the log were lost, for nobody read them in time"
                    );
                });
            }
            if let Entry::End(tell) = entry {
                let _nobody_may_wait = tell.send(());
            }
        }
    }
}

/// Each write is one line.
impl Write for &Queue {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.put(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        let Some(queue) = &self.0 else { return };
        let (tell, told) = channel();
        let _the_thread_lives = queue.entries.send(Entry::End(tell));
        let _nobody_may_read = told.recv_timeout(ENDING_MAX);
    }
}
