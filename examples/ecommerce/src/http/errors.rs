use std::collections::BTreeMap;

use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{Content, Ref, RefOr, Response, ResponseBuilder};

use crate::error::ErrorCode;

/// Names the errors that a route may answer with: `errors!(ChargeErrors: UserNotFound, Busy)` is for the description of
/// the interface. What every route may answer with is added.
macro_rules! errors {
    ($name:ident: $($code:ident),*) => {
        struct $name;

        impl utoipa::IntoResponses for $name {
            fn responses() -> std::collections::BTreeMap<
                String,
                utoipa::openapi::RefOr<utoipa::openapi::response::Response>,
            > {
                $crate::http::describe_errors(&[$($crate::error::ErrorCode::$code),*])
            }
        }
    };
}
pub(crate) use errors;

/// The answers with these codes, by status.
pub(crate) fn describe_errors(codes: &[ErrorCode]) -> BTreeMap<String, RefOr<Response>> {
    let mut by_status = BTreeMap::<_, Vec<_>>::new();
    for &code in codes.iter().chain(&[ErrorCode::Internal, ErrorCode::Unavailable]) {
        by_status.entry(code.status().as_u16()).or_default().push(code);
    }
    by_status.into_iter().map(|(status, codes)| (status.to_string(), describe(&codes).into())).collect()
}

fn describe(codes: &[ErrorCode]) -> Response {
    let lines: Vec<_> = codes.iter().map(|code| format!("`{}`: {}", code.as_str(), code.text())).collect();
    let body = Content::new(Some(Ref::from_schema_name("ErrorBody")));
    let response = ResponseBuilder::new().description(lines.join("; ")).content("application/json", body);
    if !codes.iter().any(|code| code.may_be_asked_again()) {
        return response.build();
    }
    let seconds = ObjectBuilder::new().schema_type(Type::Integer);
    let header =
        HeaderBuilder::new().schema(Some(seconds)).description(Some("When to ask again, in seconds"));
    response.header("Retry-After", header.build()).build()
}
