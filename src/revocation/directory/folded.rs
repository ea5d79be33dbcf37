//! A journal written anew says each thing once.

use std::collections::HashMap;
use std::collections::hash_map::Entry::{Occupied, Vacant};

use super::line::Line;
use super::writer_id::WriterId;
use crate::revocation::entry::Act;

/// Each thing once: the same entries come from every journal that is carried on, and of what a writer said of how far it had
/// read another only the last counts.
pub(crate) fn folded(lines: Vec<Line>) -> Vec<Line> {
    let mut folded: Vec<Line> = vec![];
    let mut places = HashMap::new();
    for line in lines {
        let Some(key) = Key::of(&line) else { continue };
        match places.entry(key) {
            Vacant(place) => {
                place.insert(folded.len());
                folded.push(line);
            }
            Occupied(place) => later(&mut folded[*place.get()], line),
        }
    }
    folded
}

/// What is said once.
#[derive(PartialEq, Eq, Hash)]
enum Key {
    Act(Act),
    Carried(WriterId),
    Read(WriterId),
}

impl Key {
    fn of(line: &Line) -> Option<Self> {
        match line {
            Line::Beat { read, .. } => read.map(|place| Self::Read(place.writer)),
            Line::Carried { of, .. } => Some(Self::Carried(of.writer)),
            Line::Entry(entry) => Some(Self::Act(entry.act)),
            Line::Closed | Line::Passed => None,
        }
    }
}

/// Makes of two lines that say the same the one that counts longer and reaches further.
fn later(line: &mut Line, other: Line) {
    match (line, other) {
        (Line::Beat { at, read: Some(place) }, Line::Beat { at: new, read: Some(other) })
        | (Line::Carried { at, of: place }, Line::Carried { at: new, of: other }) => {
            (*at, place.seq) = (new.max(*at), other.seq.max(place.seq));
        }
        (Line::Entry(entry), Line::Entry(other)) => entry.at = entry.at.max(other.at),
        _ => {}
    }
}
