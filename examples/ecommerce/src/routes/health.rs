use std::time::Duration;

use axum::extract::State;

use crate::app::App;
use crate::error::ErrorCode;

/// How long the database may take to give a sign of life.
const PATIENCE: Duration = Duration::from_secs(1);

/// The process runs.
pub(super) async fn alive() -> &'static str {
    "alive\n"
}

/// The process can serve: its database answers.
pub(super) async fn ready(State(app): State<App>) -> Result<&'static str, ErrorCode> {
    match tokio::time::timeout(PATIENCE, app.database().ping()).await {
        Ok(Ok(())) => Ok("ready\n"),
        Ok(Err(_)) | Err(_) => Err(ErrorCode::Unavailable),
    }
}
