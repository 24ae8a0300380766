//! Runs a command beside a MariaDB and a Redis of its own, which end with it.
//!
//! `with_servers COMMAND [ARGUMENT…]` gives the command their URLs as `DATABASE_URL` and `REDIS_URL` and ends with its
//! status. Ctrl-C and SIGTERM reach the command; the servers go on until it has ended.

// A program talks to its user.
#![allow(clippy::expect_used, clippy::print_stderr)]

use std::process::ExitCode;

use interlock_tests::{MariaDbServer, RedisServer};
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::Command;
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let Some(program) = arguments.next() else {
        eprintln!("usage: with_servers COMMAND [ARGUMENT…]");
        return ExitCode::from(2);
    };
    let mut interrupt = signal(SignalKind::interrupt()).expect("a signal handler");
    let mut terminate = signal(SignalKind::terminate()).expect("a signal handler");
    let (redis, mariadb) = tokio::join!(RedisServer::private(), MariaDbServer::private());
    let database = mariadb.database("shop").await;

    let mut command = match Command::new(&program)
        .args(arguments)
        .env("REDIS_URL", redis.url())
        .env("DATABASE_URL", database.url())
        .spawn()
    {
        Ok(command) => command,
        Err(error) => {
            eprintln!("{} does not start: {error}", program.display());
            return ExitCode::from(127);
        }
    };
    let id = command.id().and_then(|id| Pid::from_raw(id.cast_signed())).expect("it has not been waited for");
    let status = loop {
        tokio::select! {
            status = command.wait() => break status.expect("our own child"),
            // A terminal sends it to the command as well.
            _ = interrupt.recv() => {}
            _ = terminate.recv() => { let _ = kill_process(id, Signal::TERM); }
        }
    };
    // 255 stands for an end by a signal.
    ExitCode::from(status.code().map_or(255, |code| u8::try_from(code).unwrap_or(255)))
}
