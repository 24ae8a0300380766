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
        Some(quoted) => unquote(quoted)?,
        // What a proxy makes of two headers.
        None if text.contains(',') => return Err(BadHeader::Twice),
        None => text.to_owned(),
    };
    IdempotencyKey::new(key).map(Some).map_err(BadHeader::Key)
}

/// Reads what follows an opening quote, by [RFC 9651](https://www.rfc-editor.org/rfc/rfc9651): a string, and parameters,
/// which mean nothing here.
fn unquote(text: &str) -> Result<String, BadHeader> {
    let (key, mut rest) = string(text).ok_or(BadHeader::Quotes)?;
    while let Some(parameter) = rest.strip_prefix(';') {
        rest = skip_parameter(parameter.trim_start_matches(' ')).ok_or(BadHeader::Quotes)?;
    }
    match rest.trim_start().chars().next() {
        None => Ok(key),
        Some(',') => Err(BadHeader::Twice),
        Some(_) => Err(BadHeader::Quotes),
    }
}

/// Reads a string without its opening quote, and answers what follows it: `\"` and `\\` are the only escapes.
fn string(text: &str) -> Option<(String, &str)> {
    let mut string = String::with_capacity(text.len());
    let mut characters = text.chars();
    loop {
        match characters.next()? {
            '"' => return Some((string, characters.as_str())),
            '\\' => string.push(characters.next().filter(|c| matches!(c, '"' | '\\'))?),
            other => string.push(other),
        }
    }
}

/// Answers what follows a parameter: a name, and a value unless it is "true".
fn skip_parameter(text: &str) -> Option<&str> {
    let in_name = |c: char| matches!(c, 'a'..='z' | '0'..='9' | '_' | '-' | '.' | '*');
    let rest = text.trim_start_matches(in_name);
    if rest.len() == text.len() || !text.starts_with(|c: char| c == '*' || c.is_ascii_lowercase()) {
        return None;
    }
    match rest.strip_prefix('=') {
        None => Some(rest),
        Some(value) => match value.strip_prefix('"') {
            Some(quoted) => string(quoted).map(|(_, rest)| rest),
            // A number, a token, bytes, a date or a boolean.
            None => {
                let rest =
                    value.trim_start_matches(|c: char| c.is_ascii_graphic() && !matches!(c, ';' | ',' | '"'));
                (rest.len() < value.len()).then_some(rest)
            }
        },
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
    fn takes_parameters_after_a_quoted_key() {
        for value in [
            r#""abc";v=1"#,
            r#""abc"; v=1"#,
            r#""abc";v"#,
            r#""abc";v=?0;*w-1.x_y=-1.5;z=token/x:y"#,
            r#""abc";v="a;\"b";w=:YWJj:"#,
        ] {
            assert_eq!(key(value), Ok(Some("abc".to_owned())), "{value}");
        }
    }

    #[test]
    fn refuses_a_list_of_keys() {
        for value in ["a,b", "a, b", r#""a","b""#, r#""a" , "b""#, r#""a";v=1,"b""#, ","] {
            assert_eq!(key(value), Err(BadHeader::Twice), "{value}");
        }
        assert_eq!(key(r#""a,b""#), Ok(Some("a,b".to_owned())));
    }

    #[test]
    fn refuses_what_is_no_key() {
        for value in [
            r#""abc"#,
            r#""a"b""#,
            r#""a\b""#,
            r#"""#,
            r#""a";"#,
            r#""a";V=1"#,
            r#""a";v="#,
            r#""a";v="b"#,
            r#""a";v=1 2"#,
        ] {
            assert_eq!(key(value), Err(BadHeader::Quotes), "{value}");
        }
        assert_eq!(key(""), Err(BadHeader::Key(InvalidKey::Empty)));
        assert_eq!(key(r#""""#), Err(BadHeader::Key(InvalidKey::Empty)));
        assert!(matches!(key("a b"), Err(BadHeader::Key(InvalidKey::Character { .. }))));
        let twice = ["a", "b"].map(|value| (IDEMPOTENCY_KEY, HeaderValue::from_static(value)));
        assert_eq!(read(&HeaderMap::from_iter(twice)), Err(BadHeader::Twice));
    }
}
