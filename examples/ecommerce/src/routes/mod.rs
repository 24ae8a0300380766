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
use axum::routing::{get, post};
use axum::{Router, middleware};
use tower_http::catch_panic::CatchPanicLayer;

use crate::app::App;
use crate::http::{deadline, method_not_allowed, not_found, observe, panicked};
use crate::settings::Settings;

/// Everything the server answers.
pub fn router(app: App, settings: &Settings) -> Router {
    let api = Router::new()
        .route("/users/{id}", get(users::show))
        .route("/users/{id}/balance", get(users::balance))
        .route("/users/{id}/balance/charge", post(users::charge))
        .route("/users/{id}/coupons", get(coupons::of_user))
        .route("/coupons/{id}/issue", post(coupons::issue))
        .route("/products", get(products::list))
        .route("/products/top", get(products::top))
        .route("/products/{id}", get(products::show))
        .route("/cart", get(carts::show))
        .route("/cart/items", post(carts::add).put(carts::set).delete(carts::remove))
        .route("/orders", post(orders::place).get(orders::list))
        .route("/orders/complete", post(payments::complete))
        .route("/orders/{id}/payment", post(payments::pay));
    Router::new()
        .nest("/api", api)
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(metrics::show))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(middleware::from_fn_with_state(settings.request_timeout, deadline))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(DefaultBodyLimit::max(settings.body_limit as usize))
        .layer(middleware::from_fn(observe))
        .with_state(app)
}
