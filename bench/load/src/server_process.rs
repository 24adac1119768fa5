//! What the server's process has used.

use nix::time::{ClockId, clock_getcpuclockid};
use nix::unistd::Pid;
use std::time::Duration;

pub(crate) struct ServerProcess {
    pid: i32,
    clock: ClockId,
}

impl ServerProcess {
    pub(crate) fn new(pid: i32) -> Result<Self, String> {
        let clock = clock_getcpuclockid(Pid::from_raw(pid))
            .map_err(|error| format!("no process {pid}: {error}"))?;
        Ok(Self { pid, clock })
    }

    /// The CPU time of all its threads, in user space and in the kernel.
    pub(crate) fn cpu(&self) -> Result<Duration, String> {
        self.clock
            .now()
            .map(Duration::from)
            .map_err(|error| format!("the server has ended: {error}"))
    }

    pub(crate) fn resident_bytes(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid)).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? * 1024)
    }
}
