//! A disk that is slower than the machine's.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use crate::install::find;

/// Makes each flush (`fsync`, `fdatasync`) of a server take longer, by `strace`, and slows nothing else.
#[derive(Debug, Clone)]
pub struct SlowFlushes {
    strace: PathBuf,
    longer: Duration,
}

impl SlowFlushes {
    /// Flushes that take `longer` than the machine's, to the microsecond.
    ///
    /// # Errors
    ///
    /// One line for whoever runs it, when `strace` is not installed or may not trace here.
    pub fn by(longer: Duration) -> Result<SlowFlushes, String> {
        let Some(strace) = find("strace") else {
            return Err("strace is not installed: apt-get install strace (Linux only)".to_owned());
        };
        let slow = SlowFlushes { strace, longer };
        let tried = slow.slow(&Command::new("true")).output();
        let why = match tried {
            Ok(output) if output.status.success() && output.stderr.is_empty() => return Ok(slow),
            Ok(output) => String::from_utf8_lossy(&output.stderr).lines().collect::<Vec<_>>().join("; "),
            Err(error) => error.to_string(),
        };
        Err(format!("strace may not trace here ({why}): in a container, start it with --cap-add SYS_PTRACE"))
    }

    /// The program and the arguments of `command`, with slow flushes.
    pub(crate) fn slow(&self, command: &Command) -> Command {
        let mut slow = Command::new("sh");
        slow.args(["-c", include_str!("slow_flushes.sh"), "slow-flushes"])
            .arg(&self.strace)
            .arg(self.longer.as_micros().to_string())
            .arg(command.get_program())
            .args(command.get_args());
        slow
    }
}
