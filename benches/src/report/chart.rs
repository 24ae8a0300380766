use std::path::Path;

use anyhow::{Context, Result};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::measure::Spread;
use crate::report::{Comparison, Line};

const WIDTH: u32 = 700;
const ROW: u32 = 30;
const FRAME: u32 = 110;
const CHARACTER: u32 = 6;
const GOOD: RGBColor = RGBColor(46, 125, 80);
const SHORT: RGBColor = RGBColor(190, 70, 50);
const OTHER: RGBColor = RGBColor(120, 130, 145);

struct Bar {
    label: String,
    value: f64,
    note: String,
    color: RGBColor,
}

/// Draws how far each line is from its bound: to the right of the mark it is reached.
///
/// # Errors
///
/// When the file cannot be written.
pub fn draw_reach(path: &Path, lines: &[Line]) -> Result<()> {
    let bars: Vec<Bar> = lines
        .iter()
        .map(|line| Bar {
            label: format!("{} ({})", line.work, line.unit),
            value: line.margin().clamp(0.01, 1_000.0),
            note: format!("{} of {}", line.seen, line.reach),
            color: if line.is_reached() { GOOD } else { SHORT },
        })
        .collect();
    draw(path, "times better than asked for", &bars, Some(1.0))
}

/// Draws the figures of several contenders.
///
/// # Errors
///
/// When the file cannot be written.
pub fn draw_comparison(path: &Path, comparison: &Comparison) -> Result<()> {
    let bar = |(name, figure): &(&'static str, Spread)| Bar {
        label: (*name).to_owned(),
        value: figure.median.max(1e-3),
        note: figure.to_string(),
        color: if *name == "interlock" { GOOD } else { OTHER },
    };
    let bars: Vec<Bar> = comparison.figures.iter().map(bar).collect();
    draw(path, &format!("{}: {}", comparison.work, comparison.unit), &bars, None)
}

/// Horizontal bars on a logarithmic axis, the first at the top.
fn draw(path: &Path, title: &str, bars: &[Bar], mark: Option<f64>) -> Result<()> {
    let rows = i32::try_from(bars.len()).context("too many bars")?;
    let height = FRAME + ROW * u32::try_from(rows)?;
    let values = bars.iter().map(|bar| bar.value).chain(mark);
    let (low, high) =
        values.fold((f64::MAX, f64::MIN), |(low, high), value| (low.min(value), high.max(value)));
    // Room to the right for the notes.
    let (low, high) = (low / 3.0, high * (high / low).powf(0.5).max(30.0));
    let longest = bars.iter().map(|bar| bar.label.chars().count()).max();
    let labels = CHARACTER * u32::try_from(longest.unwrap_or_default())?;
    let area = SVGBackend::new(path, (labels + WIDTH, height)).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .caption(title, ("sans-serif", 20))
        .margin(10)
        .x_label_area_size(30)
        .y_label_area_size(labels)
        .build_cartesian_2d((low..high).log_scale(), (0..rows).into_segmented())?;
    let label = |row: &SegmentValue<i32>| match row {
        SegmentValue::CenterOf(row) | SegmentValue::Exact(row) => usize::try_from(*row)
            .ok()
            .and_then(|row| bars.iter().rev().nth(row))
            .map_or_else(String::new, |bar| bar.label.clone()),
        SegmentValue::Last => String::new(),
    };
    chart
        .configure_mesh()
        .disable_y_mesh()
        .y_labels(bars.len())
        .y_label_formatter(&label)
        .label_style(("sans-serif", 13))
        .draw()?;
    let text = ("sans-serif", 12).into_text_style(&area).pos(Pos::new(HPos::Left, VPos::Center));
    for (row, bar) in (0..).zip(bars.iter().rev()) {
        let corners =
            [(mark.unwrap_or(low), SegmentValue::Exact(row)), (bar.value, SegmentValue::Exact(row + 1))];
        let mut rectangle = Rectangle::new(corners, bar.color.filled());
        rectangle.set_margin(5, 5, 0, 0);
        chart.draw_series([rectangle])?;
        let note = Text::new(
            format!("  {}", bar.note),
            (bar.value.max(mark.unwrap_or(low)), SegmentValue::CenterOf(row)),
            text.clone(),
        );
        chart.draw_series([note])?;
    }
    if let Some(mark) = mark {
        let ends = vec![(mark, SegmentValue::Exact(0)), (mark, SegmentValue::Exact(rows))];
        chart.draw_series([PathElement::new(ends, BLACK.stroke_width(2))])?;
    }
    area.present().context("the chart cannot be written")?;
    Ok(())
}
