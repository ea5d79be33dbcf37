//! The chart of the simulated year: memory and false positives, day by day. Plain SVG.
//!
//! Colours change with the reader's scheme; the background is the page's own.

use core::fmt::Write;

use crate::year::{Day, Year};

/// One pair of axes.
struct Panel {
    title: &'static str,
    top: usize,
    /// What is drawn, in the unit of `tick`.
    value: fn(&Day) -> Option<f64>,
    /// Where the axis ends, by the greatest value.
    whole: fn(f64) -> f64,
    tick: fn(f64) -> String,
}

pub(crate) fn draw(years: &[Year]) -> String {
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" \
         role=\"img\" aria-label=\"Memory and false positives of a list of revocations over a simulated year\">\n{STYLE}"
    );
    for (index, year) in years.iter().enumerate() {
        let (x, name) = (LEFT + 250 + index * 130, year.engine);
        put(&mut svg, &format!("<path class=\"line {}\" d=\"M{x} 12h24\"/>", CLASSES[index]));
        put(&mut svg, &format!("<text class=\"note\" x=\"{}\" y=\"16\">{name}</text>", x + 30));
    }
    for panel in &PANELS {
        panel.draw(&mut svg, years);
    }
    put(&mut svg, &format!("<text class=\"note\" x=\"{LEFT}\" y=\"{}\">day of the year</text>", HEIGHT - 6));
    svg + "</svg>\n"
}

impl Panel {
    fn draw(&self, svg: &mut String, years: &[Year]) {
        let Self { title, top, value, tick, .. } = self;
        let most = (self.whole)(years.iter().flat_map(|year| &year.days).filter_map(value).fold(0.0, f64::max));
        put(svg, &format!("<text class=\"title\" x=\"{LEFT}\" y=\"{}\">{title}</text>", top - 12));
        for third in 0..=3 {
            let y = (top + TALL - TALL * third / 3) as f64;
            let (x, tick) = (LEFT - 8, tick(most * third as f64 / 3.0));
            put(svg, &format!("<path class=\"grid\" d=\"M{LEFT} {y}h{LONG}\"/>"));
            put(svg, &format!("<text class=\"tick\" x=\"{x}\" y=\"{}\">{tick}</text>", y + 4.0));
        }
        let days = years.iter().map(|year| year.days.len()).max().unwrap_or(1);
        let across = |day: usize| LEFT as f64 + LONG as f64 * day as f64 / days as f64;
        for day in (0..=days).step_by((days / 5).max(1)) {
            let (x, y) = (across(day), top + TALL + 16);
            put(svg, &format!("<text class=\"day\" x=\"{x:.1}\" y=\"{y}\">{day}</text>"));
        }
        for (year, class) in years.iter().zip(CLASSES) {
            let mut path = String::new();
            for (day, value) in year.days.iter().filter_map(|day| Some((day, value(day)?))) {
                let (x, y) = (across(day.day as usize), (top + TALL) as f64 - TALL as f64 * value / most);
                path += &format!("{}{x:.1} {y:.1}", if path.is_empty() { "M" } else { "L" });
            }
            if !path.is_empty() {
                put(svg, &format!("<path class=\"line {class}\" d=\"{path}\"/>"));
            }
        }
    }
}

fn put(svg: &mut String, line: &str) {
    writeln!(svg, "{line}").expect("a string takes everything");
}

const PANELS: [Panel; 2] = [
    Panel {
        title: "memory, MB",
        top: 56,
        value: |day| Some(day.bytes as f64 / 1e6),
        whole: |most| (most / 30.0).ceil().max(1.0) * 30.0,
        tick: |megabytes| format!("{megabytes:.0}"),
    },
    Panel {
        title: "false positives, in the slice that has most",
        top: 262,
        // Powers of ten from 1e-15 on; the exact engine has none.
        value: |day| (day.worst > 0.0).then(|| (day.worst.log10() + 15.0).max(0.0)),
        whole: |_| 12.0,
        tick: |power| format!("1e{}", power - 15.0),
    },
];

const CLASSES: [&str; 3] = ["exact", "bloom", "coarse"];

const WIDTH: usize = 884;
const HEIGHT: usize = 452;
const LEFT: usize = 64;
/// Length and height of the axes.
const LONG: usize = 800;
const TALL: usize = 140;

const STYLE: &str = "<style>
text { font: 13px ui-sans-serif, system-ui, sans-serif; fill: #1f2328 }
.title { font-weight: 600 } .note, .tick, .day { font-size: 12px; fill: #59636e }
.tick { text-anchor: end } .day { text-anchor: middle }
.grid { stroke: #d1d9e0 } .line { fill: none; stroke-width: 2 } .bloom { stroke: #b3261e } .coarse { stroke: #8250df } .exact { stroke: #9aa4b0 }
@media (prefers-color-scheme: dark) {
text { fill: #f0f6fc } .note, .tick, .day { fill: #9198a1 } .grid { stroke: #3d444d } .bloom { stroke: #f2756b } .coarse { stroke: #ab7df8 } .exact { stroke: #5b6570 }
}
</style>
";
