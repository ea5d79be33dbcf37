//! A year of a large service, on a clock that is moved: what both engines take, and how often a filter errs.
//!
//! 100 million sessions live, each for 30 days, and a million a day are revoked, drawn from all of them; on one day five
//! millions more. The living need not be held: fresh ids stand for them, drawn as theirs are, and are opened with the list
//! as anybody's token is. Slices of starts have nothing to do with each other, so that one in ten is enough: with all that
//! falls into it, and memory ten times as much.

use std::error::Error;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use waxseal::keys::{Ring, RingFile, RingPolicy};
use waxseal::revocation::Engine;
use waxseal::time::{ManualClock, Timestamp};
use waxseal::{KeyRing, Policy, Revocations, Sealer, SessionState};

use crate::harness::{Draw, Plan};
use crate::world::{end, list, now, ring_at};

/// The end of one day.
pub(crate) struct Day {
    pub(crate) day: u64,
    pub(crate) revoked: usize,
    pub(crate) sessions: usize,
    pub(crate) bytes: usize,
    /// The rate of the slice that errs most, as its bits stand.
    pub(crate) worst: f64,
    /// Living sessions that were asked for, and how many looked revoked.
    pub(crate) asked: usize,
    pub(crate) wrong: usize,
    /// The same of sessions that begin: their ids would be drawn again.
    pub(crate) begun: usize,
    pub(crate) redrawn: usize,
}

/// One engine through the year.
pub(crate) struct Year {
    pub(crate) engine: &'static str,
    pub(crate) days: Vec<Day>,
}

/// A filter as one would have it, and one that errs so often that a sample can show it.
const YEARS: [(&str, Engine); 3] = [
    ("exact", Engine::Exact),
    ("bloom, 1e-9", Engine::Bloom { false_positives: 1e-9 }),
    ("bloom, 1e-4", Engine::Bloom { false_positives: 1e-4 }),
];

pub(crate) fn simulate(plan: &Plan) -> Result<Vec<Year>, Box<dyn Error>> {
    thread::scope(|scope| {
        let years = YEARS.map(|(name, engine)| scope.spawn(move || year(*plan, name, engine)));
        years.into_iter().map(|year| Ok(year.join().expect("a year does not panic")?)).collect()
    })
}

/// A service and its sessions.
struct Service {
    clock: Arc<ManualClock>,
    list: Revocations,
    /// Mints what stands for a living session, without a list, so that nothing is drawn again.
    mints: Sealer<Nobody>,
    asks: Sealer<Nobody>,
    draw: Draw,
    now: u64,
    /// Of so many slices one is there.
    one_in: u64,
}

/// Only ids matter here.
#[derive(Serialize, Deserialize)]
struct Nobody;

impl SessionState for Nobody {}

fn year(plan: Plan, engine: &'static str, choice: Engine) -> Result<Year, String> {
    let mut service = Service::new(choice, plan.one_in).map_err(|error| error.to_string())?;
    let days = (1..=plan.days).map(|day| service.day(&plan, day)).collect();
    Ok(Year { engine, days })
}

impl Service {
    fn new(engine: Engine, one_in: u64) -> Result<Self, Box<dyn Error>> {
        let now = now();
        let (ring, clock) = ring_at(now);
        let list = list(&ring, engine);
        // Tokens of another ring, whose tokens live as long as sessions do: one need not be renewed to be a month old.
        let long = long_ring(now, &clock)?;
        let policy = Policy::default().absolute_limit(Duration::from_secs(LIFE + DAY));
        let sealer = || Sealer::builder(&long, "session").policy(policy.clone());
        let (mints, asks) = (sealer().build()?, sealer().revocations(&list).build()?);
        Ok(Self { clock, list, mints, asks, draw: Draw(11), now, one_in })
    }

    fn day(&mut self, plan: &Plan, day: u64) -> Day {
        let peak = if day == plan.days / 2 { PEAK } else { 0 };
        let (whole, revoked) = (A_DAY + peak, (A_DAY + peak) / self.one_in as usize);
        for step in 0..STEPS {
            self.now += DAY / STEPS;
            self.clock.advance(DAY / STEPS);
            for _ in 0..revoked * (step as usize + 1) / STEPS as usize - revoked * step as usize / STEPS as usize {
                let start = self.start();
                end(&self.list, self.draw.session(start));
            }
            self.list.sync().expect("it is in memory");
        }
        let begun = plan.samples / 5;
        let wrong = (0..plan.samples).filter(|_| self.looks_revoked(|service| service.start())).count();
        let redrawn = (0..begun).filter(|_| self.looks_revoked(|service| service.youngest())).count();
        let status = self.list.status();
        Day {
            day,
            revoked: whole,
            sessions: status.sessions * self.one_in as usize,
            bytes: status.bytes * self.one_in as usize,
            worst: status.false_positives,
            asked: plan.samples,
            wrong,
            begun,
            redrawn,
        }
    }

    /// When a session began that lives, in a slice that is there.
    fn start(&mut self) -> u64 {
        loop {
            let start = self.now - self.draw.below(LIFE);
            if (start / SLICE).is_multiple_of(self.one_in) {
                return start;
            }
        }
    }

    /// The last second of the youngest slice that is there. It knows more than one that has just begun.
    fn youngest(&self) -> u64 {
        let number = self.now / SLICE;
        (number - number % self.one_in + 1) * SLICE - 1
    }

    /// Whether a session looks revoked that is not.
    fn looks_revoked(&mut self, start: impl Fn(&mut Self) -> u64) -> bool {
        let start = Timestamp::from_unix(start(self).min(self.now));
        let token = self.mints.with(&[]).at(start).start(&Nobody).expect("it fits");
        self.asks.open(&token).is_err()
    }
}

fn long_ring(now: u64, clock: &Arc<ManualClock>) -> Result<KeyRing, Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let file = RingFile::at(folder.path().join("ring.json"));
    let created = Timestamp::from_unix(now - LIFE - DAY);
    let mut policy = RingPolicy::default();
    policy.max_token_lifetime = LIFE + DAY;
    file.create(&Ring::create(policy, created)?, created)?;
    Ok(KeyRing::options().clock(Arc::clone(clock)).load(file.path())?)
}

/// Sessions that live.
pub(crate) const LIVE: f64 = 100e6;
/// Logins in a day: as many as end.
pub(crate) const LOGINS: f64 = LIVE / 30.0;
const A_DAY: usize = 1_000_000;
const PEAK: usize = 5_000_000;
const DAY: u64 = 86_400;
/// Seconds of starts that a list keeps together.
const SLICE: u64 = 4_096;
/// How long a session lives, seconds.
const LIFE: u64 = 30 * DAY;
/// How often in a day something is forgotten. Servers do it every few seconds; here it would take most of the time.
const STEPS: u64 = 2;
