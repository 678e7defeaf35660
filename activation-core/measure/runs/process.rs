//! What a piece of work costs this process, as Linux counts it.

use std::{fs, io, time::Instant};

/// The ticks of `/proc/self/stat` in a second, on every Linux in use.
const TICKS: f64 = 100.0;

/// Wall clock, processor time and memory from here on.
pub(crate) struct Meter {
    started: Instant,
    cpu_before: f64,
    resident_before: f64,
}

/// What was used.
pub(crate) struct Used {
    pub(crate) seconds: f64,
    pub(crate) cpu_seconds: f64,
    /// Resident memory at the start, in MiB.
    pub(crate) before_mib: f64,
    /// The peak of resident memory since then, in MiB.
    pub(crate) peak_mib: f64,
}

impl Meter {
    /// Starts, with the peak of memory set back to what is resident now.
    #[expect(clippy::disallowed_methods, reason = "it is there to measure time")]
    pub(crate) fn start() -> io::Result<Self> {
        fs::write("/proc/self/clear_refs", "5")?;
        Ok(Self {
            started: Instant::now(),
            cpu_before: cpu_seconds()?,
            resident_before: mib("VmRSS:")?,
        })
    }

    pub(crate) fn stop(&self) -> io::Result<Used> {
        Ok(Used {
            seconds: self.started.elapsed().as_secs_f64(),
            cpu_seconds: cpu_seconds()? - self.cpu_before,
            before_mib: self.resident_before,
            peak_mib: mib("VmHWM:")?,
        })
    }
}

fn mib(field: &str) -> io::Result<f64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok());
    kib.map(|kib| kib / 1024.0).ok_or_else(|| io::Error::other(format!("no {field} in status")))
}

fn cpu_seconds() -> io::Result<f64> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    // The name of the program, in parentheses, may hold spaces.
    let (_, fields) = stat.rsplit_once(')').ok_or_else(|| io::Error::other("an odd stat"))?;
    let ticks = fields.split_whitespace().skip(11).take(2).map(str::parse::<f64>);
    Ok(ticks.sum::<Result<f64, _>>().map_err(io::Error::other)? / TICKS)
}
