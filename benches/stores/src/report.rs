//! The table, in Markdown and JSON.

use core::fmt::Write;

use serde::Serialize;

use crate::store::Store;

#[derive(Serialize)]
pub(crate) struct Report {
    /// Sessions in each store.
    pub(crate) sessions: usize,
    pub(crate) rows: Vec<Row>,
    /// What was not measured, and why.
    pub(crate) skipped: Vec<String>,
}

/// One store.
#[derive(Serialize)]
pub(crate) struct Row {
    name: &'static str,
    /// Of one read, one at a time, in microseconds.
    p50_us: f64,
    p99_us: f64,
    /// Reads in a second on all cores, client and server together.
    rate: f64,
    /// Bytes on the server.
    memory: u64,
    /// Characters that each request carries.
    carried: usize,
}

impl Row {
    /// `times` in nanoseconds.
    pub(crate) fn of(store: &dyn Store, mut times: Vec<u64>, rate: f64) -> Self {
        times.sort_unstable();
        let at = |share: usize| times[times.len() * share / 100] as f64 / 1_000.0;
        let (name, memory, carried) = (store.name(), store.memory(), store.carried());
        Self { name, p50_us: at(50), p99_us: at(99), rate, memory, carried }
    }
}

impl Report {
    pub(crate) fn markdown(&self) -> String {
        let mut text = String::new();
        let head = "| | p50, µs | p99, µs | sessions a second, two cores | bytes a session on the server | characters in the request |";
        line(
            &mut text,
            &format!("One session read per request; {} sessions, loopback, one run.\n\n{head}", self.sessions),
        );
        line(&mut text, "|---|---:|---:|---:|---:|---:|");
        for Row { name, p50_us, p99_us, rate, memory, carried } in &self.rows {
            let each = memory / self.sessions as u64;
            line(&mut text, &format!("| {name} | {p50_us:.1} | {p99_us:.1} | {rate:.0} | {each} | {carried} |"));
        }
        self.skipped.iter().for_each(|skipped| line(&mut text, &format!("\n{skipped}")));
        text
    }
}

fn line(text: &mut String, line: &str) {
    writeln!(text, "{line}").expect("a string takes everything");
}
