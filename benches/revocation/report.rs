//! The report: tables in Markdown, and what must be reached beside what was.

use core::fmt::Write;

use serde::Serialize;

use crate::stalls::grouped;
use crate::year::{Day, LIVE, LOGINS, Year};
use crate::{checks, directory, inserts, memory, stalls};

/// All that one run measured.
#[derive(Serialize)]
pub(crate) struct Report {
    pub(crate) machine: String,
    pub(crate) rounds: usize,
    pub(crate) memory: Vec<memory::Row>,
    pub(crate) lifetimes: Vec<memory::Lifetime>,
    pub(crate) checks: Vec<checks::Row>,
    pub(crate) owners: Vec<checks::OwnerRow>,
    pub(crate) inserts: Vec<inserts::Row>,
    pub(crate) stalls: Vec<stalls::Row>,
    pub(crate) directory: Vec<directory::Row>,
}

impl Report {
    pub(crate) fn markdown(&self) -> String {
        let mut text = String::new();
        let (machine, rounds) = (&self.machine, self.rounds);
        line(&mut text, &format!("# What a list of revocations costs\n\n{machine}; {rounds} interleaved rounds.\n"));
        self.musts(&mut text);
        self.checks(&mut text);
        self.owners(&mut text);
        self.inserts(&mut text);
        self.stalls(&mut text);
        self.memory(&mut text);
        self.directory(&mut text);
        text
    }

    fn musts(&self, text: &mut String) {
        line(text, "| must | at | reached | |\n|---|---:|---:|---|");
        let mut must = |what: &str, limit: f64, unit: &str, reached: f64| {
            let holds = if reached <= limit { "yes" } else { "**no**" };
            line(text, &format!("| {what} | ≤ {limit}{unit} | {reached:.1}{unit} | {holds} |"));
        };
        let live = self.checks.iter().map(|row| row.live).max().unwrap_or(0);
        for row in self.checks.iter().filter(|row| row.live == live && row.tokens == checks::CHOICES[0]).take(2) {
            let what = format!("{}, {} live: a check, of opening the same token", row.what, grouped(live));
            must(&what, 10.0, " %", row.part * 100.0);
        }
        must("subject and tenant, while no cut-off lives, of opening", 1.0, " %", self.owners[1].part * 100.0);
        let stalled = self.stalls.iter().map(|row| row.above_1_ms).sum::<u64>();
        must("checks above 1 ms that did not wait for a processor", 0.0, "", stalled as f64);
        for name in ["exact", "bloom"] {
            let bytes: Vec<_> =
                self.lifetimes.iter().filter(|row| row.what == name).map(|row| row.bytes as f64).collect();
            if let [_, second, .., last] = bytes[..] {
                must(
                    &format!("{name}: memory after ten lifetimes, of that after two"),
                    105.0,
                    " %",
                    last / second * 100.0,
                );
            }
        }
        for row in &self.directory {
            let (nodes, a_day) = (row.nodes, grouped(row.revoked_a_day as usize));
            let what = format!("a node of {nodes}, {a_day} revocations a day: kB read and written a second");
            must(&what, 100.0, "", (row.reads + row.writes) / 1_000.0);
        }
    }

    fn checks(&self, text: &mut String) {
        line(
            text,
            "\n**A check on the way of a request**: what it adds to opening a typical token, and that as a part of opening,",
        );
        line(text, "round by round. A set and a filter of the same sessions are asked for the id alone.\n");
        line(
            text,
            "| live | tokens | open, ns | exact adds | bloom adds | RwLock<HashSet> | fastbloom |\n|---:|---|---:|---:|---:|---:|---:|",
        );
        for rows in self.checks.chunks(4) {
            let cells: Vec<_> =
                rows.iter().map(|row| format!("{:.0} ns, {:.1} %", row.adds, row.part * 100.0)).collect();
            let (live, tokens, open) = (grouped(rows[0].live), rows[0].tokens, rows[0].open);
            line(text, &format!("| {live} | {tokens} | {open:.0} | {} |", cells.join(" | ")));
        }
    }

    fn owners(&self, text: &mut String) {
        line(text, "\n**Subject and tenant**, beside opening the same token.\n");
        line(text, "| | adds | of opening |\n|---|---:|---:|");
        for row in &self.owners {
            line(text, &format!("| {} | {:.0} ns | {:.1} % |", row.what, row.adds, row.part * 100.0));
        }
    }

    fn inserts(&self, text: &mut String) {
        line(
            text,
            "\n**Revoking in memory**, one after the other, from nothing to the size. Whoever revokes waits while a table grows;",
        );
        line(text, "whoever checks does not.\n");
        line(text, "| live | | mean, ns | p50 | p99 | longest, ms |\n|---:|---|---:|---:|---:|---:|");
        for inserts::Row { live, what, mean, p50, p99, most } in &self.inserts {
            let most = *most as f64 / 1e6;
            line(text, &format!("| {} | {what} | {mean:.0} | {p50} | {p99} | {most:.2} |", grouped(*live)));
        }
    }

    fn stalls(&self, text: &mut String) {
        line(
            text,
            "\n**Opening while others write**: one thread opens 1,000 tokens in turn without pause. \"Longest\" is what the kernel says",
        );
        line(text, "did not wait for a processor; what did is no doing of the list, and is counted (above 0.1 ms).\n");
        line(
            text,
            "| meanwhile | opened | p50, ns | p99 | p99.9 | p99.999 | longest, µs | above 1 ms | waited, longest of all, µs |",
        );
        line(text, "|---|---:|---:|---:|---:|---:|---:|---:|---:|");
        for row in &self.stalls {
            let stalls::Row { while_, checks, p50, p99, p999, p99999, away, above_1_ms, .. } = row;
            let most_on = if row.most_on_processor > 0 {
                format!("{:.0}", row.most_on_processor as f64 / 1e3)
            } else {
                "< 100".into()
            };
            let (checks, most) = (grouped(*checks as usize), row.most as f64 / 1e3);
            line(
                text,
                &format!(
                    "| {while_} | {checks} | {p50} | {p99} | {p999} | {p99999} | {most_on} | {above_1_ms} | {away}, {most:.0} |"
                ),
            );
        }
    }

    fn memory(&self, text: &mut String) {
        line(text, "\n**Memory**: as the list says, and by how much its process grew.\n");
        line(text, "| | live | bytes | for each | resident, for each |\n|---|---:|---:|---:|---:|");
        for memory::Row { what, live, bytes, resident } in &self.memory {
            let each = |bytes: u64| bytes as f64 / *live as f64;
            let (all, live) = (grouped(*bytes as usize), grouped(*live));
            line(text, &format!("| {what} | {live} | {all} | {:.1} | {:.1} |", each(*bytes), each(*resident)));
        }
        line(text, "\n**Ten lifetimes** of steady revocation, each session remembered for one.\n");
        line(text, "| | lifetime | sessions | MB | resident, MB |\n|---|---:|---:|---:|---:|");
        for memory::Lifetime { what, number, sessions, bytes, resident } in &self.lifetimes {
            let (bytes, resident) = (*bytes as f64 / 1e6, *resident as f64 / 1e6);
            line(
                text,
                &format!("| {what} | {number} | {} | {bytes:.2} | {resident:.1} |", grouped(*sessions as usize)),
            );
        }
    }

    fn directory(&self, text: &mut String) {
        line(
            text,
            "\n**A directory of many**: what one node reads and writes in a second when all look every five, as the kernel counts it.\n",
        );
        line(
            text,
            "| nodes | revoked a day, by all | read, B/s | written, B/s | a pass, µs | all journals, kB |\n|---:|---:|---:|---:|---:|---:|",
        );
        for row in &self.directory {
            let directory::Row { nodes, revoked_a_day, reads, writes, pass, directory } = row;
            let (a_day, kilobytes) = (grouped(*revoked_a_day as usize), *directory as f64 / 1e3);
            line(text, &format!("| {nodes} | {a_day} | {reads:.0} | {writes:.0} | {pass:.0} | {kilobytes:.0} |"));
        }
    }
}

/// The simulated year, every four weeks and around its peak.
pub(crate) fn year(years: &[Year]) -> String {
    let mut text =
        String::from("# A simulated year\n\n![Memory and false positives over the year](revocation-year.svg)\n\n");
    line(
        &mut text,
        "100 million sessions live, each for 30 days; a million are revoked each day, and five millions more on one. A",
    );
    line(
        &mut text,
        "revocation is remembered for three days. \"Asked\" are samples of living sessions and of sessions that begin, opened with",
    );
    line(
        &mut text,
        "the list. One slice of starts in ten is simulated, with all that falls into it; sums are of all ten.\n",
    );
    for Year { engine, days } in years {
        line(&mut text, &format!("**{engine}**\n"));
        line(
            &mut text,
            "| day | revoked | known | MB | bytes for each | worst slice |\n|---:|---:|---:|---:|---:|---:|",
        );
        let peak = days.iter().max_by_key(|day| day.revoked).map_or(0, |day| day.day);
        let shown = |day: &&Day| day.day == 1 || day.day.is_multiple_of(28) || (peak..peak + 5).contains(&day.day);
        for Day { day, revoked, sessions, bytes, worst, .. } in days.iter().filter(shown) {
            let (revoked, known, megabytes) = (grouped(*revoked), grouped(*sessions), *bytes as f64 / 1e6);
            let each = *bytes as f64 / (*sessions).max(1) as f64;
            let worst = if *worst > 0.0 { format!("{worst:.1e}") } else { "0".into() };
            line(&mut text, &format!("| {day} | {revoked} | {known} | {megabytes:.1} | {each:.1} | {worst} |"));
        }
        let sum = |of: fn(&Day) -> usize| days.iter().map(of).sum::<usize>();
        let (asked, wrong) = (sum(|day| day.asked), sum(|day| day.wrong));
        let (begun, redrawn) = (sum(|day| day.begun), sum(|day| day.redrawn));
        let of = |hits: usize, all: usize| hits as f64 / all.max(1) as f64;
        let (victims, redraws) = (of(wrong, asked) * LIVE, of(redrawn, begun) * LOGINS);
        let (asked, begun) = (grouped(asked), grouped(begun));
        line(
            &mut text,
            &format!(
                "\nIn the year {wrong} of {asked} living sessions looked revoked: {victims:.1} of 100 million. {redrawn} of {begun} that"
            ),
        );
        line(
            &mut text,
            &format!("began would have been given another id: {redraws:.2} of the 3.3 million logins of a day.\n"),
        );
    }
    text
}

fn line(text: &mut String, line: &str) {
    writeln!(text, "{line}").expect("a string takes everything");
}
