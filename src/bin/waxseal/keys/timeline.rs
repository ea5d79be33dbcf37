//! The ring as a chart: one row for each key, time from left to right, in characters that any terminal has.

use waxseal::keys::{KeyReport, RingReport, Role};
use waxseal::time::Timestamp;

use crate::show::span;

/// Draws who seals and who opens, as far back and ahead as tokens live.
pub(crate) fn chart(report: &RingReport) -> String {
    let scale = Scale::of(report);
    let mark = format!("{:indent$}v now", "", indent = INDENT + scale.before as usize);
    let rows = report.keys.iter().map(|key| {
        let cells: String = (0..scale.columns).map(|column| cell(key, &scale, column)).collect();
        let star = if report.active == Some(key.id) { '*' } else { ' ' };
        format!("{star}  {}  {}", key.id, cells.trim_end())
    });
    let edges = format!(
        "{:INDENT$}{:width$}{}",
        "",
        scale.start.to_string(),
        scale.at(scale.columns),
        width = (scale.columns as usize).saturating_sub(20).max(22)
    );
    let legend = format!("# seals   = opens   x disabled or revoked   one column: {}", span(scale.step));
    let lines = [mark].into_iter().chain(rows).chain([edges, format!("{:INDENT$}{legend}", "")]);
    lines.map(|line| format!("{}\n", line.trim_end())).collect()
}

/// What `key` does in a column: sealing shows over opening, and opening over nothing.
fn cell(key: &KeyReport, scale: &Scale, column: u64) -> char {
    let (from, to) = (scale.at(column), scale.at(column + 1));
    let meets = |since: Option<Timestamp>, until: Option<Timestamp>| {
        since.is_some_and(|since| since < to) && until.is_none_or(|until| until > from) && since != until
    };
    let stopped = match key.role {
        Role::Revoked => key.revoked_at,
        Role::Disabled => Some(scale.now),
        _ => None,
    };
    if stopped.is_some_and(|at| at < to) {
        return 'x';
    }
    if meets(key.activate_at, key.superseded_at) {
        '#'
    } else if meets(Some(key.created_at), key.opens_until) {
        '='
    } else {
        ' '
    }
}

/// Which instant each column stands for. The present begins a column.
struct Scale {
    start: Timestamp,
    now: Timestamp,
    /// Seconds in a column.
    step: u64,
    /// Columns before the present.
    before: u64,
    columns: u64,
}

impl Scale {
    fn of(report: &RingReport) -> Self {
        let (now, policy) = (report.now, &report.policy);
        let living = || report.keys.iter().filter(|key| !matches!(key.role, Role::Expired | Role::Revoked));
        let dates = || living().flat_map(|key| [key.activate_at, key.superseded_at, key.opens_until]).flatten();
        // No further than tokens live either way: in months, a handover of hours would not be seen.
        let lives = policy.max_token_lifetime.saturating_add(policy.late).saturating_add(2 * policy.skew);
        let reach = lives.saturating_add(policy.activation_delay);
        let past = dates().map(|at| now.since(at)).max().unwrap_or(0).min(reach);
        let ahead = dates().map(|at| at.since(now)).max().unwrap_or(0).min(reach).max(policy.activation_delay);
        let least = (past.saturating_add(ahead)).div_ceil(COLUMNS - 2).max(1);
        let step = STEPS.into_iter().find(|&step| step >= least).unwrap_or(least);
        let before = past.div_ceil(step).min(now.as_unix() / step);
        let start = Timestamp::from_unix(now.as_unix() - before * step);
        Self { start, now, step, before, columns: before + ahead.div_ceil(step) + 1 }
    }

    fn at(&self, column: u64) -> Timestamp {
        self.start.plus(column * self.step)
    }
}

/// Columns before the chart itself: a star and a key id.
const INDENT: usize = 11;

/// Most columns of a chart.
const COLUMNS: u64 = 60;

/// What a column may stand for, in seconds: what people count in.
const STEPS: [u64; 14] = [1, 5, 15, 60, 300, 900, 1_800, 3_600, 7_200, 14_400, 28_800, 43_200, 86_400, 604_800];

#[cfg(test)]
mod tests {
    use super::*;
    use waxseal::keys::{Ring, RingPolicy};

    const NOW: Timestamp = Timestamp::from_unix(1_786_000_000);

    fn ring() -> Ring {
        Ring::create(RingPolicy::default(), NOW).unwrap()
    }

    fn row(chart: &str, id: impl ToString) -> String {
        let id = id.to_string();
        chart.lines().find(|line| line.contains(&id)).unwrap().to_owned()
    }

    #[test]
    fn a_handover_is_seen() {
        let mut ring = ring();
        let old = ring.active(NOW).unwrap();
        ring.rotate(NOW).unwrap();
        let now = NOW.plus(86_400);
        let report = ring.report(now);
        let chart = chart(&report);
        let (old, new) = (row(&chart, old), row(&chart, report.active.unwrap()));
        assert!(old.contains("#=") && old.starts_with(' '), "{chart}");
        assert!(new.contains("=#") && new.starts_with('*'), "{chart}");
        assert!(chart.lines().all(|line| line.len() <= 79 && line.is_ascii()), "{chart}");
    }

    #[test]
    fn the_present_stands_under_its_mark() {
        let mut ring = ring();
        let old = ring.active(NOW).unwrap();
        ring.revoke(old, None, None, NOW.plus(1000)).unwrap();
        let report = ring.report(NOW.plus(1000));
        let chart = chart(&report);
        let column = chart.lines().next().unwrap().find('v').unwrap();
        assert_eq!(row(&chart, old).as_bytes()[column], b'x', "{chart}");
        assert_eq!(row(&chart, report.active.unwrap()).as_bytes()[column], b'#', "{chart}");
    }

    #[test]
    fn any_instant_can_be_drawn() {
        let mut ring = ring();
        ring.rotate(NOW).unwrap();
        for now in [0, 1, 1_786_000_000, 4_294_967_295, u64::MAX] {
            let chart = chart(&ring.report(Timestamp::from_unix(now)));
            assert!(chart.lines().count() == 6 && chart.len() < 1000, "{chart}");
        }
    }
}
