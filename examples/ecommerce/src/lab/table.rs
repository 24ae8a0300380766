use std::fmt::{self, Write};

use super::damage::{Damage, Kind};
use super::defence::Defence;
use super::load::Seen;

/// What one defence came to.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) defence: Defence,
    pub(super) seen: Seen,
    pub(super) damage: Damage,
}

impl Row {
    /// What is not as it is said to be, if anything.
    pub(super) fn surprise(&self) -> Option<String> {
        let name = self.defence.name();
        let breaks = self.defence.breaks();
        let shows = |kind: &&Kind| self.damage.shows(**kind, self.seen.failed);
        if breaks.is_empty() {
            let kind = Kind::OF_DATA.iter().find(shows)?;
            return Some(format!("{name} should hold, and shows {}", kind.name()));
        }
        let kind = breaks.iter().find(|kind| !shows(kind))?;
        Some(format!("{name} should break, and shows no {}: send more --requests", kind.name()))
    }
}

const HEADS: [&str; 10] = [
    "defence",
    "req/s",
    "p50 ms",
    "p95 ms",
    "p99 ms",
    "failed",
    "lost updates",
    "double charges",
    "oversold coupons",
    "orders per key",
];

/// The rows as a table.
pub(super) fn table(rows: &[Row]) -> String {
    let mut lines = vec![HEADS.map(str::to_owned)];
    lines.extend(rows.iter().map(cells));
    let width = |column: usize| lines.iter().map(|line| line[column].len()).max().unwrap_or_default();
    let widths: Vec<_> = (0..HEADS.len()).map(width).collect();
    let mut text = String::new();
    for line in &lines {
        // Writing to a string does not fail.
        let _ = write_line(&mut text, line, &widths);
    }
    text
}

fn cells(Row { defence, seen, damage }: &Row) -> [String; 10] {
    let ms = |percent| format!("{:.1}", seen.percentile(percent).as_secs_f64() * 1_000.0);
    [
        defence.name().to_owned(),
        format!("{:.0}", seen.rate()),
        ms(50),
        ms(95),
        ms(99),
        seen.failed.to_string(),
        damage.lost_updates.to_string(),
        damage.double_charges.to_string(),
        damage.oversold_coupons.to_string(),
        damage.orders_per_key.to_string(),
    ]
}

fn write_line(text: &mut String, cells: &[String], widths: &[usize]) -> fmt::Result {
    for (n, (cell, &width)) in cells.iter().zip(widths).enumerate() {
        if n == 0 {
            write!(text, "{cell:<width$}")?;
        } else {
            write!(text, "  {cell:>width$}")?;
        }
    }
    writeln!(text)
}
