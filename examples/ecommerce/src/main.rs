//! `ecommerce --help` explains everything.

// The command line is this program's face.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::error::Error;
use std::process::ExitCode;

use ecommerce::app::App;
use ecommerce::lab::{self, Demo};
use ecommerce::settings::{Command, Parsed, Settings, parse};
use ecommerce::signals::Signals;
use ecommerce::{server, telemetry};
use tokio::net::TcpListener;

const FAILED: u8 = 1;
const WRONG_SETTING: u8 = 2;

fn main() -> ExitCode {
    match parse(std::env::args_os()) {
        Parsed::Run(settings) => match &settings.command {
            None => run(&settings),
            Some(Command::Demo(demo)) => show(&settings, demo),
        }
        .unwrap_or_else(|failure| failure.report()),
        Parsed::Show(text) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        Parsed::Wrong(line) => Failure { code: WRONG_SETTING, line }.report(),
    }
}

/// One line for the person who started the program, and an exit code for the program that did.
struct Failure {
    code: u8,
    line: String,
}

impl Failure {
    fn new(error: &dyn Error) -> Self {
        let mut line = error.to_string();
        let mut next = error.source();
        while let Some(cause) = next {
            let text = cause.to_string();
            // Some errors repeat their cause.
            if !line.ends_with(&text) {
                line = format!("{line}: {text}");
            }
            next = cause.source();
        }
        Self { code: FAILED, line }
    }

    fn report(self) -> ExitCode {
        eprintln!("ecommerce: {}", self.line.replace('\n', " "));
        ExitCode::from(self.code)
    }
}

#[tokio::main]
async fn run(settings: &Settings) -> Result<ExitCode, Failure> {
    telemetry::start_logging(&settings.log).map_err(|line| Failure { code: WRONG_SETTING, line })?;
    let metrics = telemetry::start_metrics().map_err(|line| Failure { code: FAILED, line })?;
    // Before anything is opened: a port that is taken is the commonest reason not to start.
    let address = settings.listen_on();
    let listener = TcpListener::bind(address)
        .await
        .map_err(|error| Failure { code: FAILED, line: format!("cannot listen on {address}: {error}") })?;
    let app = App::open(settings, metrics).await.map_err(|error| {
        let failure = Failure::new(&error);
        if error.is_setting() { Failure { code: WRONG_SETTING, ..failure } } else { failure }
    })?;
    announce(settings, &listener);
    let signals = Signals::listen().map_err(|error| Failure::new(&error))?;
    server::serve(app, listener, settings, &signals).await.map_err(|error| Failure::new(&error))?;
    Ok(ExitCode::SUCCESS)
}

#[tokio::main]
async fn show(settings: &Settings, demo: &Demo) -> Result<ExitCode, Failure> {
    telemetry::start_logging(&settings.log).map_err(|line| Failure { code: WRONG_SETTING, line })?;
    lab::demo(settings, demo, |table| print!("{table}")).await.map_err(|error| Failure::new(&error))?;
    Ok(ExitCode::SUCCESS)
}

fn announce(settings: &Settings, listener: &TcpListener) {
    match settings.database_url.file() {
        Some(file) => {
            let file = std::path::absolute(&file).unwrap_or(file);
            tracing::info!(file = %file.display(), "data: SQLite");
        }
        None => tracing::info!(database = %settings.database_url, "data: server"),
    }
    match &settings.redis_url {
        Some(_) => tracing::info!("locks: Redis, shared with every instance there"),
        None => tracing::info!("locks: in memory, for this instance alone"),
    }
    if !settings.charge_lock.is_on() {
        tracing::warn!("charges take no lock: for demonstration only");
    }
    if let Ok(address) = listener.local_addr() {
        tracing::info!("listening on http://{address}");
    }
}
