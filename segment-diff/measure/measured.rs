//! Runs a command and prints what it cost as one line of JSON, as the system counted it when the
//! process ended: seconds of wall clock and of processor time, and the peak of resident memory.
//!
//! A program of its own because a process inherits the peak of whoever starts it: this one has
//! two megabytes, a script's interpreter has ten and more.

use std::error::Error;
use std::io::{self, Write};
use std::process::{Command, Stdio};
use std::time::Instant;

use wait4::Wait4;

#[expect(clippy::disallowed_methods, reason = "it is there to measure time")]
fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1);
    let program = arguments.next().ok_or("expected: COMMAND [ARGUMENT]...")?;
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null());
    let start = Instant::now();
    let used = command.spawn()?.wait4()?;
    let wall = start.elapsed();
    writeln!(
        io::stdout(),
        "{{\"wall\": {}, \"cpu\": {}, \"peak_bytes\": {}, \"success\": {}}}",
        wall.as_secs_f64(),
        (used.rusage.utime + used.rusage.stime).as_secs_f64(),
        used.rusage.maxrss,
        used.status.success(),
    )?;
    Ok(())
}
