use syn::visit::{self, Visit};
use syn::{Path, PathArguments, Type, TypeReference};

/// Crates whose `Transaction` is a database transaction, however it is written.
const DATABASES: &[&str] = &[
    "sqlx",
    "sea_orm",
    "tokio_postgres",
    "postgres",
    "deadpool_postgres",
    "rusqlite",
    "mysql_async",
    "mysql",
    "libsql",
    "tiberius",
    "redis",
    "surrealdb",
];

/// Names that a transaction of a database has, and of nothing else.
const NAMES: &[&str] =
    &["DatabaseTransaction", "AnyTransaction", "MySqlTransaction", "PgTransaction", "SqliteTransaction"];

/// Finds a database transaction in the type of an argument.
///
/// Only the name can be seen, and payment services have transactions of their own. So a bare `Transaction` passes by
/// value or shared reference, where the one of a database would carry a lifetime.
pub(crate) fn find_in(argument: &Type) -> Option<&Path> {
    let mut finder = Finder { found: None, exclusive: false };
    finder.visit_type(argument);
    finder.found
}

struct Finder<'ast> {
    found: Option<&'ast Path>,
    /// Behind `&mut`.
    exclusive: bool,
}

impl<'ast> Visit<'ast> for Finder<'ast> {
    fn visit_type_reference(&mut self, reference: &'ast TypeReference) {
        let outside = self.exclusive;
        self.exclusive = reference.mutability.is_some();
        visit::visit_type_reference(self, reference);
        self.exclusive = outside;
    }

    fn visit_path(&mut self, path: &'ast Path) {
        if self.found.is_none() && is_transaction(path, self.exclusive) {
            self.found = Some(path);
        }
        visit::visit_path(self, path);
    }
}

fn is_transaction(path: &Path, exclusive: bool) -> bool {
    let (Some(first), Some(last)) = (path.segments.first(), path.segments.last()) else {
        return false;
    };
    match last.ident.to_string().as_str() {
        name if NAMES.contains(&name) => true,
        "Transaction" => {
            exclusive
                || !matches!(last.arguments, PathArguments::None)
                || DATABASES.iter().any(|database| first.ident == database)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_database_transactions_from_those_of_a_payment() {
        for (text, expected) in [
            ("&mut Transaction<'_, MySql>", true),
            ("sqlx::Transaction<'_, MySql>", true),
            ("&tokio_postgres::Transaction", true),
            ("Option<&mut sqlx::Transaction<'static, Postgres>>", true),
            ("&mut Transaction", true),
            ("&DatabaseTransaction", true),
            ("&mut sqlx::PgTransaction<'_>", true),
            ("Arc<Mutex<Transaction<'a>>>", true),
            ("Transaction", false),
            ("&Transaction", false),
            ("Vec<model::Transaction>", false),
            ("&mut TransactionLog", false),
            ("&mut Vec<u8>", false),
        ] {
            let argument: Type = syn::parse_str(text).unwrap();
            assert_eq!(find_in(&argument).is_some(), expected, "{text}");
        }
    }
}
