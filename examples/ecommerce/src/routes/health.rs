use std::time::Duration;

use axum::extract::State;

use crate::app::App;
use crate::error::{ErrorBody, ErrorCode};

/// How long the database may take to give a sign of life.
const PATIENCE: Duration = Duration::from_secs(1);

/// The process runs.
#[utoipa::path(get, path = "/healthz", operation_id = "alive", responses((status = 200, body = String)))]
pub(super) async fn alive() -> &'static str {
    "alive\n"
}

/// The process can serve: its database answers.
#[utoipa::path(
    get,
    path = "/readyz",
    operation_id = "ready",
    responses(
        (status = 200, body = String),
        (status = 503, body = ErrorBody, description = "`COMMON008`: the database is away")
    )
)]
pub(super) async fn ready(State(app): State<App>) -> Result<&'static str, ErrorCode> {
    match tokio::time::timeout(PATIENCE, app.database().ping()).await {
        Ok(Ok(())) => Ok("ready\n"),
        Ok(Err(_)) | Err(_) => Err(ErrorCode::Unavailable),
    }
}
