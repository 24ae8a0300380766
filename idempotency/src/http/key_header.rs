use http::{HeaderMap, HeaderName};

use crate::{IdempotencyKey, InvalidKey};

pub(super) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// What is wrong with the header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BadHeader {
    Twice,
    Quotes,
    Key(InvalidKey),
}

/// Reads the key, if there is one: a quoted string by the draft, or bare, as most clients send it.
pub(super) fn read(headers: &HeaderMap) -> Result<Option<IdempotencyKey>, BadHeader> {
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(BadHeader::Twice);
    }
    let text = value.to_str().map_err(|_| BadHeader::Key(InvalidKey::Character { position: 0 }))?.trim();
    let key = match text.strip_prefix('"') {
        Some(quoted) => unquote(quoted).ok_or(BadHeader::Quotes)?,
        None => text.to_owned(),
    };
    IdempotencyKey::new(key).map(Some).map_err(BadHeader::Key)
}

/// Reads what follows an opening quote, as RFC 9651 has strings: `\"` and `\\` are the only escapes.
fn unquote(text: &str) -> Option<String> {
    let mut key = String::with_capacity(text.len());
    let mut characters = text.chars();
    loop {
        match characters.next()? {
            '"' => return characters.next().is_none().then_some(key),
            '\\' => key.push(characters.next().filter(|c| matches!(c, '"' | '\\'))?),
            other => key.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn key(value: &'static str) -> Result<Option<String>, BadHeader> {
        let headers = HeaderMap::from_iter([(IDEMPOTENCY_KEY, HeaderValue::from_static(value))]);
        read(&headers).map(|key| key.map(|key| key.as_str().to_owned()))
    }

    #[test]
    fn takes_quoted_and_bare_keys() {
        assert_eq!(read(&HeaderMap::new()), Ok(None));
        for (value, expected) in
            [("abc", "abc"), (r#""abc""#, "abc"), (r#""a\"b\\c""#, r#"a"b\c"#), (" abc ", "abc")]
        {
            assert_eq!(key(value), Ok(Some(expected.to_owned())), "{value}");
        }
    }

    #[test]
    fn refuses_what_is_no_key() {
        for value in [r#""abc"#, r#""a"b""#, r#""a\b""#, r#"""#] {
            assert_eq!(key(value), Err(BadHeader::Quotes), "{value}");
        }
        assert_eq!(key(""), Err(BadHeader::Key(InvalidKey::Empty)));
        assert_eq!(key(r#""""#), Err(BadHeader::Key(InvalidKey::Empty)));
        assert!(matches!(key("a b"), Err(BadHeader::Key(InvalidKey::Character { .. }))));
        let twice = ["a", "b"].map(|value| (IDEMPOTENCY_KEY, HeaderValue::from_static(value)));
        assert_eq!(read(&HeaderMap::from_iter(twice)), Err(BadHeader::Twice));
    }
}
