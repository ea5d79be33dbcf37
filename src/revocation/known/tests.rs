//! What is known, against a model that looks at everything each time, and under many hands.

use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::collections::HashMap;
use std::thread;

use proptest::prelude::*;

use super::*;
use crate::keys::KeyRing;
use crate::revocation::secrets::Secrets;

const SKEW: u64 = 5;
const T: u64 = 1_786_000_000;

/// Filters that in no test's life take a session for revoked wrongly.
const SURE: Engine = Engine::Bloom { false_positives: 1e-12 };
const NEARLY_AS_SURE: Engine = Engine::Bloom { false_positives: 2e-12 };

fn names() -> Names {
    Secrets::of(&KeyRing::generate().unwrap().snapshot()).names
}

fn known() -> Known {
    Known::new(names(), SKEW)
}

fn time(seconds: u64) -> Timestamp {
    Timestamp::from_unix(seconds)
}

/// The `n`th session of those that start at `start`.
fn session(start: u64, n: u64) -> SessionId {
    let mut rnd = [0; 12];
    rnd[4..].copy_from_slice(&n.to_be_bytes());
    SessionId::new(start as u32, rnd)
}

fn entry(act: Act, at: u64) -> Entry {
    Entry { at: time(at), act, note: Note::default() }
}

fn revoke(id: SessionId, at: u64) -> Entry {
    entry(Act::Session(id), at)
}

fn cut(id: u8, scope: Scope, until: Timestamp) -> CutOff {
    CutOff { id: CutOffId([id; 8]), scope, until: until.as_unix() as u32, except: None }
}

/// What is known, looked through each time.
#[derive(Default)]
struct Model {
    sessions: HashMap<SessionId, u64>,
    cut_offs: HashMap<CutOffId, (CutOff, u64, u64)>,
    retracted: HashMap<CutOffId, u64>,
}

impl Model {
    fn add(&mut self, entry: &Entry, now: Timestamp) -> bool {
        let at = entry.at.as_unix();
        match entry.act {
            Act::Session(id) => {
                let at = at.next_multiple_of(4096);
                let known = self.sessions.get(&id).copied();
                self.sessions.insert(id, at.max(known.unwrap_or(0)));
                known.is_none()
            }
            Act::CutOff(cut) => {
                let known = self.cut_offs.get(&cut.id).copied();
                let (cut, known_at, arrived) = known.unwrap_or((cut, at, now.as_unix()));
                self.cut_offs.insert(cut.id, (cut, at.max(known_at), arrived));
                known.is_none()
            }
            Act::Retract(id) => {
                let known = self.retracted.get(&id).copied();
                self.retracted.insert(id, at.max(known.unwrap_or(0)));
                known.is_none()
            }
        }
    }

    fn forget(&mut self, dead: u64) {
        self.sessions.retain(|_, at| *at >= dead);
        self.cut_offs.retain(|_, (_, at, _)| *at >= dead);
        let cut_offs = &self.cut_offs;
        self.retracted.retain(|id, at| *at >= dead || cut_offs.contains_key(id));
    }

    fn applying(&self, scopes: &[Scope], now: u64) -> Vec<(u64, Option<SessionId>)> {
        let counts = |until: u64, arrived: u64| if until > now + SKEW { until.min(arrived) } else { until };
        let cut_offs = self.cut_offs.values();
        let live = cut_offs.filter(|(cut, ..)| !self.retracted.contains_key(&cut.id) && scopes.contains(&cut.scope));
        live.map(|(cut, _, arrived)| (counts(cut.until.into(), *arrived), cut.except)).collect()
    }

    fn covers(&self, scopes: &[Scope], id: SessionId, now: u64) -> bool {
        let start = id.start().as_unix();
        self.applying(scopes, now).iter().any(|(until, except)| start <= *until && *except != Some(id))
    }

    fn check(&self, known: &Known, now: u64) {
        let names = known.view.load().slices.names().clone();
        for owner in owners() {
            let scopes = scopes(&names, owner);
            for (start, n) in (0..STARTS).flat_map(|start| [(start, 0), (start, 1)]) {
                let id = session(T + start, n);
                let gone = self.sessions.contains_key(&id) || self.covers(&[Scope::Everyone], id, now);
                assert_eq!(known.is_session_revoked(id, time(now)), gone, "{id} at {now}");
                assert_eq!(
                    known.is_owner_revoked(owner, id, time(now)),
                    self.covers(&scopes, id, now),
                    "{id} at {now}"
                );
                assert_eq!(known.is_taken(id), self.sessions.contains_key(&id));
            }
            let all = self.applying(&[&[Scope::Everyone], &scopes[..]].concat(), now);
            let greatest = all.iter().map(|(until, _)| time(*until)).max();
            assert_eq!(known.cut_off(owner, time(now)), greatest, "{owner:?} at {now}");
        }
        self.check_what_is_handed_on(known);
    }

    fn check_what_is_handed_on(&self, known: &Known) {
        let mut sessions = HashMap::new();
        known.for_each_session(|id, at| assert!(sessions.insert(id, at.as_unix()).is_none()));
        assert_eq!(sessions, self.sessions);
        let cut_offs: HashMap<_, _> = known.cut_offs().into_iter().map(|(cut, ..)| (cut.id, cut)).collect();
        assert_eq!(cut_offs, self.cut_offs.iter().map(|(id, (cut, ..))| (*id, *cut)).collect());
        let retracted = known.retractions();
        assert!(retracted.iter().all(|(id, _)| self.retracted.contains_key(id)));
        assert_eq!(retracted.len(), self.retracted.len());
        let stats = known.stats();
        assert_eq!(
            (stats.sessions, stats.cut_offs, stats.retractions),
            (sessions.len(), cut_offs.len(), retracted.len())
        );
    }
}

/// Starts of the sessions in the model's world, in two slices.
const STARTS: u64 = 16;

fn owners() -> [Owner<'static>; 6] {
    let owner = |subject, tenant| Owner { subject, tenant };
    [
        owner(None, None),
        owner(Some("ada"), None),
        owner(None, Some("acme")),
        owner(Some("ada"), Some("acme")),
        owner(Some("bob"), Some("acme")),
        owner(Some("acme"), Some("ada")),
    ]
}

fn scopes(names: &Names, owner: Owner<'_>) -> Vec<Scope> {
    let subject = owner.subject.map(|subject| Scope::Subject(names.subject(subject)));
    let tenant = owner.tenant.map(|tenant| Scope::Tenant(names.tenant(tenant)));
    subject.into_iter().chain(tenant).collect()
}

#[derive(Clone, Debug)]
enum Step {
    Add(Vec<(What, u64)>),
    Engine(Engine),
    Forget(u64),
    Rekey,
    Wait(i64),
}

#[derive(Clone, Debug)]
enum What {
    CutOff { id: u8, scope: u8, until: u64, except: Option<(u64, u64)> },
    Retract(u8),
    Session(u64, u64),
}

fn any_what() -> impl Strategy<Value = What> {
    let except = prop::option::of((0..STARTS, 0..2_u64));
    prop_oneof![
        (0..40_u8, 0..4_u8, 0..30_u64, except).prop_map(|(id, scope, until, except)| What::CutOff {
            id,
            scope,
            until,
            except
        }),
        (0..40_u8).prop_map(What::Retract),
        (0..STARTS, 0..2_u64).prop_map(|(start, n)| What::Session(start, n)),
    ]
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => prop::collection::vec((any_what(), 0..5_u64), 1..6).prop_map(Step::Add),
        1 => prop_oneof![Just(Engine::Exact), Just(SURE), Just(NEARLY_AS_SURE)].prop_map(Step::Engine),
        1 => (0..6_u64).prop_map(Step::Forget),
        1 => Just(Step::Rekey),
        3 => (-3..6_i64).prop_map(Step::Wait),
    ]
}

/// An instant of decision, one in each unit.
fn decided(unit: u64) -> u64 {
    T + unit * 4096
}

impl What {
    fn entry(&self, names: &Names, at: u64) -> Entry {
        let act = match *self {
            Self::CutOff { id, scope, until, except } => {
                let scope = match scope {
                    0 => Scope::Everyone,
                    1 => Scope::Subject(names.subject("ada")),
                    2 => Scope::Subject(names.subject("bob")),
                    _ => Scope::Tenant(names.tenant("acme")),
                };
                let except = except.map(|(start, n)| session(T + start, n));
                Act::CutOff(CutOff { except, ..cut(id, scope, time(T + until)) })
            }
            Self::Retract(id) => Act::Retract(CutOffId([id; 8])),
            Self::Session(start, n) => Act::Session(session(T + start, n)),
        };
        entry(act, decided(at))
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn it_answers_as_the_model_does(steps in prop::collection::vec(any_step(), 1..25)) {
        let (mut names, known, mut model, mut now) = (names(), known(), Model::default(), T + 8);
        known.rekey(names.clone());
        for step in steps {
            match step {
                Step::Add(all) => {
                    let entries: Vec<_> = all.iter().map(|(what, at)| what.entry(&names, *at)).collect();
                    let news = entries.iter().filter(|entry| model.add(entry, time(now))).count();
                    prop_assert_eq!(known.add_all(&entries, time(now)), news);
                }
                Step::Engine(engine) => known.set_engine(engine),
                Step::Forget(unit) => {
                    known.forget(time(decided(unit)));
                    model.forget(decided(unit));
                }
                Step::Rekey => {
                    names = self::names();
                    known.rekey(names.clone());
                }
                Step::Wait(seconds) => now = now.saturating_add_signed(seconds),
            }
            model.check(&known, now);
        }
    }

    #[test]
    fn what_is_handed_on_is_the_same_elsewhere(all in prop::collection::vec((any_what(), 0..5_u64), 1..40)) {
        let (names, here) = (names(), known());
        here.rekey(names.clone());
        here.add_all(all.iter().map(|(what, at)| what.entry(&names, *at)), time(T));
        let (there, mut handed) = (Known::new(names, SKEW), vec![]);
        here.entries(&mut |entry| handed.push(entry));
        there.add_all(&handed, time(T));
        for unit in 0..6 {
            let (mut ours, mut theirs) = (vec![], vec![]);
            here.entries(&mut |entry| ours.push(format!("{entry:?}")));
            there.entries(&mut |entry| theirs.push(format!("{entry:?}")));
            ours.sort();
            theirs.sort();
            prop_assert_eq!(ours, theirs);
            here.forget(time(decided(unit)));
            there.forget(time(decided(unit)));
        }
        prop_assert_eq!(here.stats().sessions + here.stats().cut_offs + here.stats().retractions, 0);
    }
}

/// Everything happens in one second: login, cut-off, login, cut-off. Each cut-off ends all sessions before it, whatever
/// the scopes of the two.
#[test]
fn the_second_cut_off_of_a_second_covers_the_login_in_between() {
    let owner = Owner { subject: Some("ada"), tenant: Some("acme") };
    for (first, second) in (0..3).flat_map(|first| (0..3).map(move |second| (first, second))) {
        let (names, known) = (names(), known());
        known.rekey(names.clone());
        let scope = |n: usize| [&[Scope::Everyone], &scopes(&names, owner)[..]].concat()[n];
        let login = |n| {
            let start = known.cut_off(owner, time(T)).map_or(time(T), |known| known.plus(1).max(time(T)));
            session(start.as_unix(), n)
        };
        let is_over = |id| known.is_session_revoked(id, time(T)) || known.is_owner_revoked(owner, id, time(T));
        let mut sessions = vec![];
        for (n, scope) in [scope(first), scope(second), scope(first)].into_iter().enumerate() {
            sessions.push(login(n as u64));
            assert!(!is_over(sessions[n]), "{scope:?}");
            let until = known.least_cut_off(scope, time(T));
            assert!(known.add(&entry(Act::CutOff(cut(n as u8, scope, until)), T), time(T)));
            assert!(sessions.iter().all(|id| is_over(*id)), "{first} {second} {n}");
        }
        assert!(!is_over(login(9)));
    }
}

#[test]
fn the_greatest_cut_off_counts_whatever_the_scopes_and_their_order() {
    let owner = Owner { subject: Some("ada"), tenant: Some("acme") };
    let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    let untils = [[1, 2, 3], [1, 3, 2], [2, 1, 3], [2, 3, 1], [3, 1, 2], [3, 2, 1]];
    let cases = orders.iter().flat_map(|order| untils.iter().map(move |until| (order, until)));
    for (which, (order, until)) in (0..8).flat_map(|which| cases.clone().map(move |case| (which, case))) {
        let (names, known) = (names(), known());
        known.rekey(names.clone());
        let scopes = [&[Scope::Everyone], &scopes(&names, owner)[..]].concat();
        let chosen: Vec<_> = order.iter().copied().filter(|n| which >> n & 1 == 1).collect();
        for &n in &chosen {
            known.add(&entry(Act::CutOff(cut(n as u8, scopes[n], time(T + until[n]))), T), time(T + 4));
        }
        let greatest = chosen.iter().map(|n| T + until[*n]).max();
        assert_eq!(known.cut_off(owner, time(T + 4)), greatest.map(time));
        for start in T..T + 5 {
            let id = session(start, 1);
            let over = known.is_session_revoked(id, time(T + 4)) || known.is_owner_revoked(owner, id, time(T + 4));
            assert_eq!(over, greatest.is_some_and(|until| start <= until));
        }
    }
}

#[test]
fn the_spared_session_goes_on_until_another_cut_off() {
    let known = known();
    let (mine, other) = (session(T, 1), session(T, 2));
    let spare = |id, until, except| CutOff { except: Some(except), ..cut(id, Scope::Everyone, time(until)) };
    let over = |id| known.is_session_revoked(id, time(T + 9));
    for (id, until) in [(1, T), (2, T + 5), (3, T + 3)] {
        known.add(&entry(Act::CutOff(spare(id, until, mine)), T), time(T + 9));
        assert!(!over(mine) && over(other));
    }
    assert_eq!(known.cut_off(Owner::default(), time(T + 9)), Some(time(T + 5)));
    known.add(&entry(Act::CutOff(spare(4, T + 1, other)), T), time(T + 9));
    assert!(over(mine) && over(other));
    known.add(&entry(Act::Retract(CutOffId([4; 8])), T), time(T + 9));
    assert!(!over(mine) && over(other));
}

#[test]
fn a_cut_off_far_ahead_counts_as_of_its_arrival_and_raises_an_alarm() {
    let known = known();
    let far = cut(1, Scope::Everyone, time(T + 86_400));
    known.add(&entry(Act::CutOff(far), T), time(T));
    assert!(known.is_session_revoked(session(T, 1), time(T)));
    assert!(!known.is_session_revoked(session(T + 1, 1), time(T + 1)));
    assert_eq!(known.cut_off(Owner::default(), time(T)), Some(time(T)));
    assert_eq!(known.ahead(time(T)), [far]);
    assert_eq!(known.ahead(time(T + 86_400 - SKEW)), []);
    // It was this clock that was behind.
    assert!(known.is_session_revoked(session(T + 1, 1), time(T + 86_400)));
    known.add(&entry(Act::Retract(far.id), T), time(T));
    assert_eq!(known.ahead(time(T)), []);
}

#[test]
fn many_cut_offs_of_one_scope_are_few_to_look_at() {
    let known = known();
    let spare = |n: u64| n.is_multiple_of(3).then(|| session(T, n));
    for n in 0..2000_u64 {
        let id = CutOffId(n.to_be_bytes());
        let now = T + n / 20;
        let cut = CutOff { id, except: spare(n), ..cut(0, Scope::Everyone, time(now + n % 20)) };
        known.add(&entry(Act::CutOff(cut), now), time(now));
    }
    assert!(known.view.load().cut_offs.everyone.len() < 64);
}

#[test]
fn a_clock_a_year_ahead_does_not_make_cut_offs_dear() {
    let known = known();
    for n in 0..2000_u64 {
        let (id, scope) = (CutOffId(n.to_be_bytes()), Scope::Subject([n as u8; 16]));
        let far = CutOff { id, ..cut(0, scope, time(T + 31_536_000 + n)) };
        known.add(&entry(Act::CutOff(far), T), time(T + n));
    }
    let now = T + 2000;
    let near = CutOff { id: CutOffId([255; 8]), ..cut(0, Scope::Subject([7; 16]), time(now + 1)) };
    known.add(&entry(Act::CutOff(near), T), time(now));
    assert!(known.view.load().cut_offs.subjects.ever.len() <= 256);
    assert_eq!(known.least_cut_off(Scope::Everyone, time(now)), time(now + 2));
    assert_eq!(known.ahead(time(now)).len(), 2000);
}

#[test]
fn an_empty_slice_vanishes_and_a_thin_one_shrinks() {
    let known = known();
    known.add_all((0..1000).map(|n| revoke(session(T, n), T)), time(T));
    known.add_all((0..10).map(|n| revoke(session(T, 2000 + n), T + 8192)), time(T));
    known.add(&revoke(session(T - 8192, 0), T), time(T));
    let full = known.stats();
    assert_eq!((full.sessions, full.slices, full.fullest_slice), (1011, 2, 1010));
    known.forget(time(T + 8192));
    let thin = known.stats();
    assert_eq!((thin.sessions, thin.slices), (10, 1));
    assert!(thin.bytes * 20 < full.bytes, "{} of {}", thin.bytes, full.bytes);
    let view = known.view.load_full();
    known.forget(time(T + 8192));
    assert!(std::sync::Arc::ptr_eq(&view, &known.view.load_full()), "nothing was dead");
}

/// What one thread has revoked, every thread sees, while the tables grow beneath them.
#[test]
fn nothing_revoked_is_missed_by_any_thread() {
    on_many_threads(|_| ());
}

/// The engine is changed all the while.
#[test]
fn nothing_revoked_is_missed_while_the_engine_changes() {
    let turn = AtomicUsize::new(0);
    on_many_threads(|known| known.set_engine([SURE, Engine::Exact][turn.fetch_add(1, Ordering::Relaxed) % 2]));
}

/// Eight revoke and eight ask; whoever revokes does `also` now and then.
fn on_many_threads(also: impl Fn(&Known) + Sync) {
    const EACH: u64 = 1500;
    let known = known();
    let done: Vec<_> = (0..8).map(|_| AtomicUsize::new(0)).collect();
    let is_over = AtomicBool::new(false);
    let id = |writer: u64, n: u64| session(T + n % 3 * 4096, writer << 32 | n);
    thread::scope(|scope| {
        let writers: Vec<_> = (0..8)
            .map(|writer| {
                let (known, done, also) = (&known, &done, &also);
                scope.spawn(move || {
                    for n in 0..EACH {
                        assert!(known.add(&revoke(id(writer, n), T), time(T)));
                        done[writer as usize].store(n as usize + 1, Ordering::Release);
                        if n.is_multiple_of(300) {
                            known.forget(time(T - 4096));
                            also(known);
                        }
                    }
                })
            })
            .collect();
        for reader in 0..8 {
            let (known, done, is_over) = (&known, &done, &is_over);
            scope.spawn(move || {
                let mut n: u64 = reader;
                while !is_over.load(Ordering::Acquire) {
                    n = n.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    let writer = n >> 61;
                    let count = done[writer as usize].load(Ordering::Acquire) as u64;
                    if count > 0 {
                        assert!(known.is_session_revoked(id(writer, count - 1), time(T)));
                        assert!(known.is_session_revoked(id(writer, (n >> 20) % count), time(T)));
                    }
                    assert!(!known.is_session_revoked(id(writer, EACH + n % EACH), time(T)));
                }
            });
        }
        let ends: Vec<_> = writers.into_iter().map(|writer| writer.join()).collect();
        is_over.store(true, Ordering::Release);
        assert!(ends.iter().all(Result::is_ok));
    });
    assert_eq!(known.stats().sessions as u64, 8 * EACH);
}

#[test]
fn an_engine_answers_as_the_other_for_what_is_revoked() {
    let known = known();
    let id = |n: u64| session(T + n % 4096, n);
    known.add_all((0..5000).map(|n| revoke(id(n), T + n % 2 * 8192)), time(T));
    let exact = known.stats();
    assert_eq!((exact.fill, exact.false_positives), (0.0, 0.0));
    let all = |range: core::ops::Range<u64>| range.filter(|n| known.is_session_revoked(id(*n), time(T))).count();
    known.set_engine(Engine::Bloom { false_positives: 0.05 });
    known.add_all((5000..20_000).map(|n| revoke(id(n), T + 8192)), time(T));
    assert_eq!(known.add_all((0..20_000).map(|n| revoke(id(n), T)), time(T)), 0, "all were known");
    assert_eq!((all(0..20_000), known.stats().sessions), (20_000, 20_000));
    let stats = known.stats();
    assert!((0.3..0.5).contains(&stats.fill) && (0.005..0.05).contains(&stats.false_positives), "{stats:?}");
    let wrongly = all(20_000..60_000);
    assert!((1..2000).contains(&wrongly), "{wrongly}");
    assert!((20_000..60_000).any(|n| known.is_taken(id(n))), "such an id is drawn again");

    known.forget(time(T + 8192));
    assert_eq!((known.stats().sessions, all(5000..20_000)), (17_500, 15_000));
    known.set_engine(Engine::Exact);
    assert_eq!((all(0..60_000), known.stats().false_positives), (17_500, 0.0));
}

#[test]
#[ignore = "takes a gigabyte; run in release"]
#[expect(clippy::print_stdout, reason = "a measurement, for whoever runs it")]
fn ten_million_sessions_are_loaded() {
    let known = known();
    let id = |n: u64| session(T + n * 7919 % 2_592_000, n);
    let begun = std::time::Instant::now();
    assert_eq!(known.add_all((0..10_000_000).map(|n| revoke(id(n), T)), time(T)), 10_000_000);
    println!("{:?} to load, {:?}", begun.elapsed(), known.stats());
    let begun = std::time::Instant::now();
    assert!((0..10_000_000).all(|n| known.is_session_revoked(id(n), time(T))));
    println!("{:?} to ask for each", begun.elapsed());
    assert!((0..10_000_000).all(|n| !known.is_session_revoked(id(n + 10_000_000), time(T))));
}
