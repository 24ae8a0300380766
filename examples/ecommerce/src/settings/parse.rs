use std::error::Error;
use std::ffi::OsString;
use std::io::IsTerminal;

use clap::error::{ContextKind, ErrorKind};
use clap::parser::ValueSource;
use clap::{ArgMatches, CommandFactory, FromArgMatches};

use super::{Settings, environment};

/// What the command line and the environment say.
#[derive(Debug)]
pub enum Parsed {
    /// Serve, or do what `command` says, with these settings.
    Run(Box<Settings>),
    /// Show this text (the help or the version), and end.
    Show(String),
    /// A setting is wrong: one line that says which.
    Wrong(String),
}

/// Reads the settings from `args` and the environment.
pub fn parse(args: impl IntoIterator<Item = OsString>) -> Parsed {
    let mut command = Settings::command();
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    if let Some(name) = environment::unknown_variable(&command, names) {
        return Parsed::Wrong(format!("unknown setting in the environment: {name} (see --help)"));
    }
    match command.try_get_matches_from_mut(args).and_then(|matches| read(&matches)) {
        Ok(settings) => Parsed::Run(Box::new(settings)),
        Err(error) => match error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
                let text = error.render();
                let coloured = std::io::stdout().is_terminal();
                Parsed::Show(if coloured { text.ansi().to_string() } else { text.to_string() })
            }
            _ => Parsed::Wrong(one_line(&error)),
        },
    }
}

fn read(matches: &ArgMatches) -> clap::error::Result<Settings> {
    let given = |id| matches.value_source(id).is_some_and(|source| source != ValueSource::DefaultValue);
    let mut settings = Settings::from_arg_matches(matches)?;
    settings.database_is_given = given("database_url");
    if settings.command.is_some() && !given("log") {
        // Broken defences fail by the hundred: that is in the table.
        settings.log = "off".into();
    }
    Ok(settings)
}

/// The first paragraph of clap's report, which says what is wrong; the rest repeats the usage.
fn one_line(error: &clap::Error) -> String {
    if let (ErrorKind::ValueValidation, Some(setting), Some(reason)) =
        (error.kind(), error.get(ContextKind::InvalidArg), error.source())
    {
        // In words of our own: clap's repeat the value, which may be an address with a password.
        return format!("invalid value for {setting}: {reason} (see --help)");
    }
    let report = error.to_string();
    let paragraph = report.split("\n\n").next().unwrap_or_default();
    let words: Vec<&str> = paragraph.trim_start_matches("error:").split_whitespace().collect();
    format!("{} (see --help)", words.join(" "))
}
