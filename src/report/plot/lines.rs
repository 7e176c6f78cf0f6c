//! Numbers over time, drawn as lines.

use super::panel::{Area, Drawn, font, text};
use crate::report::{Line, Series, Unit};
use crate::value::write_time_of_day;
use plotters::prelude::*;

/// The most lines; of more, those with the largest sums.
const MOST: usize = 10;

/// The most points of a line; of more, neighbours are added up.
const POINTS: usize = 800;

/// Colours that the colour-blind can tell apart (Okabe and Ito).
const COLOURS: [RGBColor; 8] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
    RGBColor(90, 90, 90),
    RGBColor(180, 170, 40),
];

/// A moment (ns UTC) as local time of day.
pub(super) fn time_of_day(time: u64, tz_offset_s: i32, fine: bool) -> String {
    let mut out = Vec::new();
    write_time_of_day(&mut out, time, tz_offset_s, fine);
    let mut shown = String::from_utf8_lossy(&out).into_owned();
    // Milliseconds are enough on an axis.
    shown.truncate(if fine { 12 } else { 8 });
    shown
}

/// Names of an axis' labels.
pub(super) const LABELS: usize = 9;

/// What is left free at the right for half a label, pixels.
pub(super) const MARGIN: u32 = 50;

/// How moments are named on an axis of so many intervals of `step` ns: finer than seconds where labels stand closer.
pub(super) fn axis(start: u64, step: u64, count: usize, tz_offset_s: i32) -> impl Fn(&f64) -> String {
    let fine = (u128::from(step) * count as u128) < LABELS as u128 * 1_000_000_000;
    move |at: &f64| {
        let time = start.saturating_add((step as f64 * at.max(0.0)).round() as u64);
        time_of_day(time, tz_offset_s, fine)
    }
}

/// Points, with neighbours added up where there are too many.
fn merged(line: &Line, together: usize) -> Vec<f64> {
    line.points.chunks(together.max(1)).map(|points| points.iter().map(|p| *p as f64).sum()).collect()
}

/// Draws the lines of a series that have a unit.
pub(super) fn draw(series: &Series, unit: Unit, area: &Area) -> Drawn {
    let mut lines: Vec<&Line> = series.lines.iter().filter(|line| line.unit == unit).collect();
    lines.sort_by_key(|line| std::cmp::Reverse(line.points.iter().map(|p| i128::from(*p)).sum::<i128>()));
    lines.truncate(MOST);
    let count = lines.iter().map(|line| line.points.len()).max().unwrap_or(0);
    let together = count.div_ceil(POINTS).max(1);
    let points: Vec<Vec<f64>> = lines.iter().map(|line| merged(line, together)).collect();
    let last = points.iter().map(Vec::len).max().unwrap_or(0).max(1);
    let all = || points.iter().flatten().copied();
    let (low, high) = (all().fold(0.0, f64::min), all().fold(1.0, f64::max));
    let step = series.step.saturating_mul(together as u64);
    let name = axis(series.start, step, last, series.tz_offset_s);
    let value = |value: &f64| unit.write(*value, Some(value.round() as i128));
    let mut chart = ChartBuilder::on(area)
        .margin(10)
        .margin_right(MARGIN)
        .x_label_area_size(28)
        .y_label_area_size(90)
        .build_cartesian_2d(0.0..last as f64, low..high * 1.05)
        .map_err(text)?;
    let mut mesh = chart.configure_mesh();
    mesh.label_style(font(13)).x_labels(LABELS).y_labels(8).x_label_formatter(&name).y_label_formatter(&value);
    mesh.light_line_style(TRANSPARENT).draw().map_err(text)?;
    for (n, (line, points)) in lines.iter().zip(&points).enumerate() {
        let colour = COLOURS[n % COLOURS.len()];
        // As steps: a number is about the whole of its interval, and one interval alone is seen, too.
        let points = points.iter().enumerate().flat_map(|(at, value)| [(at as f64, *value), (at as f64 + 1.0, *value)]);
        let drawn = chart.draw_series(AreaSeries::new(points, 0.0, colour.mix(0.12)).border_style(colour));
        let label = crate::report::escape(line.name.as_bytes()).into_owned();
        let key = move |(x, y): (i32, i32)| Rectangle::new([(x, y - 5), (x + 12, y + 5)], colour.filled());
        drawn.map_err(text)?.label(label).legend(key);
    }
    let mut legend = chart.configure_series_labels();
    legend.label_font(font(13)).position(SeriesLabelPosition::UpperRight);
    legend.background_style(WHITE.mix(0.8)).border_style(RGBColor(200, 200, 200)).draw().map_err(text)
}
