//! What the server's process has used.

use nix::time::{ClockId, clock_getcpuclockid, clock_gettime};
use nix::unistd::Pid;
use std::time::Duration;
use std::{fs, io};

pub struct Server {
    pid: i32,
    clock: ClockId,
}

impl Server {
    pub fn new(pid: &str) -> io::Result<Server> {
        let pid = pid.parse().expect("a process");
        Ok(Server { pid, clock: clock_getcpuclockid(Pid::from_raw(pid))? })
    }

    /// The CPU time of all its threads, in user space and in the kernel.
    pub fn cpu(&self) -> io::Result<Duration> {
        Ok(clock_gettime(self.clock)?.into())
    }

    pub fn resident_bytes(&self) -> io::Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        Ok(kibibytes.ok_or_else(|| io::Error::other("the system does not tell"))? * 1024)
    }
}
