use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Object;
use crate::error::{ErrorCode, Refusal, ShopError};

/// A JSON body; as axum's, with the shop's own answers to a body that is none. What comes in is an object.
#[derive(Debug, Clone, Copy)]
pub struct Json<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = ShopError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ShopError> {
        match axum::Json::from_request(request, state).await {
            Ok(axum::Json(Object(value))) => Ok(Self(value)),
            Err(rejection) => Err(refuse(&rejection).into()),
        }
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

fn refuse(rejection: &JsonRejection) -> Refusal {
    match rejection {
        JsonRejection::MissingJsonContentType(_) => ErrorCode::UnsupportedMediaType.into(),
        JsonRejection::JsonSyntaxError(_) => {
            Refusal::because(ErrorCode::InvalidInput, "the body is not JSON")
        }
        JsonRejection::JsonDataError(error) => Refusal::because(ErrorCode::InvalidInput, error.body_text()),
        other if other.status() == StatusCode::PAYLOAD_TOO_LARGE => ErrorCode::BodyTooLarge.into(),
        _ => Refusal::because(ErrorCode::InvalidInput, "the body cannot be read"),
    }
}
