//! `revocations size`: what a list takes, before there is one.

use serde::Serialize;
use waxseal::revocation::Size;

use super::args::{EngineArg, SizeArgs};
use crate::answer::Answer;
use crate::error::CliError;
use crate::ring::usage;
use crate::show::{facts, span};

/// Works it out.
pub(crate) fn size(args: &SizeArgs) -> Result<Answer, CliError> {
    let size = match (args.engine, args.rate) {
        (EngineArg::Exact, Some(_)) => {
            return Err(usage("the exact set is never wrong, and --rate is for --engine bloom".into())
                .advise("leave --rate out, or add --engine bloom"));
        }
        (EngineArg::Exact, None) => Size::exact(args.per_day, args.lifetime),
        (EngineArg::Bloom, rate) => Size::bloom(args.per_day, args.lifetime, rate.unwrap_or(USUAL_RATE)),
    };
    let victims = args.sessions.map(|sessions| size.victims(sessions));
    let memory = match size.memory_most == size.memory {
        true => bytes(size.memory),
        false => format!("{}, at most {}", bytes(size.memory), bytes(size.memory_most)),
    };
    let mut rows = vec![
        ("kept", format!("for {}, {} s", span(size.retention), size.retention)),
        ("entries", format!("{} alive", size.entries)),
        ("slices", format!("{} of 4096 s, {} entries in each", size.slices, size.entries_per_slice)),
        ("memory", format!("{memory}, on every server")),
        ("journals", format!("grow by {} a day, fold to {}", bytes(size.journal_per_day), bytes(size.journal_folded))),
    ];
    if let Some(victims) = victims {
        rows.push(("victims", format!("{victims:.3} of {} live sessions", args.sessions.unwrap_or(0))));
    }
    Ok(Answer::new(facts(&rows), &SizeJson { size: &size, victims }))
}

/// To three figures.
fn bytes(number: u64) -> String {
    let steps = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];
    let mut value = number as f64;
    let mut step = 0;
    while value >= 999.5 && step < steps.len() - 1 {
        value /= 1000.0;
        step += 1;
    }
    let digits = if step == 0 || value >= 99.95 {
        0
    } else if value >= 9.995 {
        1
    } else {
        2
    };
    format!("{value:.digits$} {}", steps[step])
}

#[derive(Serialize)]
struct SizeJson<'a> {
    #[serde(flatten)]
    size: &'a Size,
    /// Sessions that nobody revoked and that are refused all the same, on average.
    victims: Option<f64>,
}

/// One session in a million.
const USUAL_RATE: f64 = 1e-6;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_have_three_figures() {
        for (number, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1_000, "1.00 kB"),
            (12_345, "12.3 kB"),
            (999_499, "999 kB"),
            (999_500, "1.00 MB"),
            (8_630_272, "8.63 MB"),
            (u64::MAX, "18.4 EB"),
        ] {
            assert_eq!(bytes(number), text);
        }
    }
}
