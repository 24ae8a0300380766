use crate::{
    Payload,
    store::{Settlement, StoredResponse},
};

/// A settlement as the columns of a row.
pub(crate) struct Columns<'a> {
    pub(crate) status: &'static str,
    pub(crate) response_kind: Option<&'static str>,
    pub(crate) response_payload: Option<&'a [u8]>,
    pub(crate) error_message: Option<&'a str>,
}

impl<'a> From<&'a Settlement> for Columns<'a> {
    fn from(settlement: &'a Settlement) -> Self {
        let empty =
            Self { status: "COMPLETED", response_kind: None, response_payload: None, error_message: None };
        match settlement {
            Settlement::Completed(response) => Self {
                response_kind: Some(match response {
                    StoredResponse::Success(_) => "SUCCESS",
                    StoredResponse::Refusal(_) => "REFUSAL",
                }),
                response_payload: Some(Payload::as_bytes(response.payload())),
                ..empty
            },
            Settlement::Failed { message } => {
                Self { status: "FAILED", error_message: message.as_deref(), ..empty }
            }
            Settlement::Unknown { message } => {
                Self { status: "UNKNOWN", error_message: message.as_deref(), ..empty }
            }
        }
    }
}
