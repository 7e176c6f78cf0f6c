//! [`to_svg`]: what of a report can be drawn, one below the other.

use super::{bars::Bars, heat, lines};
use crate::report::{Heat, Picture, Report, Series, Unit};
use plotters::coord::Shift;
use plotters::prelude::*;

/// Width of a picture, pixels.
pub(super) const WIDTH: u32 = 960;

/// Height of a line's or heat map's part of it.
const HEIGHT: u32 = 340;

/// Height of a heading.
const HEADING: u32 = 34;

/// The most parts of a picture: a page beyond that says nothing to anybody.
const MOST: usize = 200;

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No table has a column of numbers, and nothing else can be drawn.
    #[error(
        "expected a report with numbers to draw, found none\nhelp: give a chisel that counts or sums, such as -c topfiles_bytes"
    )]
    Nothing,
    /// The drawing library refuses.
    #[error("cannot draw {what}: {why}\nhelp: use --csv, and another program to draw it")]
    Drawing {
        /// What was to be drawn.
        what: String,
        /// Its message.
        why: String,
    },
}

/// A part of a picture.
pub(super) enum Panel<'a> {
    /// The rows of a table, by one of its columns.
    Bars(Bars),
    /// Numbers over time: those lines of a series that have one unit.
    Lines(&'a Series, Unit),
    /// Counts over time and value.
    Heat(&'a Heat),
}

/// Where a part is drawn.
pub(super) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// What a drawing came to: the library's error as text.
pub(super) type Drawn = Result<(), String>;

/// Text in pictures.
pub(super) fn font(size: u32) -> TextStyle<'static> {
    ("sans-serif", size).into_text_style(&(WIDTH, HEIGHT)).color(&RGBColor(40, 40, 40))
}

/// An error of the library as text.
pub(super) fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// What of a report can be drawn, each with its heading.
pub(super) fn panels(report: &Report) -> Vec<(String, Panel<'_>)> {
    let named = |title: &str| match title {
        "" => report.title.clone(),
        title => format!("{}: {title}", report.title),
    };
    let mut all: Vec<(String, Panel<'_>)> = Vec::new();
    for picture in &report.pictures {
        match picture {
            Picture::Series(series) if !series.lines.is_empty() => {
                let mut units: Vec<Unit> = series.lines.iter().map(|line| line.unit).collect();
                units.sort_unstable();
                units.dedup();
                // Panels of one series are told apart by what they show.
                let several = units.len() > 1;
                all.extend(units.into_iter().map(|unit| {
                    let names = || series.lines.iter().filter(|line| line.unit == unit).map(|line| line.name.as_str());
                    let shown = names().take(4).collect::<Vec<_>>().join(", ");
                    let more = if names().count() > 4 { ", …" } else { "" };
                    let title =
                        if several { format!("{}: {shown}{more}", named(&series.title)) } else { named(&series.title) };
                    (title, Panel::Lines(series, unit))
                }));
            }
            Picture::Heat(heat) if !heat.rows.is_empty() => all.push((named(&heat.title), Panel::Heat(heat))),
            _ => {}
        }
    }
    // What a series says stands in its table, too.
    if all.is_empty() {
        let bars = report.tables.iter().filter_map(|table| Bars::of(table).map(|bars| (named(&table.title), bars)));
        all.extend(bars.map(|(title, bars)| (title, Panel::Bars(bars))));
    }
    all
}

impl Panel<'_> {
    fn height(&self) -> u32 {
        HEADING
            + match self {
                Panel::Bars(bars) => bars.height(),
                Panel::Lines(..) | Panel::Heat(_) => HEIGHT,
            }
    }

    fn draw(&self, area: &Area) -> Drawn {
        match self {
            Panel::Bars(bars) => bars.draw(area),
            Panel::Lines(series, unit) => lines::draw(series, *unit, area),
            Panel::Heat(map) => heat::draw(map, area),
        }
    }
}

/// One picture of all that can be drawn of reports, as SVG that needs nothing else.
pub fn to_svg(reports: &[Report]) -> Result<String, Error> {
    let panels: Vec<_> = reports.iter().flat_map(panels).take(MOST).collect();
    if panels.is_empty() {
        return Err(Error::Nothing);
    }
    let height = panels.iter().map(|(_, panel)| panel.height()).sum();
    let mut svg = String::new();
    let root = SVGBackend::with_string(&mut svg, (WIDTH, height)).into_drawing_area();
    let failed = |what: &str, why: String| Error::Drawing { what: what.to_owned(), why };
    root.fill(&WHITE).map_err(|error| failed("the picture", text(error)))?;
    let mut left = root.clone();
    for (title, panel) in &panels {
        let (part, rest) = left.split_vertically(panel.height());
        left = rest;
        let (heading, part) = part.split_vertically(HEADING);
        let title = crate::report::escape(title.as_bytes()).into_owned();
        heading.draw(&Text::new(title.clone(), (10, 10), font(18))).map_err(|error| failed(&title, text(error)))?;
        panel.draw(&part).map_err(|why| failed(&title, why))?;
    }
    root.present().map_err(|error| failed("the picture", text(error)))?;
    drop((left, root));
    Ok(svg)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Line;
    use crate::report::text::sample;

    fn series() -> Report {
        let line = |name: &str, points: &[i64]| Line { name: name.into(), unit: Unit::Bytes, points: points.to_vec() };
        let lines = vec![line("read", &[1, 5000, 2]), line("<write>", &[0, 0, 9])];
        let series = Series { start: 1_000_000_000, step: 1_000_000_000, lines, ..Series::default() };
        Report { title: "iobytes".into(), pictures: vec![Picture::Series(series)], ..Report::default() }
    }

    fn heat(rows: Vec<Vec<u64>>) -> Report {
        let heat = Heat { step: 1_000_000_000, bounds: vec![1, 10, 100], marks: vec![0, 1], rows, ..Heat::default() };
        Report { title: "spectrogram".into(), pictures: vec![Picture::Heat(heat)], ..Report::default() }
    }

    #[test]
    fn every_kind_of_report_is_drawn_and_its_text_escaped() {
        let svg = to_svg(&[sample(), series(), heat(vec![vec![1, 0], vec![1000, 3]])]).unwrap();
        assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"), "{svg}");
        for text in ["11.40KB", "a\\x1b[2Jlong, &quot;name&quot; | here", "&lt;write&gt;", "spectrogram", "00:00:01"] {
            assert!(svg.contains(text), "{text} in {svg}");
        }
        assert!(!svg.contains("<write>"));
    }

    #[test]
    fn extremes_are_drawn_too() {
        let mut wild = series();
        let Some(Picture::Series(series)) = wild.pictures.first_mut() else { unreachable!() };
        series.start = u64::MAX;
        series.lines[0].points = vec![i64::MIN, i64::MAX, 0];
        assert!(to_svg(&[wild]).is_ok());
        assert!(to_svg(&[heat(vec![vec![u64::MAX, 0]; 3000])]).is_ok());
        assert!(matches!(to_svg(&[Report::default()]), Err(Error::Nothing)));
    }
}
