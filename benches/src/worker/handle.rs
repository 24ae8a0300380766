use std::process::Stdio;
use std::str::FromStr;

use clap::ValueEnum;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::worker::{Job, JobKind};

/// A worker process; killed when dropped.
#[derive(Debug)]
pub struct Worker {
    _child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl Worker {
    /// Starts this program again as a worker.
    ///
    /// # Panics
    ///
    /// When that is not possible.
    #[must_use]
    pub fn spawn(job: &Job) -> Self {
        let contender = job.contender.to_possible_value().expect("no name is skipped");
        let mut command = Command::new(std::env::current_exe().expect("a program that runs"));
        command
            .args(["worker", "--url", &job.url, "--contender", contender.get_name()])
            .args(["--millis", &job.millis.to_string()]);
        match &job.kind {
            JobKind::Relay { tasks, section } => {
                command.args(["relay", "--tasks", &tasks.to_string(), "--section", &section.to_string()])
            }
            JobKind::Ping { pause } => command.args(["ping", "--pause", &pause.to_string()]),
            JobKind::Message { from, to, pause } => {
                command.args(["message", "--from", from, "--to", to, "--pause", &pause.to_string()])
            }
            JobKind::Held { keys } => command.args(["held", "--keys", &keys.to_string()]),
        };
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("a worker");
        let output = child.stdout.take().expect("piped");
        Self {
            input: child.stdin.take().expect("piped"),
            output: BufReader::new(output).lines(),
            _child: child,
        }
    }

    /// Starts `count` workers, lets them begin together, and reads what each of them prints.
    pub async fn run_together<T: FromStr>(job: &Job, count: usize) -> Vec<Vec<T>>
    where
        T::Err: std::fmt::Debug,
    {
        Self::run_all(&vec![job.clone(); count]).await
    }

    /// The same with a job for each.
    pub async fn run_all<T: FromStr>(jobs: &[Job]) -> Vec<Vec<T>>
    where
        T::Err: std::fmt::Debug,
    {
        let mut workers: Vec<Self> = jobs.iter().map(Self::spawn).collect();
        for worker in &mut workers {
            let line = worker.output.next_line().await.expect("a worker that runs");
            assert_eq!(line.as_deref(), Some("ready"), "a worker failed");
        }
        for worker in &mut workers {
            worker.input.write_all(b"go\n").await.expect("a worker that runs");
        }
        futures_util::future::join_all(workers.iter_mut().map(Self::read)).await
    }

    /// Reads everything that the worker prints until it ends.
    pub async fn read<T: FromStr>(&mut self) -> Vec<T>
    where
        T::Err: std::fmt::Debug,
    {
        let mut items = Vec::new();
        while let Some(line) = self.output.next_line().await.expect("a worker that runs") {
            items.push(line.parse().expect("what a worker prints"));
        }
        items
    }
}
