//! The command `interlock`: looks at the locks of a Redis server and frees one by force.

// A command talks to its user.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod arguments;
mod report;

use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use lock_core::{ForcedRelease, LockManager, RedisBackend, RedisConfig};

use arguments::{Arguments, Command, ServerArguments};

/// It did what was asked.
const DONE: u8 = 0;
/// The key is not held, or not by this ticket.
const NOT_HELD: u8 = 1;
/// The server cannot be asked. (2 is clap's, for a wrong command line.)
const FAILED: u8 = 3;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments).await {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("interlock: {}", report::chain(error.as_ref()));
            ExitCode::from(FAILED)
        }
    }
}

async fn run(arguments: &Arguments) -> Result<u8, Box<dyn Error>> {
    let json = arguments.json;
    let backend = RedisBackend::connect(config(&arguments.server)?, &arguments.server.prefix).await?;
    let locks = LockManager::builder().backend(Arc::new(backend));
    match &arguments.command {
        Command::Ls { beginning, limit } => {
            let held = locks.inspect().list(beginning, *limit).await?;
            println!("{}", report::list(&held, json));
            if held.len() == *limit {
                eprintln!("interlock: there may be more than {limit}; --limit shows them");
            }
            Ok(DONE)
        }
        Command::Show { key } => match locks.inspect().show(key).await? {
            Some(held) => {
                println!("{}", report::one(&held, json));
                Ok(DONE)
            }
            None => {
                eprintln!("interlock: {key} is not held");
                Ok(NOT_HELD)
            }
        },
        Command::Release { key, ticket } => match locks.inspect().release(key, *ticket).await? {
            ForcedRelease::Released => {
                println!("{}", report::released(key, *ticket, json));
                Ok(DONE)
            }
            _ => {
                eprintln!("interlock: {key} is not owned by {ticket}; nothing was released");
                Ok(NOT_HELD)
            }
        },
    }
}

fn config(server: &ServerArguments) -> Result<RedisConfig, Box<dyn Error>> {
    let config = match (&server.sentinel, server.url.as_slice()) {
        (Some(name), urls) => RedisConfig::sentinel(urls, name),
        (None, urls) if server.cluster => RedisConfig::cluster(urls),
        (None, [url]) => RedisConfig::standalone(url),
        (None, _) => return Err("several URLs need --sentinel NAME or --cluster".into()),
    };
    Ok(match &server.ca {
        Some(file) => {
            let pem = std::fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?;
            config.root_certificates(pem)
        }
        None => config,
    })
}
