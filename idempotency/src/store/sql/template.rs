use std::fmt::{self, Write};

use sqlx::AssertSqlSafe;

const HEX: &[u8; 16] = b"0123456789ABCDEF";

/// A statement with named places for values.
///
/// Several statements travel in one packet only as text, so their values become part of it. That is safe here
/// because a [`Literal`] has no quote to escape: it is a number or hexadecimal digits. And it shows nothing to who
/// logs statements, as long as only hashes are put in.
#[derive(Debug)]
pub(crate) struct Template {
    dialect: Dialect,
    pieces: Vec<Piece>,
}

/// How a server spells bytes and parameters.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Dialect {
    #[cfg(feature = "mysql")]
    MySql,
    #[cfg(feature = "postgres")]
    Postgres,
}

#[derive(Debug)]
enum Piece {
    Text(String),
    Place(String),
}

/// A value as SQL text.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Literal<'a> {
    /// Bytes, as hexadecimal digits.
    Hex(&'a [u8]),
    /// Several byte strings, separated by commas.
    #[cfg(feature = "mysql")]
    HexList(&'a [[u8; 32]]),
    /// A number.
    Number(u64),
    /// An empty text.
    Empty,
    /// No value.
    Null,
    /// The truth value.
    #[cfg(feature = "postgres")]
    False,
}

impl Template {
    /// Parts text from `{places}`, leaving comments out.
    pub(crate) fn new(dialect: Dialect, text: &str) -> Self {
        let mut pieces = Vec::new();
        let text: Vec<&str> =
            text.lines().filter(|line| !line.starts_with("--") && !line.is_empty()).collect();
        let text = text.join("\n");
        let mut rest = text.as_str();
        while let Some((before, after)) = rest.split_once('{') {
            let (place, after) = after.split_once('}').unwrap_or((after, ""));
            pieces.push(Piece::Text(before.to_owned()));
            pieces.push(Piece::Place(place.to_owned()));
            rest = after;
        }
        pieces.push(Piece::Text(rest.to_owned()));
        Self { dialect, pieces }
    }

    /// Puts the values into their places. A place without a value stays as it is, which no server accepts.
    pub(crate) fn render(&self, values: &[(&str, Literal<'_>)]) -> AssertSqlSafe<String> {
        let mut sql = String::with_capacity(2048);
        for piece in &self.pieces {
            let _ = match piece {
                Piece::Text(text) => sql.write_str(text),
                Piece::Place(place) => match values.iter().find(|(name, _)| name == place) {
                    Some((_, literal)) => literal.write(self.dialect, &mut sql),
                    None => write!(sql, "{{{place}}}"),
                },
            };
        }
        AssertSqlSafe(sql)
    }

    /// The names of its places, in the order in which they stand, each as often as it does.
    #[cfg(feature = "mysql")]
    pub(crate) fn places(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Text(_) => None,
            Piece::Place(place) => Some(place.as_str()),
        })
    }

    /// The same statement with a parameter in each place, in the order in which the places first appear.
    pub(crate) fn prepared(&self) -> String {
        let mut places: Vec<&str> = Vec::new();
        let mut sql = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => sql.push_str(text),
                Piece::Place(place) => {
                    let known = places.iter().position(|other| other == place);
                    let number = known.unwrap_or_else(|| {
                        places.push(place);
                        places.len() - 1
                    });
                    sql.push_str(&self.dialect.parameter(number + 1));
                }
            }
        }
        sql
    }
}

impl Dialect {
    fn parameter(self, number: usize) -> String {
        match self {
            #[cfg(feature = "mysql")]
            Self::MySql => {
                let _ = number; // in their order, whatever they are called
                "?".to_owned()
            }
            #[cfg(feature = "postgres")]
            Self::Postgres => format!("${number}"),
        }
    }

    /// What stands before and after hexadecimal digits.
    const fn hex(self) -> (&'static str, &'static str) {
        match self {
            #[cfg(feature = "mysql")]
            Self::MySql => ("X'", "'"),
            // Whatever `standard_conforming_strings` says of backslashes.
            #[cfg(feature = "postgres")]
            Self::Postgres => ("decode('", "', 'hex')"),
        }
    }
}

impl Literal<'_> {
    fn write(self, dialect: Dialect, sql: &mut String) -> fmt::Result {
        match self {
            Self::Hex(bytes) => {
                let (before, after) = dialect.hex();
                sql.write_str(before)?;
                let digit = |half: u8| char::from(HEX[usize::from(half & 15)]);
                sql.extend(bytes.iter().flat_map(|&byte| [digit(byte >> 4), digit(byte)]));
                sql.write_str(after)
            }
            #[cfg(feature = "mysql")]
            Self::HexList(list) => list.iter().enumerate().try_for_each(|(i, bytes)| {
                sql.write_str(if i == 0 { "" } else { ", " })?;
                Literal::Hex(bytes).write(dialect, sql)
            }),
            Self::Number(number) => write!(sql, "{number}"),
            Self::Empty => sql.write_str("''"),
            Self::Null => sql.write_str("NULL"),
            #[cfg(feature = "postgres")]
            Self::False => sql.write_str("FALSE"),
        }
    }
}

#[cfg(all(test, feature = "mysql", feature = "postgres"))]
mod tests {
    use super::*;

    #[test]
    fn values_take_their_places() {
        let template = Template::new(
            Dialect::MySql,
            "-- a comment with a {place}\nSELECT {a}, {b} FROM t\nWHERE id IN ({c}) AND {a}",
        );
        let values = [
            ("a", Literal::Hex(b"'; DROP")),
            ("b", Literal::Number(7)),
            ("c", Literal::HexList(&[[1; 32], [2; 32]])),
        ];
        let (one, two) = ("01".repeat(32), "02".repeat(32));
        assert_eq!(
            template.render(&values).0,
            format!(
                "SELECT X'273B2044524F50', 7 FROM t\nWHERE id IN (X'{one}', X'{two}') AND X'273B2044524F50'"
            )
        );
        assert_eq!(template.prepared(), "SELECT ?, ? FROM t\nWHERE id IN (?) AND ?");
        assert_eq!(template.places().collect::<Vec<_>>(), ["a", "b", "c", "a"]);
    }

    #[test]
    fn each_server_has_its_spelling() {
        let template = Template::new(Dialect::Postgres, "SELECT {a}, {b}, {a}");
        let values = [("a", Literal::Hex(b"\\'")), ("b", Literal::False)];
        assert_eq!(template.render(&values).0, "SELECT decode('5C27', 'hex'), FALSE, decode('5C27', 'hex')");
        assert_eq!(template.prepared(), "SELECT $1, $2, $1");
    }

    #[test]
    fn a_forgotten_value_is_no_sql() {
        assert_eq!(Template::new(Dialect::MySql, "SELECT {a}").render(&[]).0, "SELECT {a}");
    }
}
