//! Starting a server and waiting until it answers.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::install::Unavailable;
use crate::port::free_port;
use crate::process::Process;

/// How long a start may take on a machine that is busy compiling.
const START: Duration = Duration::from_secs(60);

/// What differs between one kind of server and another.
pub(crate) trait Recipe {
    /// The command that listens on `port` of 127.0.0.1.
    fn command(&self, port: u16) -> Command;

    /// Whether `process` itself, and not a stranger on the same port, answers on `port`.
    fn answers(&self, process: &Process, port: u16) -> bool;

    /// The signal after which nothing is left behind.
    fn stop_signal(&self) -> Signal {
        Signal::KILL
    }
}

/// Starts on a free port. Blocks.
pub(crate) fn launch(recipe: &impl Recipe, log: &Path) -> Result<(Process, u16), Unavailable> {
    let mut last = None;
    // Another process can take the port between our look and the server's bind.
    for _ in 0..5 {
        let port = free_port();
        match launch_on(recipe, log, port) {
            Ok(process) => return Ok((process, port)),
            Err(error) => last = Some(error),
        }
    }
    Err(last.expect("five attempts"))
}

/// Starts on `port`. Blocks.
pub(crate) fn launch_on(recipe: &impl Recipe, log: &Path, port: u16) -> Result<Process, Unavailable> {
    let command = recipe.command(port);
    let mut process = Process::spawn_stopped_by(&command, log, recipe.stop_signal());
    let deadline = Instant::now() + START;
    while process.exited().is_none() && Instant::now() < deadline {
        if recipe.answers(&process, port) {
            return Ok(process);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let why = if process.exited().is_some() { "ended at once" } else { "did not answer in time" };
    let log = process.log();
    let lines: Vec<_> = log.lines().collect();
    let tail = lines[lines.len().saturating_sub(15)..].join("\n");
    let name = command.get_program().to_string_lossy();
    Err(Unavailable(format!("{name} on port {port} {why}; its log ends with:\n{tail}")))
}
