//! [`Terminal`]: live answers on standard output.

use super::args::Options;
use super::replay::render;
use crate::engine::{Interval, Screen, moment};
use crate::report::{Report, escape};
use std::io::{self, IsTerminal, Write};

/// The other screen of a terminal, its cursor hidden (xterm control sequences, DEC private modes 1049 and 25).
const ENTER: &[u8] = b"\x1b[?1049h\x1b[?25l";

/// Back to what was there before.
const LEAVE: &[u8] = b"\x1b[?25h\x1b[?1049l";

/// To the first line (ECMA-48 CUP); to the end of a line and of the screen (EL, ED).
const HOME: &str = "\x1b[H";
const REST_OF_LINE: &str = "\x1b[K";
const REST_OF_SCREEN: &str = "\x1b[J";

/// What a sequence begins with, and the one that ends colours (SGR).
const ESCAPE: char = '\x1b';
const PLAIN: &str = "\x1b[0m";

/// Live answers on standard output: lines at once; tables drawn anew on a terminal, and the last of them left there when it is
/// over; elsewhere, and with `--every`, one after the other.
pub(super) struct Terminal<'a> {
    options: &'a Options,
    out: &'a mut (dyn Write + Send),
    /// Whether tables are drawn anew in their place.
    redraws: bool,
    /// Whether the other screen is shown.
    entered: bool,
    /// What is shown there, and its size when it was drawn.
    shown: Option<(Vec<Report>, Interval)>,
    size: Option<(u16, u16)>,
    /// What is added to UTC for local time, seconds.
    tz_offset_s: i32,
    /// What was said last.
    last: Vec<Report>,
    /// Whether a report was written, so that another needs no second heading.
    written: bool,
}

/// Columns and lines of the terminal.
fn size() -> Option<(u16, u16)> {
    terminal_size::terminal_size_of(io::stdout()).map(|(width, height)| (width.0, height.0))
}

impl<'a> Terminal<'a> {
    /// What shows the answers to questions, of which some may say lines.
    pub(super) fn new(options: &'a Options, has_lines: bool, out: &'a mut (dyn Write + Send)) -> Self {
        let is_text = !(options.json || options.csv || options.markdown);
        let redraws = is_text && !has_lines && options.every.is_none() && io::stdout().is_terminal();
        let (entered, shown, size, written, last) = (false, None, None, false, Vec::new());
        Terminal { options, out, redraws, entered, shown, size, tz_offset_s: 0, last, written }
    }

    /// Sets what is added to UTC for local time, seconds: of files it is known from the start.
    #[cfg(feature = "linux")]
    pub(super) fn zone(&mut self, tz_offset_s: i32) {
        self.tz_offset_s = tz_offset_s;
    }

    /// Draws what is to be shown.
    fn draw(&mut self) -> io::Result<()> {
        let Some((reports, interval)) = &self.shown else { return Ok(()) };
        if !self.entered {
            self.out.write_all(ENTER)?;
            self.entered = true;
        }
        self.size = size();
        let (width, height) = self.size.map_or((80, 24), |(w, h)| (usize::from(w).max(1), usize::from(h).max(2)));
        let text = page(self.options, reports, interval, self.tz_offset_s);
        let text = fitted(&text, width, height, self.options.wide);
        self.out.write_all(text.as_bytes())?;
        self.out.flush()
    }

    /// Pictures and pages of what was said last, where they are asked for.
    pub(super) fn plot(&mut self) -> Result<(), super::exit::Failure> {
        super::plot::write(self.options, &self.last, self.out)
    }

    /// Leaves the other screen, and what it showed last on this one.
    pub(super) fn end(&mut self) -> io::Result<()> {
        if !self.entered {
            return Ok(());
        }
        self.entered = false;
        self.out.write_all(LEAVE)?;
        if let Some((reports, interval)) = self.shown.take() {
            let text = page(self.options, &reports, &interval, self.tz_offset_s);
            self.out.write_all(text.as_bytes())?;
        }
        self.out.flush()
    }
}

impl Drop for Terminal<'_> {
    /// A failure must not leave the terminal on the other screen.
    fn drop(&mut self) {
        let _ = self.end();
    }
}

/// What is drawn: which moments it is about, then each report, named where there are several.
fn page(options: &Options, reports: &[Report], interval: &Interval, tz_offset_s: i32) -> String {
    let length = interval.end.saturating_sub(interval.start) as f64 / 1e9;
    let mut text = format!("{}, {length:.1} s\n", moment(interval.end, tz_offset_s));
    for report in reports {
        text.push('\n');
        if reports.len() > 1 {
            text.push_str(&escape(report.title.as_bytes()));
            text.push_str(":\n");
        }
        text.push_str(&render(options, report));
    }
    text
}

/// The page as a terminal shows it in place of the one before: cut to its lines, and to its columns unless `wide`.
fn fitted(text: &str, width: usize, height: usize, wide: bool) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let shown = if lines.len() > height { height - 1 } else { lines.len() };
    let mut out = HOME.to_owned();
    for (n, line) in lines.iter().take(shown).enumerate() {
        if n > 0 {
            out.push_str("\r\n");
        }
        let end = if wide { line.len() } else { end_of(line, width) };
        out.push_str(&line[..end]);
        if end < line.len() && line.contains(ESCAPE) {
            out.push_str(PLAIN);
        }
        out.push_str(REST_OF_LINE);
    }
    if shown < lines.len() {
        let more = format!("\r\n… {} more lines", lines.len() - shown);
        out.extend(more.chars().take(width + 2));
        out.push_str(REST_OF_LINE);
    }
    out + REST_OF_SCREEN
}

/// Where a line ends that is so many columns wide; sequences of colours take none.
fn end_of(line: &str, width: usize) -> usize {
    let (mut columns, mut is_sequence) = (0, false);
    for (at, c) in line.char_indices() {
        if is_sequence {
            is_sequence = c != 'm';
        } else if c == ESCAPE {
            is_sequence = true;
        } else if columns == width {
            return at;
        } else {
            columns += 1;
        }
    }
    line.len()
}

/// A report of an interval, as it stands among others.
pub(super) fn of_interval(
    options: &Options,
    report: &Report,
    interval: &Interval,
    tz_offset_s: i32,
    is_first: bool,
) -> String {
    if options.json {
        return report.to_json_of(interval.start, interval.end);
    }
    let from = moment(interval.start, tz_offset_s);
    if options.csv {
        let text = report.at_time(&from).to_csv();
        // One heading for all, so that it is one table.
        let body = if is_first { None } else { text.split_once('\n').map(|(_, rows)| rows.to_owned()) };
        return body.unwrap_or(text);
    }
    let heading = format!("{from} - {}", moment(interval.end, tz_offset_s));
    let heading = if options.markdown { format!("# {heading}\n\n") } else { format!("== {heading} ==\n") };
    heading + &render(options, report)
}

impl Screen for Terminal<'_> {
    fn lines(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.write_all(bytes)?;
        self.out.flush()
    }

    fn tick(&mut self) -> io::Result<()> {
        // The window has another size.
        if self.entered && self.size != size() { self.draw() } else { Ok(()) }
    }

    fn reports(&mut self, reports: &[Report], interval: Interval) -> io::Result<()> {
        if self.options.svg.is_some() || self.options.html.is_some() {
            self.last = reports.to_vec();
        }
        if super::plot::is_output(self.options) {
            return Ok(());
        }
        if self.redraws {
            // The piece that was cut short by the end says less than the whole one before it.
            if !(interval.is_last
                && self.shown.as_ref().is_some_and(|(_, shown)| shown.length() > 2 * interval.length()))
            {
                self.shown = Some((reports.to_vec(), interval));
            }
            // What a command did is one report at its end: that needs no other screen.
            if self.entered || !interval.is_last {
                return self.draw();
            }
            self.shown = None;
        }
        for report in reports {
            let text = if self.options.every.is_some() {
                of_interval(self.options, report, &interval, self.tz_offset_s, !self.written)
            } else {
                render(self.options, report)
            };
            self.out.write_all(text.as_bytes())?;
            if !(self.options.json || self.options.csv && self.options.every.is_some()) {
                writeln!(self.out)?;
            }
            // Of several reports each has its own columns.
            self.written = reports.len() == 1;
        }
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::fitted;

    #[test]
    fn a_page_is_cut_to_the_screen_and_says_so() {
        let text = "one\ntwo two\nthree\n";
        assert_eq!(fitted(text, 5, 3, false), "\x1b[Hone\x1b[K\r\ntwo t\x1b[K\r\nthree\x1b[K\x1b[J");
        assert_eq!(fitted(text, 20, 2, false), "\x1b[Hone\x1b[K\r\n… 2 more lines\x1b[K\x1b[J");
        let coloured = "a\x1b[48;5;17m   \x1b[0m b";
        assert_eq!(fitted(coloured, 5, 3, false), "\x1b[Ha\x1b[48;5;17m   \x1b[0m \x1b[0m\x1b[K\x1b[J");
        assert_eq!(fitted(coloured, 6, 3, false), format!("\x1b[H{coloured}\x1b[K\x1b[J"));
        assert_eq!(fitted(text, 3, 3, true), "\x1b[Hone\x1b[K\r\ntwo two\x1b[K\r\nthree\x1b[K\x1b[J");
    }
}
