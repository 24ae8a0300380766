use std::fmt::Write;

use crate::report::{Comparison, Line};

/// What was to be reached and what was seen, as a Markdown table.
#[must_use]
pub fn lines_table(lines: &[Line]) -> String {
    let mut table = "| work | reach | seen | |\n|---|---|---|---|\n".to_owned();
    for line in lines {
        let verdict = if line.is_reached() { "reached" } else { "**not reached**" };
        let Line { work, reach, seen, unit } = line;
        writeln!(table, "| {work} | {reach} {unit} | {seen} | {verdict} |").expect("text");
    }
    table
}

/// Everybody's figures, as a Markdown table.
#[must_use]
pub fn comparisons_table(comparisons: &[Comparison]) -> String {
    let mut table = "| work | | unit | median (middle half) |\n|---|---|---|---|\n".to_owned();
    for Comparison { work, unit, figures } in comparisons {
        for (name, figure) in figures {
            writeln!(table, "| {work} | {name} | {unit} | {figure} |").expect("text");
        }
    }
    table
}
