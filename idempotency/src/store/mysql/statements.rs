use std::sync::Arc;

use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};

use crate::store::sql::{Dialect, Table, Template};

/// The statements, with the table's name in them.
#[derive(Debug)]
pub(super) struct Statements {
    pub(super) begin: Begin,
    pub(super) prepare: Statement,
    pub(super) execute: Template,
    pub(super) begin_again: Begin,
    pub(super) abandon: Template,
    pub(super) find: Template,
    pub(super) find_claimed: Template,
    pub(super) find_settled: Template,
    pub(super) sweep_select: Template,
    pub(super) sweep_delete: Template,
    pub(super) claim: Statement,
    pub(super) complete: Statement,
    pub(super) finish: Statement,
    pub(super) commit: Statement,
    pub(super) rollback: Statement,
    pub(super) settle: Statement,
    pub(super) extend: Statement,
    pub(super) forget: Statement,
    pub(super) resolve: Statement,
    pub(super) stuck: Statement,
    pub(super) sweep_lock: Statement,
    pub(super) sweep_unlock: Statement,
    pub(super) check: Statement,
    pub(super) fence: Statement,
    pub(super) check_fences: Statement,
    pub(super) migrate: Statement,
}

/// begin.sql, by whether somebody's open transaction is waited for.
#[derive(Debug)]
pub(super) struct Begin {
    pub(super) waiting: Template,
    pub(super) at_once: Template,
}

/// A statement whose only variable part is a [`Table`], which is made of letters, digits and underscores.
#[derive(Debug)]
pub(super) struct Statement(Arc<str>);

impl Statements {
    pub(super) fn new(table: &Table) -> Self {
        let template = |text: &str| {
            let text = text
                .replace("{claim}", include_str!("sql/claim.sql").trim_end())
                .replace("{insert}", include_str!("sql/insert.sql").trim_end())
                .replace("{complete}", include_str!("sql/complete.sql").trim_end())
                .replace("{find}", include_str!("sql/find.sql").trim_end());
            Template::new(Dialect::MySql, &table.put_into(&text))
        };
        let statement = |text: &str| Statement(template(text).prepared().into());
        let begin = |claim: &str, done: &str, owned: &str| {
            let text = include_str!("sql/begin.sql")
                .replace("{claim}", claim)
                .replace("{done}\n", done)
                .replace("{owned}\n", owned);
            Begin {
                waiting: template(&text.replace("{probe}\n", "")),
                at_once: template(&text.replace("{probe}\n", include_str!("sql/probe.sql"))),
            }
        };
        let block = template(include_str!("sql/block.sql"));
        let prepare =
            include_str!("sql/prepare.sql").replace("{block}", &block.prepared().replace('\'', "''"));
        let values: Vec<_> = block.places().map(|place| format!("{{{place}}}")).collect();
        Self {
            prepare: statement(&prepare),
            execute: template(&include_str!("sql/execute.sql").replace("{values}", &values.join(", "))),
            begin: begin("{insert}", "", ""),
            begin_again: begin("{claim}", include_str!("sql/done.sql"), include_str!("sql/owned.sql")),
            abandon: template(include_str!("sql/abandon.sql")),
            find: template(include_str!("sql/find.sql")),
            find_claimed: template(include_str!("sql/find_claimed.sql")),
            find_settled: template(include_str!("sql/find_settled.sql")),
            sweep_select: template(include_str!("sql/sweep_select.sql")),
            sweep_delete: template(include_str!("sql/sweep_delete.sql")),
            claim: statement(include_str!("sql/claim.sql")),
            complete: statement(include_str!("sql/complete.sql")),
            finish: statement(include_str!("sql/finish.sql")),
            commit: statement(include_str!("sql/commit.sql")),
            rollback: statement(include_str!("sql/rollback.sql")),
            settle: statement(include_str!("sql/settle.sql")),
            extend: statement(include_str!("sql/extend.sql")),
            forget: statement(include_str!("sql/forget.sql")),
            resolve: statement(include_str!("sql/resolve.sql")),
            stuck: statement(include_str!("sql/stuck.sql")),
            sweep_lock: statement(include_str!("sql/sweep_lock.sql")),
            sweep_unlock: statement(include_str!("sql/sweep_unlock.sql")),
            check: statement(include_str!("sql/check.sql")),
            fence: statement(include_str!("sql/fence.sql")),
            check_fences: statement(include_str!("sql/check_fences.sql")),
            migrate: statement(concat!(
                include_str!("../../../migrations/mysql/0001_idempotency_keys.sql"),
                ";\n",
                include_str!("../../../migrations/mysql/0002_idempotency_fences.sql"),
            )),
        }
    }
}

impl SqlSafeStr for &Statement {
    fn into_sql_str(self) -> SqlStr {
        AssertSqlSafe(Arc::clone(&self.0)).into_sql_str()
    }
}
