use std::borrow::Cow;
use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use idempotency::IdempotencyKey;
use serde_json::Value;
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};

use crate::error::{ErrorCode, Refusal, ShopError};

const HEADER: &str = "idempotency-key";

/// The header `Idempotency-Key` of a request, unread; the body may hold the key as well.
#[derive(Debug, Clone, Default)]
pub struct IdempotencyKeyHeader(Vec<HeaderValue>);

impl IdempotencyKeyHeader {
    /// The request's key: from the header, from the body's field, or from both when they agree.
    ///
    /// # Errors
    ///
    /// A refusal that says what is wrong: no key, two different ones, or one that is not 1 to 255 visible ASCII
    /// characters.
    pub fn or_body(&self, field: Option<&Value>) -> Result<IdempotencyKey, ShopError> {
        self.optional_or_body(field)?.ok_or_else(|| refuse("the idempotency key is missing"))
    }

    /// The same where a key is not required.
    ///
    /// # Errors
    ///
    /// As [`or_body`](Self::or_body), but for a key that is missing.
    pub fn optional_or_body(&self, field: Option<&Value>) -> Result<Option<IdempotencyKey>, ShopError> {
        let from_header = match self.0.as_slice() {
            [] => None,
            [one] => Some(unquoted(one)?),
            _ => return Err(refuse("the header Idempotency-Key is there more than once")),
        };
        let from_body = match field {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(text.as_str()),
            Some(_) => return Err(refuse("idempotencyKey must be a string")),
        };
        let key = match (from_header, from_body) {
            (None, None) => return Ok(None),
            (Some(header), Some(body)) if header != body => {
                return Err(refuse("the idempotency keys in header and body differ"));
            }
            (Some(key), _) | (None, Some(key)) => key,
        };
        IdempotencyKey::new(key).map(Some).map_err(|invalid| refuse(invalid.to_string()))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKeyHeader {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        Ok(Self::from(&parts.headers))
    }
}

impl From<&HeaderMap> for IdempotencyKeyHeader {
    fn from(headers: &HeaderMap) -> Self {
        Self(headers.get_all(HEADER).iter().cloned().collect())
    }
}

impl IntoParams for IdempotencyKeyHeader {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let text = ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(255));
        let header = ParameterBuilder::new()
            .name("Idempotency-Key")
            .parameter_in(ParameterIn::Header)
            .description(Some("1 to 255 visible ASCII characters, here or in the body"))
            .schema(Some(text));
        vec![header.build()]
    }
}

/// The IETF draft has the key in quotes, most clients send it bare.
fn unquoted(value: &HeaderValue) -> Result<&str, ShopError> {
    let text =
        value.to_str().map_err(|_| refuse("the idempotency key may hold visible ASCII characters only"))?;
    Ok(text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text))
}

fn refuse(reason: impl Into<Cow<'static, str>>) -> ShopError {
    Refusal::because(ErrorCode::InvalidInput, reason).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn key(headers: &[&str], field: Option<&Value>) -> Result<String, String> {
        let header =
            IdempotencyKeyHeader(headers.iter().map(|text| HeaderValue::from_str(text).unwrap()).collect());
        header.or_body(field).map(|key| key.as_str().to_owned()).map_err(|error| error.to_string())
    }

    #[test]
    fn header_and_body_serve_alike() {
        assert_eq!(key(&[], Some(&json!("a"))), Ok("a".into()));
        assert_eq!(key(&["a"], None), Ok("a".into()));
        assert_eq!(key(&["a"], Some(&json!("a"))), Ok("a".into()));
        assert_eq!(key(&["\"a\""], Some(&json!("a"))), Ok("a".into()));
        assert_eq!(key(&[], Some(&json!("x".repeat(255)))), Ok("x".repeat(255)));
    }

    #[test]
    fn what_is_no_key_is_refused_with_a_reason() {
        let refused: [(&[&str], Option<Value>, &str); 11] = [
            (&[], None, "missing"),
            (&[], Some(json!(null)), "missing"),
            (&["a"], Some(json!("b")), "differ"),
            (&["a", "b"], None, "more than once"),
            (&[], Some(json!(1)), "string"),
            (&[], Some(json!("")), "empty"),
            (&["\"\""], None, "empty"),
            (&[], Some(json!("x".repeat(256))), "255"),
            (&[], Some(json!("a\nb")), "visible ASCII"),
            (&[], Some(json!("a b")), "visible ASCII"),
            (&[], Some(json!("größe")), "visible ASCII"),
        ];
        for (headers, field, reason) in refused {
            let message = key(headers, field.as_ref()).expect_err("a refusal");
            assert!(
                message.starts_with("COMMON002") && message.contains(reason),
                "{headers:?} {field:?}: {message}"
            );
        }
    }
}
