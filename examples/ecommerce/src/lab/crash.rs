use clap::ValueEnum;

/// A step of a payment after which the process dies, as by `kill -9`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CrashAt {
    /// The key is claimed, and nothing is taken yet.
    Claimed,
    /// Stock and balance are taken, and the gateway was not asked yet.
    Reserved,
    /// The gateway has answered, and nobody has noted it.
    Answered,
    /// The order is paid, or everything given back, and the client was not told.
    Ended,
}

/// Where this process is to die, if anywhere.
#[derive(Debug, Clone, Copy, Default)]
pub struct Crash(Option<CrashAt>);

impl Crash {
    /// Dies at this step.
    pub fn new(step: Option<CrashAt>) -> Self {
        Self(step)
    }

    /// Says that a step is reached; returns unless it is the one.
    pub fn at(self, step: CrashAt) {
        if self.0 == Some(step) {
            tracing::error!(?step, "the process dies here, as asked");
            die();
        }
    }
}

fn die() -> ! {
    #[cfg(unix)]
    {
        use rustix::process::{Signal, getpid, kill_process};
        let _ = kill_process(getpid(), Signal::KILL);
    }
    std::process::abort()
}
