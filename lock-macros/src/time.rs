use std::time::Duration;

use proc_macro2::{Ident, Span};
use syn::{Error, Expr, ExprLit, Lit, Result};

/// A length of time, written `"10s"`, `"250ms"`, `"1m30s"` or `"2h"`.
#[derive(Clone, Copy)]
pub(crate) struct Time {
    pub(crate) span: Span,
    pub(crate) length: Duration,
}

/// Units from the longest to the shortest, in milliseconds.
const UNITS: &[(&str, u64)] = &[("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

impl Time {
    pub(crate) fn from_literal(keyword: &Ident, value: Expr) -> Result<Self> {
        let Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) = &value else {
            let message =
                format!("`{keyword}` is a text with a unit, such as `{keyword} = \"10s\"` or `\"250ms\"`");
            return Err(Error::new_spanned(value, message));
        };
        match parse(&text.value()) {
            Ok(length) => Ok(Self { span: text.span(), length }),
            Err(reason) => {
                let message = format!(
                    "`{}` is not a length of time: {reason}; write whole numbers with `h`, `m`, `s` or `ms`, the \
                     longest unit first, such as `10s`, `250ms` or `1m30s`",
                    text.value()
                );
                Err(Error::new(text.span(), message))
            }
        }
    }
}

fn parse(text: &str) -> std::result::Result<Duration, String> {
    let (mut rest, mut units, mut total) = (text, UNITS, Duration::ZERO);
    if rest.is_empty() {
        return Err("it is empty".into());
    }
    if rest.contains(char::is_whitespace) {
        return Err("it holds a space".into());
    }
    while !rest.is_empty() {
        let (number, after) = split(rest, |c| c.is_ascii_digit());
        let (unit, after) = split(after, |c| c.is_ascii_alphabetic());
        if number.is_empty() {
            return Err(format!("a number is missing before `{rest}`"));
        }
        if unit.is_empty() {
            return Err(format!("`{number}` has no unit"));
        }
        let Some(position) = units.iter().position(|(name, _)| *name == unit) else {
            let known = UNITS.iter().any(|(name, _)| *name == unit);
            let reason = if known { "stands after a unit that is not longer" } else { "is not a unit" };
            return Err(format!("`{unit}` {reason}"));
        };
        let part = number.parse().ok().and_then(|number: u64| number.checked_mul(units[position].1));
        total = part
            .and_then(|millis| total.checked_add(Duration::from_millis(millis)))
            .ok_or_else(|| format!("`{number}{unit}` is too long"))?;
        units = &units[position + 1..];
        rest = after;
    }
    Ok(total)
}

fn split(text: &str, belongs: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|c| !belongs(c)).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_whole_numbers_with_units_in_order() {
        for (text, millis) in [
            ("10s", 10_000),
            ("250ms", 250),
            ("1m30s", 90_000),
            ("2h", 7_200_000),
            ("1h1m1s1ms", 3_661_001),
            ("0s", 0),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_millis(millis)), "{text}");
        }
    }

    #[test]
    fn says_what_is_wrong_with_the_rest() {
        for (text, reason) in [
            ("", "it is empty"),
            ("10", "`10` has no unit"),
            ("s", "a number is missing before `s`"),
            ("-1s", "a number is missing before `-1s`"),
            ("1.5s", "`1` has no unit"),
            ("10 s", "it holds a space"),
            ("3d", "`d` is not a unit"),
            ("10S", "`S` is not a unit"),
            ("30s1m", "`m` stands after a unit that is not longer"),
            ("1s1s", "`s` stands after a unit that is not longer"),
            ("99999999999999999999h", "`99999999999999999999h` is too long"),
            ("18446744073709551615h", "`18446744073709551615h` is too long"),
        ] {
            assert_eq!(parse(text), Err(reason.to_owned()), "{text}");
        }
    }
}
