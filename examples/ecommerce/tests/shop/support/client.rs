use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use super::Answer;

/// Talks to one shop.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    base: String,
}

impl Client {
    pub(crate) fn new(base: String) -> Self {
        Self { http: reqwest::Client::new(), base }
    }

    /// Where the shop is.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// A request that is not sent yet.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.base))
    }

    pub(crate) async fn send(&self, request: RequestBuilder) -> Answer {
        let response = request.send().await.expect("the shop answers");
        Answer::read(response).await.expect("the shop answers to the end")
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request(Method::POST, path).json(body)).await
    }

    /// A charge that is not sent yet.
    pub(crate) fn charge_request(&self, user: i64, amount: i64, key: &str) -> RequestBuilder {
        let body = json!({ "amount": amount, "idempotencyKey": key });
        self.request(Method::POST, &format!("/api/users/{user}/balance/charge")).json(&body)
    }

    pub(crate) async fn charge(&self, user: i64, amount: i64, key: &str) -> Answer {
        self.send(self.charge_request(user, amount, key)).await
    }

    pub(crate) async fn balance(&self, user: i64) -> i64 {
        self.get(&format!("/api/users/{user}/balance")).await.ok()["balance"].as_i64().expect("a number")
    }

    /// Everything that is counted, as Prometheus reads it.
    pub(crate) async fn metrics(&self) -> String {
        String::from_utf8(self.get("/metrics").await.body).expect("text")
    }

    /// The sum of a counter over its labels that contain `labels`, from `/metrics`.
    pub(crate) async fn counter(&self, name: &str, labels: &str) -> u64 {
        self.counter_with(name, &[labels]).await
    }

    /// The same over labels that contain all of these.
    pub(crate) async fn counter_with(&self, name: &str, labels: &[&str]) -> u64 {
        let text = self.metrics().await;
        let with_all = |line: &&str| labels.iter().all(|labels| line.contains(labels));
        let lines = text.lines().filter(|line| line.starts_with(name)).filter(with_all);
        lines.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum()
    }
}
