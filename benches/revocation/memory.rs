//! Memory, each list in a process of its own: what the list says, and by how much the process grew.

use std::error::Error;
use std::process::Command;

use serde::Serialize;
use waxseal::Revocations;

use crate::harness::{Draw, Plan};
use crate::world::{ENGINES, SPREAD, end, fill, list, now, ring_at};

/// A list of so many sessions.
#[derive(Serialize)]
pub(crate) struct Row {
    pub(crate) what: &'static str,
    pub(crate) live: usize,
    pub(crate) bytes: u64,
    /// How much more of the process is resident.
    pub(crate) resident: u64,
}

/// A list while sessions are revoked without pause, each remembered for one lifetime.
#[derive(Serialize)]
pub(crate) struct Lifetime {
    pub(crate) what: &'static str,
    pub(crate) number: u64,
    pub(crate) sessions: u64,
    pub(crate) bytes: u64,
    pub(crate) resident: u64,
}

pub(crate) fn measure(plan: &Plan) -> Result<Vec<Row>, Box<dyn Error>> {
    let mut rows = vec![];
    for (engine, live) in (0..ENGINES.len()).flat_map(|engine| plan.sizes.iter().map(move |&live| (engine, live))) {
        for numbers in child(&[FILL, &engine.to_string(), &live.to_string()])? {
            rows.push(Row { what: ENGINES[engine].0, live, bytes: numbers[0], resident: numbers[1] });
        }
    }
    Ok(rows)
}

/// Ten lifetimes of steady revocation.
pub(crate) fn lifetimes(plan: &Plan) -> Result<Vec<Lifetime>, Box<dyn Error>> {
    let mut rows = vec![];
    for (engine, (what, _)) in ENGINES.into_iter().enumerate() {
        let each = plan.largest() / 30;
        for numbers in child(&[STEADY, &engine.to_string(), &each.to_string()])? {
            let [number, sessions, bytes, resident] = numbers[..] else { return Err("four numbers a line".into()) };
            rows.push(Lifetime { what, number, sessions, bytes, resident });
        }
    }
    Ok(rows)
}

/// Runs this program again; what it printed, a line of numbers each.
fn child(arguments: &[&str]) -> Result<Vec<Vec<u64>>, Box<dyn Error>> {
    let output = Command::new(std::env::current_exe()?).args(arguments).output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    let lines = String::from_utf8(output.stdout)?;
    lines.lines().map(|line| line.split(' ').map(|number| Ok(number.parse()?)).collect()).collect()
}

/// What a child does, if this process is one.
pub(crate) fn part(arguments: &[String]) -> bool {
    let number = |at: usize| arguments[at].parse().expect("a number");
    match arguments.first().map(String::as_str) {
        Some(FILL) => print_filled(number(1), number(2)),
        Some(STEADY) => print_steady(number(1), number(2)),
        _ => return false,
    }
    true
}

fn print_filled(engine: usize, live: usize) {
    let now = now();
    let (ring, _) = ring_at(now);
    let list = list(&ring, ENGINES[engine].1);
    let before = resident();
    fill(&list, now, live);
    println!("{} {}", list.status().bytes, resident() - before);
}

fn print_steady(engine: usize, each: usize) {
    let mut now = now();
    let (ring, clock) = ring_at(now);
    let list = list(&ring, ENGINES[engine].1);
    let (steps, mut draw) = (list.status().retention / STEP, Draw(5));
    for number in 1..=10 {
        for _ in 0..steps {
            clock.advance(STEP);
            now += STEP;
            (0..each as u64 / steps).for_each(|_| {
                let start = now - draw.below(SPREAD);
                end(&list, draw.session(start));
            });
            list.sync().expect("it is in memory");
        }
        print_lifetime(number, &list);
    }
}

fn print_lifetime(number: u64, list: &Revocations) {
    let status = list.status();
    println!("{number} {} {} {}", status.sessions, status.bytes, resident());
}

/// Resident bytes of this process.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS"));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok()).map_or(0, |kilobytes: u64| kilobytes * 1024)
}

const FILL: &str = "--fill";
const STEADY: &str = "--steady";

/// Seconds between two looks for what has expired: the unit in which the list stores when something was decided.
const STEP: u64 = 4_096;
