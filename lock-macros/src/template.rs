use syn::{Error, Expr, ExprPath, LitStr, Result};

/// A text with `{expression}` or `{expression:format}` in it, as in `format!`; `{{` and `}}` stand for braces.
pub(crate) struct Template {
    /// The text as written.
    pub(crate) literal: LitStr,
    /// The same text, with the expressions taken out: `{}` or `{:format}`.
    pub(crate) format: String,
    /// The expressions, in order.
    pub(crate) placeholders: Vec<Expr>,
}

/// The longest key of lock-core, in bytes.
const MAX_LEN: usize = 512;

impl Template {
    pub(crate) fn parse(literal: LitStr) -> Result<Self> {
        let text = literal.value();
        let refuse = |message: String| Err(Error::new(literal.span(), message));
        if text.is_empty() {
            return refuse(
                "the key is empty; it names what is locked, such as `\"balance:user:{user_id}\"`".into(),
            );
        }
        if text.chars().any(char::is_control) {
            return refuse("a key holds no control characters, such as a line feed".into());
        }
        let (mut format, mut placeholders, mut fixed) = (String::new(), Vec::new(), 0);
        let mut rest = text.as_str();
        while let Some(next) = rest.chars().next() {
            if let Some(after) = rest.strip_prefix("{{").or_else(|| rest.strip_prefix("}}")) {
                format.push_str(&rest[..2]);
                fixed += 1;
                rest = after;
            } else if let Some(after) = rest.strip_prefix('{') {
                let Some(inside) = Inside::split(after) else {
                    return refuse(format!("`{{{after}` is not closed; write `{{{{` for a brace"));
                };
                placeholders.push(inside.expression(&literal)?);
                format.push_str(&inside.format_spec(&literal)?);
                rest = inside.after;
            } else if next == '}' {
                return refuse("`}` closes nothing; write `}}` for a brace".into());
            } else {
                format.push(next);
                fixed += next.len_utf8();
                rest = &rest[next.len_utf8()..];
            }
        }
        if fixed > MAX_LEN {
            return refuse(format!("a key has at most {MAX_LEN} bytes; this text alone has {fixed}"));
        }
        Ok(Self { literal, format, placeholders })
    }

    /// Whether `format_args!` reads the text as written in just the same way: then mistakes are reported at the
    /// placeholder itself rather than at the text.
    pub(crate) fn is_plain(&self) -> bool {
        let is_name = |expr: &Expr| {
            matches!(expr, Expr::Path(ExprPath { path, .. })
            if path.get_ident().is_some_and(|name| name != "self" && !name.to_string().starts_with("r#")))
        };
        self.placeholders.iter().all(is_name)
    }
}

/// What stands between `{` and `}`.
struct Inside<'t> {
    expression: &'t str,
    spec: &'t str,
    after: &'t str,
}

impl<'t> Inside<'t> {
    /// Splits the text after a `{`; `None` if nothing closes it. Brackets, texts and characters inside the
    /// expression may hold braces and colons of their own.
    fn split(text: &'t str) -> Option<Self> {
        let (mut depth, mut colon, mut skip_to) = (0_usize, None, 0);
        for (at, next) in text.char_indices() {
            if at < skip_to {
                continue;
            }
            let rest = &text[at..];
            match next {
                // A format may hold any character as its fill.
                '}' if depth == 0 => {
                    let end = colon.unwrap_or(at);
                    let spec = &text[end..at];
                    return Some(Self { expression: &text[..end], spec, after: &rest[1..] });
                }
                _ if colon.is_some() => {}
                '(' | '[' | '{' => depth += 1,
                ')' | ']' | '}' => depth = depth.saturating_sub(1),
                '"' => skip_to = at + text_len(rest)?,
                '\'' => skip_to = at + char_len(rest),
                ':' if rest.starts_with("::") => skip_to = at + 2,
                ':' if depth == 0 => colon = Some(at),
                _ => {}
            }
        }
        None
    }

    fn expression(&self, literal: &LitStr) -> Result<Expr> {
        let written = self.expression;
        if written.trim().is_empty() {
            let message = "a placeholder names what it stands for, such as `{user_id}` or `{self.id}`";
            return Err(Error::new(literal.span(), message));
        }
        let expression: Expr = LitStr::new(written, literal.span()).parse().map_err(|_| {
            Error::new(literal.span(), format!("`{{{written}}}` does not hold an expression"))
        })?;
        if matches!(expression, Expr::Lit(_)) {
            let message =
                format!("`{{{written}}}` is always the same; name an argument, such as `{{user_id}}`");
            return Err(Error::new(literal.span(), message));
        }
        Ok(expression)
    }

    fn format_spec(&self, literal: &LitStr) -> Result<String> {
        let spec = self.spec;
        if spec.contains('*') || spec.contains('$') {
            let message = format!("`{{{}{spec}}}`: a width or precision is a number here", self.expression);
            return Err(Error::new(literal.span(), message));
        }
        Ok(format!("{{{spec}}}"))
    }
}

/// Length of the quoted text at the start of `rest`; `None` if it does not end.
fn text_len(rest: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, next) in rest.char_indices().skip(1) {
        match next {
            '"' if !escaped => return Some(at + 1),
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    None
}

/// Length of the character at the start of `rest`, or 1 for the `'` of a lifetime.
fn char_len(rest: &str) -> usize {
    let body = rest.get(1..).unwrap_or_default();
    let end = match body.chars().next() {
        // The escaped character itself may be a quote.
        Some('\\') => body.get(2..).and_then(|tail| tail.find('\'')).map(|at| at + 2),
        Some(next) => body[next.len_utf8()..].starts_with('\'').then(|| next.len_utf8()),
        None => None,
    };
    end.map_or(1, |end| end + 2)
}

#[cfg(test)]
mod tests {
    use proc_macro2::Span;
    use quote::ToTokens;

    use super::*;

    fn read(text: &str) -> Result<(String, Vec<String>)> {
        let template = Template::parse(LitStr::new(text, Span::call_site()))?;
        let placeholders =
            template.placeholders.iter().map(|expr| expr.to_token_stream().to_string().replace(' ', ""));
        Ok((template.format, placeholders.collect()))
    }

    #[test]
    fn takes_expressions_out_and_leaves_a_format() {
        for (text, format, placeholders) in [
            ("job:settlement", "job:settlement", &[][..]),
            ("balance:user:{user_id}", "balance:user:{}", &["user_id"]),
            ("{a}{b}", "{}{}", &["a", "b"]),
            ("shard:{{{id}}}", "shard:{{{}}}", &["id"]),
            ("{id:05}:{id:?}", "{:05}:{:?}", &["id", "id"]),
            ("{id:>5}", "{:>5}", &["id"]),
            ("{self.owner.id}", "{}", &["self.owner.id"]),
            ("{Kind::DEFAULT}", "{}", &["Kind::DEFAULT"]),
            ("{shard::<u8>(id):02}", "{:02}", &["shard::<u8>(id)"]),
            ("{names[\"a:{b}\"]}", "{}", &["names[\"a:{b}\"]"]),
            (r#"{find("\"}")}"#, "{}", &[r#"find("\"}")"#]),
            ("{split(':', '}', '\\'', '\"')}", "{}", &["split(':','}','\\'','\"')"]),
            ("{match kind { Kind::A => 1, _ => 2 }}", "{}", &["matchkind{Kind::A=>1,_=>2}"]),
            ("{f(|x: u32| x)}", "{}", &["f(|x:u32|x)"]),
            ("größe:{id:ü>5}", "größe:{:ü>5}", &["id"]),
        ] {
            let (found, expressions) = read(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(
                (found.as_str(), expressions),
                (format, placeholders.iter().map(|&p| p.into()).collect()),
                "{text}"
            );
        }
    }

    #[test]
    fn says_what_is_wrong() {
        for (text, message) in [
            ("", "the key is empty"),
            ("a\nb", "control characters"),
            ("a:{", "is not closed"),
            ("a:{id", "is not closed"),
            ("{f(\"}", "is not closed"),
            ("a}", "closes nothing"),
            ("a:{}", "names what it stands for"),
            ("a:{:05}", "names what it stands for"),
            ("a:{0}", "always the same"),
            ("a:{user id}", "does not hold an expression"),
            ("a:{id:width$}", "is a number here"),
            ("a:{id:.*}", "is a number here"),
        ] {
            let error = read(text).err().unwrap_or_else(|| panic!("{text} was accepted")).to_string();
            assert!(error.contains(message), "{text}: {error}");
        }
        assert!(read(&"x".repeat(513)).is_err() && read(&"x".repeat(512)).is_ok());
    }
}
