use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;

use crate::app::App;

/// Everything counted so far, in Prometheus' text format.
#[utoipa::path(get, path = "/metrics", operation_id = "metrics", responses((status = 200, body = String)))]
pub(super) async fn show(State(app): State<App>) -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], app.render_metrics())
}
