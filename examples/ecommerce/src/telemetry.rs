//! Logs to standard error, metrics for whoever scrapes them.

use std::io::IsTerminal;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

/// Upper bounds of the histograms that measure seconds.
const SECONDS: [f64; 14] =
    [0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Starts to log what passes `filter`.
///
/// # Errors
///
/// One line that says what is wrong with the filter.
pub fn start_logging(filter: &str) -> Result<(), String> {
    // Every statement at `debug` would drown the rest; who wants to see them says sqlx=debug.
    let quiet = if filter.contains("sqlx") { "" } else { ",sqlx=warn" };
    let filter = EnvFilter::try_new(format!("{filter}{quiet}"))
        .map_err(|error| format!("invalid value for --log <FILTER>: {error}"))?;
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    // Already started only where several servers share a process.
    let _ = subscriber.try_init();
    Ok(())
}

/// Starts to count. The handle renders what was counted so far.
///
/// # Errors
///
/// One line that says what is wrong.
pub fn start_metrics() -> Result<PrometheusHandle, String> {
    PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), &SECONDS)
        .and_then(PrometheusBuilder::install_recorder)
        .map_err(|error| format!("cannot start the metrics: {error}"))
        .inspect(|_| begin_at_zero())
}

/// What somebody is to be woken for is there from the start: a counter that begins with its first event has not grown.
fn begin_at_zero() {
    for use_case in ["charge", "coupon", "order", "payment"] {
        metrics::counter!("shop_version_conflicts_total", "use_case" => use_case).absolute(0);
        metrics::counter!("shop_retries_exhausted_total", "use_case" => use_case).absolute(0);
    }
    for outcome in ["published", "retried", "dead"] {
        metrics::counter!("shop_events_total", "outcome" => outcome).absolute(0);
    }
    metrics::counter!("shop_swept_keys_total").absolute(0);
    for gauge in
        ["shop_stuck_keys", "shop_outbox_pending", "shop_outbox_lag_seconds", "shop_payments_unanswered"]
    {
        metrics::gauge!(gauge).set(0.0);
    }
}
