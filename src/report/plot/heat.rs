//! Counts over time and value, drawn as a heat map: time to the right, values upwards.

use super::lines::{LABELS, MARGIN, axis};
use super::panel::{Area, Drawn, font, text};
use crate::report::Heat;
use plotters::prelude::*;

/// The most columns; of more intervals, neighbours are added up.
const COLUMNS: usize = 240;

/// From few to many (yellow, orange, brown).
const STEPS: [(f64, (u8, u8, u8)); 4] =
    [(0.0, (255, 240, 190)), (0.35, (254, 196, 79)), (0.7, (217, 95, 14)), (1.0, (102, 37, 6))];

/// The colour of a part (0 to 1) of the largest count.
fn colour(part: f64) -> RGBColor {
    let part = part.clamp(0.0, 1.0);
    let above = STEPS.iter().position(|(at, _)| *at >= part).unwrap_or(STEPS.len() - 1).max(1);
    let ((from, a), (to, b)) = (STEPS[above - 1], STEPS[above]);
    let between = (part - from) / (to - from);
    let mix = |a: u8, b: u8| (f64::from(a) + (f64::from(b) - f64::from(a)) * between).round() as u8;
    RGBColor(mix(a.0, b.0), mix(a.1, b.1), mix(a.2, b.2))
}

/// Draws a heat map.
pub(super) fn draw(heat: &Heat, area: &Area) -> Drawn {
    let buckets = heat.bounds.len().saturating_sub(1).max(1);
    let together = heat.rows.len().div_ceil(COLUMNS).max(1);
    let columns: Vec<Vec<u64>> = heat.rows.chunks(together).map(|rows| added(rows, buckets)).collect();
    let most = columns.iter().flatten().copied().max().unwrap_or(0).max(1);
    let step = heat.step.saturating_mul(together as u64);
    let name = axis(heat.start, step, columns.len(), heat.tz_offset_s);
    // Counted in marks, so that whole numbers, which are what an axis names, are whole decades.
    let apart = match heat.marks.as_slice() {
        [first, second, ..] if second > first => (second - first) as f64,
        _ => 1.0,
    };
    let bound = |at: &f64| {
        let bound = heat.bounds.get((at * apart).round().max(0.0) as usize).copied().unwrap_or(0);
        heat.unit.write(bound as f64, Some(i128::from(bound)))
    };
    let mut chart = ChartBuilder::on(area)
        .margin(10)
        .margin_right(MARGIN)
        .x_label_area_size(28)
        .y_label_area_size(90)
        .build_cartesian_2d(0.0..columns.len().max(1) as f64, 0.0..buckets as f64 / apart)
        .map_err(text)?;
    let mut mesh = chart.configure_mesh();
    mesh.label_style(font(13)).x_labels(LABELS).y_labels(heat.marks.len().max(2)).disable_mesh();
    let what = crate::report::escape(heat.value.as_bytes()).into_owned();
    mesh.x_label_formatter(&name).y_label_formatter(&bound).y_desc(what).draw().map_err(text)?;
    let cells = columns.iter().enumerate().flat_map(|(x, counts)| {
        counts.iter().enumerate().filter(|(_, count)| **count > 0).map(move |(y, count)| {
            // By the logarithm: one slow call among a million fast ones is what is looked for.
            let part = (*count as f64).ln_1p() / (most as f64).ln_1p();
            let (x, y) = (x as f64, y as f64);
            Rectangle::new([(x, y / apart), (x + 1.0, (y + 1.0) / apart)], colour(part).filled())
        })
    });
    chart.draw_series(cells).map_err(text).map(drop)
}

/// Rows added up.
fn added(rows: &[Vec<u64>], buckets: usize) -> Vec<u64> {
    let sum = |bucket: usize| rows.iter().map(|row| row.get(bucket).copied().unwrap_or(0)).fold(0, u64::saturating_add);
    (0..buckets).map(sum).collect()
}
