use bytes::{Buf, BufMut, Bytes};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};

use crate::{Codec, Payload, error::BoxError};

/// The first byte of a response that was kept.
const WHOLE: u8 = 1;
/// The first byte of one that was too large to be kept.
const TOO_LARGE: u8 = 2;

/// What is kept of a response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kept {
    /// What it takes to answer again.
    Whole(StoredHttp),
    /// Its status: the rest was too large.
    TooLarge(StatusCode),
}

/// A response as it is kept: status, some headers, body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StoredHttp {
    status: StatusCode,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Bytes,
}

impl StoredHttp {
    /// Takes of a response what is for keeping, but for its body.
    pub(super) fn head(status: StatusCode, headers: &HeaderMap, kept: &[HeaderName]) -> Self {
        let headers = headers.iter().filter(|(name, _)| kept.contains(name));
        Self {
            status,
            headers: headers.map(|(name, value)| (name.clone(), value.clone())).collect(),
            body: Bytes::new(),
        }
    }

    /// Adds the body.
    pub(super) fn with_body(self, body: Bytes) -> Self {
        Self { body, ..self }
    }

    /// How many bytes it takes to keep it.
    pub(super) fn size(&self) -> usize {
        let headers = self.headers.iter().map(|(name, value)| 8 + name.as_str().len() + value.len());
        5 + headers.sum::<usize>() + self.body.len()
    }

    /// Makes the response anew.
    pub(super) fn into_response<B: From<Bytes>>(self) -> Response<B> {
        let mut response = Response::new(B::from(self.body));
        *response.status_mut() = self.status;
        for (name, value) in self.headers {
            response.headers_mut().append(name, value);
        }
        response
    }
}

/// Kind, status, count of headers, then each name and value with its length, then the body; numbers are big-endian.
#[derive(Debug, Clone, Copy)]
pub(super) struct HttpCodec;

impl Codec<Kept> for HttpCodec {
    fn encode(&self, kept: &Kept) -> Result<Payload, BoxError> {
        let response = match kept {
            Kept::Whole(response) => response,
            Kept::TooLarge(status) => {
                let [high, low] = status.as_u16().to_be_bytes();
                return Ok(vec![TOO_LARGE, high, low].into());
            }
        };
        let mut bytes = Vec::with_capacity(response.size());
        bytes.put_u8(WHOLE);
        bytes.put_u16(response.status.as_u16());
        bytes.put_u16(response.headers.len().try_into()?);
        for (name, value) in &response.headers {
            for text in [name.as_str().as_bytes(), value.as_bytes()] {
                bytes.put_u32(text.len().try_into()?);
                bytes.put_slice(text);
            }
        }
        bytes.put_slice(&response.body);
        Ok(bytes.into())
    }

    fn decode(&self, payload: &Payload) -> Result<Kept, BoxError> {
        let mut bytes = payload.clone().into_bytes();
        let kind = bytes.try_get_u8()?;
        let status = StatusCode::from_u16(bytes.try_get_u16()?)?;
        match kind {
            WHOLE => {}
            TOO_LARGE => return Ok(Kept::TooLarge(status)),
            _ => return Err("a response of another version".into()),
        }
        let mut headers = Vec::new();
        for _ in 0..bytes.try_get_u16()? {
            let (name, value) = (text(&mut bytes)?, text(&mut bytes)?);
            headers.push((HeaderName::from_bytes(&name)?, HeaderValue::from_maybe_shared(value)?));
        }
        Ok(Kept::Whole(StoredHttp { status, headers, body: bytes }))
    }
}

fn text(bytes: &mut Bytes) -> Result<Bytes, BoxError> {
    let length = usize::try_from(bytes.try_get_u32()?)?;
    if length > bytes.len() {
        return Err("a response that was cut off".into());
    }
    Ok(bytes.split_to(length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_is_read_back_as_it_was() {
        let headers = HeaderMap::from_iter([
            (http::header::CONTENT_TYPE, HeaderValue::from_static("text/plain")),
            (http::header::SET_COOKIE, HeaderValue::from_static("secret")),
        ]);
        let kept = [http::header::CONTENT_TYPE];
        let stored = StoredHttp::head(StatusCode::CREATED, &headers, &kept);
        assert_eq!(stored.headers.len(), 1);
        let stored = stored.with_body(Bytes::from_static(b"\0body\xff"));
        let (size, body) = (stored.size(), stored.body.len());
        let stored = Kept::Whole(stored);
        let payload = HttpCodec.encode(&stored).unwrap();
        assert_eq!(payload.as_bytes().len(), size);
        assert_eq!(HttpCodec.decode(&payload).unwrap(), stored);
        for cut in 0..size - body {
            let payload = Payload::from(payload.as_bytes()[..cut].to_vec());
            assert!(HttpCodec.decode(&payload).is_err(), "{cut} bytes");
        }
    }
    #[test]
    fn of_a_response_that_was_too_large_the_status_is_read_back() {
        let kept = Kept::TooLarge(StatusCode::CREATED);
        assert_eq!(HttpCodec.decode(&HttpCodec.encode(&kept).unwrap()).unwrap(), kept);
        assert!(HttpCodec.decode(&Payload::from(vec![3, 0, 200, 0, 0])).is_err());
    }
}
