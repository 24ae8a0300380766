//! Being told to stop.

use tokio::sync::watch;

/// How often this process was told to stop, by Ctrl-C or by a service manager.
#[derive(Debug, Clone)]
pub struct Signals(watch::Receiver<u32>);

impl Signals {
    /// Starts to listen for SIGINT and SIGTERM (Ctrl-C alone where there are none).
    ///
    /// # Errors
    ///
    /// When the system does not let this process listen.
    pub fn listen() -> std::io::Result<Self> {
        let (count, counted) = watch::channel(0);
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            let mut interrupt = signal(SignalKind::interrupt())?;
            let mut terminate = signal(SignalKind::terminate())?;
            tokio::spawn(async move {
                loop {
                    tokio::select! {
                        _ = interrupt.recv() => {}
                        _ = terminate.recv() => {}
                    }
                    count.send_modify(|count| *count += 1);
                }
            });
        }
        #[cfg(not(unix))]
        tokio::spawn(async move {
            while tokio::signal::ctrl_c().await.is_ok() {
                count.send_modify(|count| *count += 1);
            }
        });
        Ok(Self(counted))
    }

    /// Completes when the process was told to stop `times` times.
    pub async fn told(mut self, times: u32) {
        if self.0.wait_for(|count| *count >= times).await.is_err() {
            // Nobody can tell us any more.
            std::future::pending::<()>().await;
        }
    }
}
