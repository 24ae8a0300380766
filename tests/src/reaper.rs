//! The one shell per test process that outlives it for a moment and ends what it left behind.

use std::fmt;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};

use rustix::process::Pid;

static REAPER: OnceLock<Reaper> = OnceLock::new();

/// Knows the process groups and the directory that must not survive this process.
///
/// Nothing here runs at exit: the shell acts when its standard input closes, which the kernel does for any process
/// that ends, by SIGKILL too. The pipe is close-on-exec, so no child keeps it open.
pub(crate) struct Reaper {
    input: Mutex<ChildStdin>,
    directory: PathBuf,
    /// Kept and never waited for: it ends after us.
    _shell: Child,
}

impl Reaper {
    pub(crate) fn of_this_process() -> &'static Reaper {
        REAPER.get_or_init(Reaper::start)
    }

    fn start() -> Reaper {
        let directory =
            tempfile::Builder::new().prefix("interlock-").tempdir().expect("a directory for test data");
        let mut shell = Command::new("sh")
            .arg("-c")
            .arg(include_str!("reaper.sh"))
            .arg("interlock-reaper")
            .arg(directory.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // A group of its own, so that Ctrl-C in the terminal ends the tests and not their reaper.
            .process_group(0)
            .spawn()
            .expect("`sh` runs");
        let input = shell.stdin.take().expect("standard input is a pipe");
        Reaper { input: Mutex::new(input), directory: directory.keep(), _shell: shell }
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Ends `group` with `signal` (a name without SIG) when this process is gone.
    pub(crate) fn watch(&self, group: Pid, signal: &str) {
        self.tell(format_args!("watch {} {signal}\n", group.as_raw_nonzero()));
    }

    /// Leaves `group` alone from now on: it has ended, and its number may be given to another.
    pub(crate) fn forget(&self, group: Pid) {
        self.tell(format_args!("forget {}\n", group.as_raw_nonzero()));
    }

    fn tell(&self, line: fmt::Arguments<'_>) {
        let mut input = self.input.lock().unwrap_or_else(PoisonError::into_inner);
        // One write, so that the shell never reads half a line.
        input.write_all(line.to_string().as_bytes()).expect("the reaper listens");
    }
}
