use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use serde_json::Value;

/// An answer of the shop.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) async fn read(response: reqwest::Response) -> reqwest::Result<Self> {
        let (status, headers) = (response.status(), response.headers().clone());
        Ok(Self { status, headers, body: response.bytes().await?.to_vec() })
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| panic!("not JSON: {} {}", self.status, String::from_utf8_lossy(&self.body)))
    }

    /// The error code, after a look at the whole of the error body.
    pub(crate) fn code(&self) -> String {
        let body = self.json();
        let fields: Vec<&String> = body.as_object().expect("an object").keys().collect();
        assert_eq!(fields, ["code", "message", "timestamp"], "{body}");
        assert!(!body["message"].as_str().expect("a text").is_empty());
        assert!(body["timestamp"].as_str().expect("a text").ends_with('Z'));
        body["code"].as_str().expect("a text").to_owned()
    }

    /// The error code, unless this is a success.
    pub(crate) fn code_if_refused(&self) -> Option<String> {
        (!self.status.is_success()).then(|| self.code())
    }

    /// Fails unless this is a refusal with this status and code.
    #[track_caller]
    pub(crate) fn is_refused(&self, status: u16, code: &str) {
        assert_eq!((self.status.as_u16(), self.code().as_str()), (status, code), "{}", self.json());
    }

    /// Fails unless this is a success; gives its body.
    #[track_caller]
    pub(crate) fn ok(&self) -> Value {
        assert_eq!(self.status, 200, "{}", String::from_utf8_lossy(&self.body));
        self.json()
    }
}
