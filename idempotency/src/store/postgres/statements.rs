use std::sync::Arc;

use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};

use crate::store::sql::{Dialect, Table, Template};

/// The statements, with the table's name in them.
#[derive(Debug)]
pub(super) struct Statements {
    pub(super) begin: Template,
    pub(super) abandon: Template,
    pub(super) find: Template,
    pub(super) find_settled: Template,
    pub(super) claim: Statement,
    pub(super) complete: Statement,
    pub(super) settle: Statement,
    pub(super) extend: Statement,
    pub(super) forget: Statement,
    pub(super) resolve: Statement,
    pub(super) stuck: Statement,
    pub(super) sweep: Statement,
    pub(super) check: Statement,
    pub(super) fence: Statement,
    pub(super) check_fences: Statement,
    pub(super) migrate: Statement,
}

/// A statement whose only variable part is a [`Table`], which is made of letters, digits and underscores.
#[derive(Debug)]
pub(super) struct Statement(Arc<str>);

impl Statements {
    pub(super) fn new(table: &Table) -> Self {
        let template = |text: &str| {
            let text = text
                .replace("{claim}", include_str!("sql/claim.sql").trim_end())
                .replace("{find}", include_str!("sql/find.sql").trim_end());
            Template::new(Dialect::Postgres, &table.put_into(&text))
        };
        let statement = |text: &str| Statement(template(text).prepared().into());
        Self {
            begin: template(include_str!("sql/begin.sql")),
            abandon: template(include_str!("sql/abandon.sql")),
            find: template(include_str!("sql/find.sql")),
            find_settled: template(include_str!("sql/find_settled.sql")),
            claim: statement(include_str!("sql/claim.sql")),
            complete: statement(include_str!("sql/complete.sql")),
            settle: statement(include_str!("sql/settle.sql")),
            extend: statement(include_str!("sql/extend.sql")),
            forget: statement(include_str!("sql/forget.sql")),
            resolve: statement(include_str!("sql/resolve.sql")),
            stuck: statement(include_str!("sql/stuck.sql")),
            sweep: statement(include_str!("sql/sweep.sql")),
            check: statement(include_str!("sql/check.sql")),
            fence: statement(include_str!("sql/fence.sql")),
            check_fences: statement(include_str!("sql/check_fences.sql")),
            migrate: statement(concat!(
                include_str!("../../../migrations/postgres/0001_idempotency_keys.sql"),
                ";\n",
                include_str!("../../../migrations/postgres/0002_idempotency_fences.sql"),
            )),
        }
    }
}

impl SqlSafeStr for &Statement {
    fn into_sql_str(self) -> SqlStr {
        AssertSqlSafe(Arc::clone(&self.0)).into_sql_str()
    }
}
