//! The HTTP side: what comes in is read and checked, what a use case answers goes out.

mod carts;
mod coupons;
mod health;
mod metrics;
mod orders;
mod payments;
mod products;
mod users;

use axum::extract::DefaultBodyLimit;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use axum::{Router, middleware};
use tower_http::catch_panic::CatchPanicLayer;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::error::ErrorBody;
use crate::http::{deadline, method_not_allowed, not_found, observe, panicked};
use crate::settings::Settings;

/// What is said of all routes; each says the rest itself.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Interlock: the shop",
        description = "Sums are whole won. Errors have a code of their own."
    ),
    components(schemas(ErrorBody))
)]
struct Description;

/// Everything the server answers.
pub fn router(app: App, settings: &Settings) -> Router {
    let (router, description) = routes().split_for_parts();
    // It never changes while the server runs.
    let description = serde_json::to_string(&description).unwrap_or_default();
    let describe = move || async move { ([(CONTENT_TYPE, "application/json")], description) };
    router
        .route("/openapi.json", get(describe))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(middleware::from_fn_with_state(settings.request_timeout, deadline))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(DefaultBodyLimit::max(settings.body_limit as usize))
        .layer(middleware::from_fn(observe))
        .with_state(app)
}

/// Every route, with its description.
fn routes() -> OpenApiRouter<App> {
    let api = OpenApiRouter::new()
        .routes(routes!(users::show))
        .routes(routes!(users::balance))
        .routes(routes!(users::charge))
        .routes(routes!(coupons::of_user))
        .routes(routes!(coupons::issue))
        .routes(routes!(products::list))
        .routes(routes!(products::top))
        .routes(routes!(products::show))
        .routes(routes!(carts::show))
        .routes(routes!(carts::add, carts::set, carts::remove))
        .routes(routes!(orders::place, orders::list))
        .routes(routes!(payments::complete))
        .routes(routes!(payments::pay));
    OpenApiRouter::with_openapi(Description::openapi())
        .nest("/api", api)
        .routes(routes!(health::alive))
        .routes(routes!(health::ready))
        .routes(routes!(metrics::show))
}
