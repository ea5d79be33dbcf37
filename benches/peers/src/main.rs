//! waxseal beside its peers and beside the floors of the same work, in one process and in interleaved rounds.
//!
//! ```sh
//! cargo run --release --manifest-path benches/peers/Cargo.toml -- --out docs/performance
//! ```
//!
//! prints the tables and writes them as Markdown and JSON, named after the build, and the chart. `--quick` shows only that
//! everything runs. What each number is made of is in docs/PERFORMANCE.md.

mod allocator;
mod chart;
mod claims;
mod contenders;
mod harness;
mod layers;
mod report;
#[path = "../../session/sessions.rs"]
mod sessions;
mod sizes;
mod threads;
mod tokens;

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use harness::Plan;
use report::Report;

fn main() -> Result<(), Box<dyn Error>> {
    let Arguments { plan, out } = Arguments::read()?;
    let report = Report {
        build: BUILD,
        machine: machine(),
        rounds: plan.rounds,
        tokens: tokens::measure(plan),
        layers: layers::measure(plan),
        web: layers::web::measure(plan),
        sizes: sizes::measure(plan),
        threads: threads::measure(plan),
    };
    println!("{}", report.markdown());
    if let Some(out) = out {
        write(&out, &report)?;
    }
    Ok(())
}

struct Arguments {
    plan: Plan,
    out: Option<PathBuf>,
}

impl Arguments {
    fn read() -> Result<Self, Box<dyn Error>> {
        let (mut read, mut arguments) = (Self { plan: Plan::FULL, out: None }, std::env::args().skip(1));
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--quick" => read.plan = Plan::QUICK,
                "--out" => read.out = Some(arguments.next().ok_or("--out names a folder")?.into()),
                other => return Err(format!("no such argument: {other}; there are --quick and --out FOLDER").into()),
            }
        }
        Ok(read)
    }
}

fn write(folder: &Path, report: &Report) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(folder)?;
    fs::write(folder.join(format!("{BUILD}.md")), report.markdown())?;
    fs::write(folder.join(format!("{BUILD}.json")), serde_json::to_string_pretty(report)? + "\n")?;
    if BUILD == DEFAULT_BUILD {
        fs::write(folder.join("chart.svg"), chart::draw(&report.tokens[1]))?;
    }
    Ok(())
}

/// The processor, as it calls itself.
fn machine() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split(": ").nth(1));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{}, {cores} cores, {}", model.unwrap_or("a processor without a name"), std::env::consts::ARCH)
}

/// Which waxseal was built, and whether with the flag that makes the Rust build fast.
const BUILD: &str = match (cfg!(feature = "ring"), cfg!(poly1305_backend = "soft")) {
    (true, false) => DEFAULT_BUILD,
    (true, true) => "default-soft",
    (false, false) => "rust",
    (false, true) => "rust-soft",
};

const DEFAULT_BUILD: &str = "default";
