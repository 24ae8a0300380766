use bytes::{Buf, BufMut, Bytes};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};

use crate::{Codec, Payload, error::BoxError};

const VERSION: u8 = 1;

/// A response as it is kept: status, some headers, body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StoredHttp {
    pub(super) status: StatusCode,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) body: Bytes,
}

impl StoredHttp {
    /// Takes of a response what is for keeping.
    pub(super) fn of(status: StatusCode, headers: &HeaderMap, kept: &[HeaderName], body: Bytes) -> Self {
        let headers = headers.iter().filter(|(name, _)| kept.contains(name));
        Self { status, headers: headers.map(|(name, value)| (name.clone(), value.clone())).collect(), body }
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

/// Version, status, count of headers, then each name and value with its length, then the body; numbers are big-endian.
#[derive(Debug, Clone, Copy)]
pub(super) struct HttpCodec;

impl Codec<StoredHttp> for HttpCodec {
    fn encode(&self, response: &StoredHttp) -> Result<Payload, BoxError> {
        let mut bytes = Vec::with_capacity(response.body.len() + 256);
        bytes.put_u8(VERSION);
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

    fn decode(&self, payload: &Payload) -> Result<StoredHttp, BoxError> {
        let mut bytes = payload.clone().into_bytes();
        if bytes.try_get_u8()? != VERSION {
            return Err("a response of another version".into());
        }
        let status = StatusCode::from_u16(bytes.try_get_u16()?)?;
        let mut headers = Vec::new();
        for _ in 0..bytes.try_get_u16()? {
            let (name, value) = (text(&mut bytes)?, text(&mut bytes)?);
            headers.push((HeaderName::from_bytes(&name)?, HeaderValue::from_maybe_shared(value)?));
        }
        Ok(StoredHttp { status, headers, body: bytes })
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
        let stored = StoredHttp::of(StatusCode::CREATED, &headers, &kept, Bytes::from_static(b"\0body\xff"));
        assert_eq!(stored.headers.len(), 1);
        let payload = HttpCodec.encode(&stored).unwrap();
        assert_eq!(HttpCodec.decode(&payload).unwrap(), stored);
        for cut in 0..payload.as_bytes().len() - stored.body.len() {
            let payload = Payload::from(payload.as_bytes()[..cut].to_vec());
            assert!(HttpCodec.decode(&payload).is_err(), "{cut} bytes");
        }
    }
}
