//! The report: tables in Markdown, everything in JSON, and what must be reached beside what was.

use core::fmt::Write;

use serde::Serialize;

use crate::contenders::{OWN_FLOOR, PRIVATE_JAR, RENEWED, SEALED};
use crate::layers::{self, Act, SESHCOOKIE, web};
use crate::tokens::{Row, Table};
use crate::{sizes, threads};

/// All that one run measured.
#[derive(Serialize)]
pub(crate) struct Report {
    pub(crate) build: &'static str,
    pub(crate) machine: String,
    pub(crate) rounds: usize,
    /// Small, typical, large.
    pub(crate) tokens: Vec<Table>,
    pub(crate) layers: Vec<layers::Row>,
    pub(crate) web: Vec<web::Row>,
    pub(crate) sizes: Vec<sizes::Row>,
    pub(crate) threads: threads::Scaling,
}

/// One thing that must be reached.
struct Must {
    what: String,
    limit: String,
    reached: String,
    holds: bool,
}

impl Report {
    pub(crate) fn markdown(&self) -> String {
        let mut text = String::new();
        let (build, machine, rounds) = (self.build, &self.machine, self.rounds);
        line(&mut text, &format!("Build `{build}` on {machine}; {rounds} interleaved rounds; ns as least / median.\n"));
        self.musts_table(&mut text);
        self.tokens.iter().for_each(|table| tokens_table(&mut text, table));
        self.layers_table(&mut text);
        self.web_table(&mut text);
        self.sizes_table(&mut text);
        self.threads_table(&mut text);
        text
    }

    /// What issue and design ask for, beside what this run reached.
    fn musts(&self) -> Vec<Must> {
        let typical = &self.tokens[1];
        let (jar, floor) = (typical.row(PRIVATE_JAR), typical.row(OWN_FLOOR));
        let mut musts = Vec::new();
        if cfg!(feature = "ring") {
            musts.push(Must::most("open, of PrivateJar's", 0.35, jar.open.waxseal_takes));
            musts.push(Must::most("seal, of PrivateJar's", 0.70, jar.seal.waxseal_takes));
        }
        musts.push(Must::most(&format!("open, of {OWN_FLOOR}"), 1.15, floor.open.waxseal_takes));
        musts.push(Must::most(&format!("seal, of {OWN_FLOOR}"), 1.25, floor.seal.waxseal_takes));
        musts.push(Must::most("characters of a typical token", 268.0, typical.row(SEALED).chars as f64));
        musts.push(self.shorter_than_every_peer(SEALED));
        musts.push(self.shorter_than_every_peer(RENEWED));
        musts.push(Must::least("two threads, of two unshared copies", 0.95, self.threads.shared_over_copies));
        let ignored = self.web.iter().find(|row| row.act == Act::Ignore).expect("it was measured");
        musts.push(Must::most("layer, untouched, ns", 150.0, ignored.ns.median));
        let allocations = ignored.allocations_beyond_extensions as f64;
        musts.push(Must::most("layer, untouched, allocations beyond the map's own", 2.0, allocations));
        for (what, act) in [("read", Act::Read), ("changed", Act::Change)] {
            let rival = self.layers.iter().find(|row| row.name == SESHCOOKIE).expect("it was measured");
            musts.push(Must::most(&format!("layer, {what}, of seshcookie's"), 0.4, rival.cost(act).waxseal_takes));
        }
        musts
    }

    fn shorter_than_every_peer(&self, name: &str) -> Must {
        let shares = self.tokens.iter().map(|table| {
            let shortest = table.rows.iter().filter(|row| row.is_peer()).map(|row| row.on_the_wire).min();
            table.row(name).on_the_wire as f64 / shortest.expect("there are peers") as f64
        });
        let share = shares.fold(0.0, f64::max);
        let what = format!("{name}: characters in a cookie, of the shortest peer's, the worst of three sizes");
        Must { holds: share < 1.0, limit: "< 1".into(), ..Must::most(&what, 1.0, share) }
    }

    fn musts_table(&self, text: &mut String) {
        line(text, "| must | at | reached | |\n|---|---:|---:|---|");
        for Must { what, limit, reached, holds } in self.musts() {
            line(text, &format!("| {what} | {limit} | {reached} | {} |", if holds { "yes" } else { "**no**" }));
        }
    }

    fn layers_table(&self, text: &mut String) {
        line(text, "\n**One request through axum**, above the bare handler; a typical session.\n");
        line(text, "| layer | untouched | read | changed | allocations | cookie |\n|---|---:|---:|---:|---:|---:|");
        for row in &self.layers {
            let ns = |act| format!("{:.0} / {:.0}", row.cost(act).ns.min, row.cost(act).ns.median);
            let cost = [Act::Ignore, Act::Read, Act::Change].map(ns).join(" | ");
            let counts: Vec<_> = row.acts.iter().map(|cost| cost.allocations.to_string()).collect();
            line(text, &format!("| {} | {cost} | {} | {} |", row.name, counts.join(", "), row.cookie));
        }
    }

    fn web_table(&self, text: &mut String) {
        line(text, "\n**The layer of waxseal alone**, around a service of plain tower.\n");
        line(text, "| session | ns | allocations | beyond the extension map's own |\n|---|---:|---:|---:|");
        for row in &self.web {
            let (act, own, beyond) = (said(row.act), row.allocations, row.allocations_beyond_extensions);
            line(text, &format!("| {act} | {:.0} / {:.0} | {own} | {beyond} |", row.ns.min, row.ns.median));
        }
    }

    fn sizes_table(&self, text: &mut String) {
        line(text, "\n**Against the size of the state**, of one text.\n");
        line(text, "| bytes | characters | seal | open | open_raw |\n|---:|---:|---:|---:|---:|");
        for row in &self.sizes {
            let ns = [row.seal, row.open, row.open_raw].map(|span| format!("{:.0} / {:.0}", span.min, span.median));
            line(text, &format!("| {} | {} | {} |", row.state, row.chars, ns.join(" | ")));
        }
    }

    fn threads_table(&self, text: &mut String) {
        let threads::Scaling { one_thread, two_threads, two_copies, shared_over_copies, swaps } = &self.threads;
        line(text, "\n**Threads** that open typical sessions while the ring is swapped underneath.\n");
        line(text, "| | opened in a second |\n|---|---:|");
        line(text, &format!("| one thread | {one_thread:.0} |"));
        line(text, &format!("| two threads, one ring | {two_threads:.0} |"));
        line(text, &format!("| two threads, a ring each | {two_copies:.0} |"));
        line(
            text,
            &format!("\nOne ring over two, round by round: {shared_over_copies:.3}; {swaps:.0} swaps a second."),
        );
    }
}

impl Must {
    fn most(what: &str, limit: f64, reached: f64) -> Self {
        Self { holds: reached <= limit, limit: format!("≤ {limit}"), ..Self::of(what, reached) }
    }

    fn least(what: &str, limit: f64, reached: f64) -> Self {
        Self { holds: reached >= limit, limit: format!("≥ {limit}"), ..Self::of(what, reached) }
    }

    fn of(what: &str, reached: f64) -> Self {
        let reached = if reached < 10.0 { format!("{reached:.2}") } else { format!("{reached:.0}") };
        Self { what: what.into(), limit: String::new(), reached, holds: false }
    }
}

impl Row {
    /// Neither the library nor a floor.
    pub(crate) fn is_peer(&self) -> bool {
        !self.name.starts_with("waxseal") && !self.name.starts_with("floor")
    }
}

fn tokens_table(text: &mut String, table: &Table) {
    let Table { session, state, rows } = table;
    line(text, &format!("\n**A {session} session**, {state} bytes in postcard.\n"));
    line(text, "| | seal | waxseal / it | open | waxseal / it | allocations | characters | in a cookie |");
    line(text, "|---|---:|---:|---:|---:|---:|---:|---:|");
    for Row { name, readable, seal, open, chars, on_the_wire, .. } in rows {
        let readable = if *readable { ", readable" } else { "" };
        let ns = |ns: crate::harness::Span| format!("{:.0} / {:.0}", ns.min, ns.median);
        let (seals, opens) = (ns(seal.ns), ns(open.ns));
        let (of_seal, of_open) = (seal.waxseal_takes, open.waxseal_takes);
        let allocated = format!("{}, {}", seal.allocations, open.allocations);
        line(
            text,
            &format!(
                "| {name}{readable} | {seals} | {of_seal:.2} | {opens} | {of_open:.2} | {allocated} | {chars} | {on_the_wire} |"
            ),
        );
    }
}

fn said(act: Act) -> &'static str {
    match act {
        Act::Ignore => "untouched",
        Act::Read => "read",
        Act::Change => "changed",
    }
}

fn line(text: &mut String, line: &str) {
    writeln!(text, "{line}").expect("a string takes everything");
}
