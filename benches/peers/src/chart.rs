//! The chart of the README: who opens and seals how fast, and how long the tokens are. Plain SVG.
//!
//! Colours change with the reader's scheme; the background is the page's own.

use core::fmt::Write;

use crate::contenders::SEALED;
use crate::tokens::{Row, Table};

/// One column of bars.
struct Panel {
    title: &'static str,
    left: usize,
    /// What a whole bar stands for; longer ones are cut.
    whole: f64,
    value: fn(&Row) -> f64,
}

/// The chart of one table, the fastest to open first.
pub(crate) fn draw(table: &Table) -> String {
    let mut rows: Vec<_> = table.rows.iter().filter(|row| row.name == SEALED || row.is_peer()).collect();
    rows.retain(|row| !row.name.starts_with("the same"));
    rows.sort_by(|a, b| a.open.ns.median.total_cmp(&b.open.ns.median));
    let height = TOP + rows.len() * STEP + 26;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" \
         role=\"img\" aria-label=\"Time to open and to seal a typical session, and the characters of its token, for \
         waxseal and its peers\">\n{STYLE}"
    );
    for (index, row) in rows.iter().enumerate() {
        let baseline = TOP + index * STEP + 14;
        let class = if row.name == SEALED { "own" } else { "name" };
        let readable = if row.readable { "<tspan class=\"note\"> readable</tspan>" } else { "" };
        put(&mut svg, &format!("<text class=\"{class}\" x=\"0\" y=\"{baseline}\">{}{readable}</text>", row.name));
    }
    for panel in &PANELS {
        panel.draw(&mut svg, &rows);
    }
    let note = format!("a session of {} bytes; medians of interleaved rounds in one process", table.state);
    put(&mut svg, &format!("<text class=\"note\" x=\"0\" y=\"{}\">{note}</text>", height - 6));
    svg + "</svg>\n"
}

impl Panel {
    fn draw(&self, svg: &mut String, rows: &[&Row]) {
        let Self { title, left, whole, value } = self;
        put(svg, &format!("<text class=\"title\" x=\"{left}\" y=\"16\">{title}</text>"));
        for (index, row) in rows.iter().enumerate() {
            let (value, top) = (value(row), TOP + index * STEP);
            let class = if row.name == SEALED { "own" } else { "bar" };
            let width = BAR as f64 * (value / whole).min(1.0);
            put(
                svg,
                &format!("<rect class=\"{class}\" x=\"{left}\" y=\"{top}\" width=\"{width:.1}\" height=\"{THICK}\"/>"),
            );
            if value > *whole {
                // A bar that is cut shows it.
                let (x, bottom) = (left + BAR - 16, top + THICK);
                put(svg, &format!("<path class=\"cut\" d=\"M{x} {bottom}l5 -{THICK}m4 0l-5 {THICK}\"/>"));
            }
            let (x, y) = (*left as f64 + width + 5.0, top + 14);
            put(svg, &format!("<text class=\"value\" x=\"{x:.1}\" y=\"{y}\">{}</text>", grouped(value)));
        }
    }
}

/// A number with a comma after each thousand.
fn grouped(value: f64) -> String {
    let value = value.round() as u64;
    if value < 1_000 { value.to_string() } else { format!("{},{:03}", value / 1_000, value % 1_000) }
}

fn put(svg: &mut String, line: &str) {
    writeln!(svg, "{line}").expect("a string takes everything");
}

const PANELS: [Panel; 3] = [
    Panel { title: "open, ns", left: 236, whole: 10_000.0, value: |row| row.open.ns.median },
    Panel { title: "seal, ns", left: 452, whole: 10_000.0, value: |row| row.seal.ns.median },
    Panel { title: "characters in a cookie", left: 668, whole: 1_000.0, value: |row| row.on_the_wire as f64 },
];

const WIDTH: usize = 884;
const TOP: usize = 28;
const STEP: usize = 24;
/// Height of a bar.
const THICK: usize = 18;
/// Length of a whole bar.
const BAR: usize = 160;

const STYLE: &str = "<style>
text { font: 13px ui-sans-serif, system-ui, sans-serif; fill: #1f2328 }
.title { font-weight: 600 } .note, .value { font-size: 12px; fill: #59636e }
text.own { font-weight: 600 } rect.own { fill: #b3261e } .bar { fill: #9aa4b0 } .cut { stroke: #fff; stroke-width: 2 }
@media (prefers-color-scheme: dark) {
text { fill: #f0f6fc } .note, .value { fill: #9198a1 } rect.own { fill: #f2756b } .bar { fill: #5b6570 } .cut { stroke: #0d1117 }
}
</style>
";
