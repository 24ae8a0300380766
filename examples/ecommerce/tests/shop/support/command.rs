use std::process::{Command, Stdio};
use std::time::Duration;

/// The program under test, deaf to the settings of whoever runs the tests.
pub(crate) fn shop_command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ecommerce"));
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        let setting = ["DATABASE_URL", "REDIS_URL", "BIND", "PORT", "LOG"].contains(&name.as_str());
        if setting || name.starts_with("ECOMMERCE_") {
            command.env_remove(name);
        }
    }
    command.env("RUST_BACKTRACE", "1");
    command
}

/// What a program said before it ended by itself.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) output: String,
    pub(crate) errors: String,
}

/// Runs a program that is expected to end by itself.
pub(crate) async fn run_to_end(command: Command) -> Ended {
    run_within(Duration::from_secs(30), command).await
}

/// The same, for one that may take its time.
pub(crate) async fn run_within(limit: Duration, mut command: Command) -> Ended {
    command.stdin(Stdio::null());
    let output = tokio::process::Command::from(command).kill_on_drop(true).output();
    let output = tokio::time::timeout(limit, output)
        .await
        .expect("the program ends by itself")
        .expect("the program starts");
    Ended {
        code: output.status.code(),
        output: String::from_utf8_lossy(&output.stdout).into_owned(),
        errors: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}
