use std::{fmt, sync::Arc};

use thiserror::Error;

/// The name of a table, with or without that of its schema: letters, digits and underscores.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Table(Arc<str>);

impl Table {
    pub(crate) const DEFAULT: &str = "idempotency_keys";
    const DEFAULT_FENCES: &str = "idempotency_fences";

    /// Checks `name`, since it becomes part of the statements.
    pub(crate) fn new(name: &str) -> Result<Self, InvalidTable> {
        let part_is_fine = |part: &str| {
            !part.is_empty()
                && part.len() <= 48
                && !part.starts_with(|c: char| c.is_ascii_digit())
                && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        };
        if name.split('.').count() <= 2 && name.split('.').all(part_is_fine) {
            Ok(Self(name.into()))
        } else {
            Err(InvalidTable { name: name.to_owned() })
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The name without the schema.
    pub(crate) fn bare(&self) -> &str {
        self.0.rsplit('.').next().unwrap_or(&self.0)
    }

    /// The table of fences beside it.
    pub(crate) fn fences(&self) -> Self {
        if *self == Self::default() {
            return Self(Self::DEFAULT_FENCES.into());
        }
        Self(format!("{}_fences", self.0).into())
    }

    /// Puts the name into a statement in place of the default one, and its last part into names of indexes.
    pub(crate) fn put_into(&self, statement: &str) -> Arc<str> {
        let index_prefix = format!("{}_", Self::DEFAULT);
        let statement = statement.replace(Self::DEFAULT_FENCES, self.fences().as_str());
        let marked = statement.replace(&index_prefix, "\0");
        marked.replace(Self::DEFAULT, &self.0).replace('\0', &format!("{}_", self.bare())).into()
    }
}

impl Default for Table {
    fn default() -> Self {
        Self(Self::DEFAULT.into())
    }
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

/// A table name that is not made of letters, digits and underscores.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "`{name}` is not a table name of ASCII letters, digits and underscores, of at most 48 characters, with at most one schema before it"
)]
pub struct InvalidTable {
    name: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_plain_names_only() {
        for name in ["keys", "shop.keys", "_k1"] {
            assert_eq!(Table::new(name).unwrap().as_str(), name);
        }
        for name in ["", ".", "a.b.c", "1a", "a-b", "a`b", "a b", "a;--", "tablé", &"a".repeat(49)] {
            assert!(Table::new(name).is_err(), "{name:?}");
        }
    }

    #[test]
    fn the_schema_stays_out_of_index_names() {
        let table = Table::new("shop.keys").unwrap();
        assert_eq!(
            &*table.put_into("CREATE INDEX idempotency_keys_expiry ON idempotency_keys"),
            "CREATE INDEX keys_expiry ON shop.keys"
        );
    }

    #[test]
    fn the_fences_stand_beside_the_keys() {
        let both = "FROM idempotency_keys, idempotency_fences";
        assert_eq!(&*Table::default().put_into(both), both);
        assert_eq!(&*Table::new("shop.keys").unwrap().put_into(both), "FROM shop.keys, shop.keys_fences");
    }
}
