//! What a list of revocations costs: a check beside the opening that asks it, an insertion, memory, and a directory of many.
//!
//! ```sh
//! cargo bench --bench revocation -- --out docs/performance            # a few minutes, a gigabyte or two
//! cargo bench --bench revocation -- --year --out docs/performance     # the simulated year instead
//! ```
//!
//! prints the tables, and with `--out` writes them. `--quick` shows only that everything runs, the year
//! included. What each number is made of is in docs/PERFORMANCE.md.

mod chart;
mod checks;
mod directory;
mod harness;
mod inserts;
mod memory;
mod report;
#[path = "../session/sessions.rs"]
#[expect(dead_code, reason = "one of the three sessions is enough here")]
mod sessions;
mod stalls;
mod world;
mod year;

use std::error::Error;
use std::fs;
use std::path::PathBuf;

use harness::Plan;
use report::Report;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    if memory::part(&arguments) {
        return Ok(());
    }
    let Arguments { plan, year, out } = Arguments::read(arguments)?;
    let mut files = vec![];
    if !year {
        let report = measure(&plan)?;
        println!("{}", report.markdown());
        files.push(("revocation.md", report.markdown()));
        files.push(("revocation.json", serde_json::to_string_pretty(&report)? + "\n"));
    }
    if year || plan.is_quick {
        let years = year::simulate(&plan)?;
        println!("{}", report::year(&years));
        files.push(("revocation-year.md", report::year(&years)));
        files.push(("revocation-year.svg", chart::draw(&years)));
    }
    if let Some(out) = out {
        fs::create_dir_all(&out)?;
        files.iter().try_for_each(|(name, text)| fs::write(out.join(name), text))?;
    }
    Ok(())
}

fn measure(plan: &Plan) -> Result<Report, Box<dyn Error>> {
    Ok(Report {
        machine: machine(),
        rounds: plan.rounds,
        // First, while no other memory of this process can be given to their children.
        memory: memory::measure(plan)?,
        lifetimes: memory::lifetimes(plan)?,
        checks: checks::measure(plan),
        owners: checks::owners(plan),
        inserts: inserts::measure(plan),
        stalls: stalls::measure(plan),
        directory: directory::measure(plan)?,
    })
}

struct Arguments {
    plan: Plan,
    year: bool,
    out: Option<PathBuf>,
}

impl Arguments {
    fn read(arguments: Vec<String>) -> Result<Self, Box<dyn Error>> {
        let (mut read, mut arguments) = (Self { plan: Plan::FULL, year: false, out: None }, arguments.into_iter());
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--quick" => read.plan = Plan::QUICK,
                "--year" => read.year = true,
                "--out" => read.out = Some(arguments.next().ok_or("--out names a folder")?.into()),
                // cargo says so.
                "--bench" => {}
                other => {
                    return Err(format!("no such argument: {other}; there are --quick, --year and --out FOLDER").into());
                }
            }
        }
        Ok(read)
    }
}

/// The processor, as Linux names it.
fn machine() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ")).map(|(_, name)| name);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{}, {cores} cores, {}", name.unwrap_or("an unknown processor"), std::env::consts::ARCH)
}
