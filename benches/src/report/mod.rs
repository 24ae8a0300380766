//! What was found, as a Markdown table and as charts.

mod chart;
mod findings;
mod table;

pub use chart::{draw_comparison, draw_reach};
pub use findings::{Comparison, Findings, Line, Reach};
pub use table::{comparisons_table, lines_table};
