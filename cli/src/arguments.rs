use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use lock_core::{LockKey, Ticket};

/// Looks at the locks of a Redis server and frees one by force.
///
/// Ends with 0 when it did what was asked, 1 when the key is not held or the ticket does not own it, 2 when the command
/// line is wrong, and 3 when the server cannot be asked.
#[derive(Debug, Parser)]
#[command(name = "interlock", version)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) server: ServerArguments,
    #[command(subcommand)]
    pub(crate) command: Command,
    /// Writes JSON: an array for `ls`, an object for the others. Times are in milliseconds.
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ServerArguments {
    /// The server, `redis://user:password@host:port/database`, or several of them for --sentinel and --cluster, with
    /// commas between.
    ///
    /// Prefer the variable: others on this machine can see a command line, and the password in it.
    #[arg(
        long,
        global = true,
        env = "REDIS_URL",
        hide_env_values = true,
        value_delimiter = ',',
        default_value = "redis://127.0.0.1:6379"
    )]
    pub(crate) url: Vec<String>,
    /// The URLs are those of Sentinels, which know the server by this name.
    #[arg(long, global = true, value_name = "NAME", conflicts_with = "cluster")]
    pub(crate) sentinel: Option<String>,
    /// The URLs are those of nodes of a cluster.
    #[arg(long, global = true)]
    pub(crate) cluster: bool,
    /// What every key begins with on this server, as the services set it in their `LockManager`. Keys are named without.
    #[arg(long, global = true, env = "INTERLOCK_PREFIX", default_value = "")]
    pub(crate) prefix: String,
    /// A file with the certificates of the authorities, as PEM, in place of those of this machine.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Lists the keys that are held: owner, lease left, time since the last grant, nodes in the queue.
    ///
    /// Goes through the server in small steps (SCAN), which hold nobody up. Keys that change hands meanwhile may be
    /// missing.
    Ls {
        /// Only keys that begin with this.
        #[arg(default_value = "")]
        beginning: String,
        /// The most keys to list.
        #[arg(long, default_value_t = 1000)]
        limit: usize,
    },
    /// Shows one key.
    Show {
        /// The key, without the prefix.
        key: LockKey,
    },
    /// Takes a key from its owner, as if that process had died.
    ///
    /// Nobody tells the holder: it finds out when it renews, a third of its lease later at the latest, and works on
    /// until then. Only fencing tokens protect what the lock protects in between.
    Release {
        /// The key, without the prefix.
        key: LockKey,
        /// The owner, as `show` names it: nothing is released when somebody else owns the key by now.
        #[arg(long)]
        ticket: Ticket,
    },
}
