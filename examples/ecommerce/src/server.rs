//! From the first connection to the last.

use std::future::{Future, IntoFuture};
use std::io;
use std::time::Duration;

use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::routes;
use crate::settings::Settings;
use crate::signals::Signals;

/// How often histogram samples are put in order.
const TIDY_EVERY: Duration = Duration::from_secs(5);

/// How long locks may take to be given back once requests were cut off.
const RELEASE_WITHIN: Duration = Duration::from_secs(2);

/// Serves until the process is told to stop, then lets requests under way end: for as long as `settings` allow, or until
/// it is told again.
///
/// # Errors
///
/// When the listener fails.
pub async fn serve(
    app: App,
    listener: TcpListener,
    settings: &Settings,
    signals: &Signals,
) -> io::Result<()> {
    let router = routes::router(app.clone(), settings);
    let listener = listener.tap_io(|stream| {
        // An answer is one packet: waiting for more to send with it would only add delay.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "no TCP_NODELAY");
        }
    });
    let serving = axum::serve(listener, router).with_graceful_shutdown(signals.clone().told(1));
    let mut background = Background::start(&app);
    let end = tokio::select! {
        served = end_well(serving.into_future(), &app, &mut background) => served,
        () = lose_patience(&app, settings.drain_timeout, signals) => {
            tracing::warn!(under_way = app.tasks().under_way(), "stopped: requests under way were cut off");
            // First, or it would find that there are no locks any more, and complain.
            background.tasks.shutdown().await;
            // Work under a lock is stopped with it, so that nobody has to wait for the lease to end.
            let _ = tokio::time::timeout(RELEASE_WITHIN, app.locks().shutdown()).await;
            Ok(())
        }
    };
    background.tasks.shutdown().await;
    end
}

/// What goes on beside the requests.
struct Background {
    tasks: JoinSet<()>,
    stop: CancellationToken,
}

impl Background {
    fn start(app: &App) -> Self {
        let (mut tasks, stop) = (JoinSet::new(), CancellationToken::new());
        tasks.spawn(tidy(app.clone(), stop.clone()));
        for task in app.background(&stop) {
            tasks.spawn(task);
        }
        Self { tasks, stop }
    }

    /// Lets what has begun come to its end.
    async fn end(&mut self) {
        self.stop.cancel();
        while self.tasks.join_next().await.is_some() {}
    }
}

async fn end_well(
    serving: impl Future<Output = io::Result<()>>,
    app: &App,
    background: &mut Background,
) -> io::Result<()> {
    let served = serving.await;
    background.end().await;
    app.close().await;
    tracing::info!("stopped: every request was answered");
    served
}

async fn lose_patience(app: &App, drain_timeout: Duration, signals: &Signals) {
    signals.clone().told(1).await;
    tracing::info!(under_way = app.tasks().under_way(), "stopping: waiting for requests under way");
    let _ = tokio::time::timeout(drain_timeout, signals.clone().told(2)).await;
}

async fn tidy(app: App, stop: CancellationToken) {
    while stop.run_until_cancelled(tokio::time::sleep(TIDY_EVERY)).await.is_some() {
        app.tidy_metrics();
    }
}
