//! A process that a test starts, breaks and ends.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::eventually::eventually;
use crate::reaper::Reaper;

/// Waits for a line before it becomes the command. A test process that is killed between starting it and naming it
/// to the reaper closes the pipe, and the command never runs.
const GATE: &str = r#"read -r go || exit 1; exec "$0" "$@" </dev/null"#;

/// How long a process may take to end by its own stop signal.
const STOP: Duration = Duration::from_secs(3);

/// A child process with a process group of its own; dropping it ends the whole group, as does the end of the test
/// process.
#[derive(Debug)]
pub struct Process {
    child: Child,
    group: Pid,
    log: PathBuf,
    stop_signal: Signal,
}

impl Process {
    /// Starts `command` with both outputs appended to the file `log` and no input.
    ///
    /// # Panics
    ///
    /// When `log` cannot be written. A command that does not exist ends at once with status 127 and says so in the log.
    #[must_use]
    pub fn spawn(command: &Command, log: &Path) -> Process {
        Process::spawn_stopped_by(command, log, Signal::KILL)
    }

    /// The same, for a server that leaves something behind unless it is stopped by a signal of its own choice.
    pub(crate) fn spawn_stopped_by(command: &Command, log: &Path, stop_signal: Signal) -> Process {
        let output = File::options().create(true).append(true).open(log).expect("a log file");
        let mut gated = Command::new("sh");
        gated.arg("-c").arg(GATE).arg(command.get_program()).args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => gated.env(name, value),
                None => gated.env_remove(name),
            };
        }
        if let Some(directory) = command.get_current_dir() {
            gated.current_dir(directory);
        }
        let mut child = gated
            .stdin(Stdio::piped())
            .stdout(output.try_clone().expect("a second handle of the log"))
            .stderr(output)
            .process_group(0)
            .spawn()
            .expect("`sh` runs");
        let group = Pid::from_child(&child);
        let name = if stop_signal == Signal::QUIT { "QUIT" } else { "KILL" };
        Reaper::of_this_process().watch(group, name);
        let mut gate = child.stdin.take().expect("standard input is a pipe");
        std::io::Write::write_all(&mut gate, b"go\n").expect("the shell reads");
        Process { child, group, log: log.to_owned(), stop_signal }
    }

    /// The process id, which is also the id of its group.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Stops it in its tracks (SIGSTOP): it stays connected and does nothing.
    pub fn pause(&mut self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on after [`pause`](Self::pause).
    pub fn resume(&mut self) {
        self.signal(Signal::CONT);
    }

    /// Asks it to end, as Ctrl-C in a terminal does.
    pub fn interrupt(&mut self) {
        self.signal(Signal::INT);
    }

    /// Asks it to end, as a service manager does.
    pub fn terminate(&mut self) {
        self.signal(Signal::TERM);
    }

    /// Ends it without warning (SIGKILL) and returns when it is gone.
    pub fn kill(&mut self) {
        self.signal(Signal::KILL);
        self.child.wait().expect("our own child");
        Reaper::of_this_process().forget(self.group);
    }

    /// Its exit status, if it has ended.
    pub fn exited(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("our own child")
    }

    /// Waits for it to end by itself.
    ///
    /// # Panics
    ///
    /// When it is still there after `within`.
    pub async fn exits(&mut self, within: Duration) -> ExitStatus {
        eventually("the process ends", within, async || self.exited().is_some()).await;
        self.exited().expect("it has ended")
    }

    /// What it has written so far.
    #[must_use]
    pub fn log(&self) -> String {
        let bytes = fs::read(&self.log).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Waits until it has written `text`.
    ///
    /// # Panics
    ///
    /// When it has not after `within`, or has ended without.
    pub async fn says(&mut self, text: &str, within: Duration) {
        let what = format!("the process writes {text:?}");
        eventually(&what, within, async || {
            let ended = self.exited();
            let log = self.log();
            let said = log.contains(text);
            assert!(
                said || ended.is_none(),
                "the process ended ({ended:?}) without writing {text:?}:\n{log}"
            );
            said
        })
        .await;
    }

    fn signal(&mut self, signal: Signal) {
        // Once it is reaped, its number may belong to another process.
        if self.exited().is_none() {
            // It may end between the two lines; then there is nothing to signal.
            let _ = kill_process_group(self.group, signal);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.stop_signal != Signal::KILL {
            self.signal(Signal::CONT);
            self.signal(self.stop_signal);
            let deadline = Instant::now() + STOP;
            while self.exited().is_none() && Instant::now() < deadline {
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        self.kill();
    }
}
