//! Renewals over servers whose clocks differ: one session from its first token to its last.

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use waxseal::session::Reason;
use waxseal::time::{ManualClock, Timestamp};
use waxseal::{Carrier, Policy, Sealer, Token};

use super::testkit::NOW;
use super::testkit::reader::load_with;
use super::testkit::ring::{Ring, role};
use super::testkit::state::{EXAMPLE, Example};

/// The limits of all servers, in seconds.
const IDLE: u64 = 1000;
const ABSOLUTE: u64 = 5000;

/// A server with a clock of its own.
struct Node {
    clock: Arc<ManualClock>,
    offset: i64,
    header: Sealer<Example>,
    cookie: Sealer<Example>,
}

impl Node {
    fn new(offset: i64) -> Self {
        let clock = Arc::new(ManualClock::at(Timestamp::from_unix(NOW)));
        let ring = load_with(&Ring::single(role::active()).text(), Arc::clone(&clock));
        let policy =
            Policy::default().idle_limit(Duration::from_secs(IDLE)).absolute_limit(Duration::from_secs(ABSOLUTE));
        let header: Sealer<Example> = Sealer::builder(&ring, "session").policy(policy).build().unwrap();
        let cookie = header.carrier(Carrier::cookie("id").unwrap());
        Self { clock, offset, header, cookie }
    }

    fn set(&self, time: u64) -> u64 {
        let now = time.saturating_add_signed(self.offset);
        self.clock.set(Timestamp::from_unix(now));
        now
    }
}

#[derive(Clone, Copy, Debug)]
struct Step {
    wait: u64,
    node: usize,
    lifetime: u64,
    by_cookie: bool,
}

fn any_step() -> impl Strategy<Value = Step> {
    let wait = prop_oneof![Just(0), 1..10_u64, 0..=1200_u64];
    (wait, 0..4_usize, 1..=2000_u64, any::<bool>()).prop_map(|(wait, node, lifetime, by_cookie)| Step {
        wait,
        node,
        lifetime,
        by_cookie,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn a_chain_of_renewals_is_one_session_and_ends(
        offsets in prop::array::uniform4(-60..=60_i64),
        steps in prop::collection::vec(any_step(), 1..30),
    ) {
        let nodes = offsets.map(Node::new);
        let mut time = NOW;
        nodes[0].set(time);
        let first = nodes[0].header.start(&EXAMPLE).unwrap();
        let (id, start) = (first.id(), first.id().start().as_unix());
        let mut tokens: Vec<(Token, bool)> = vec![(first, false)];
        for step in steps {
            time += step.wait;
            // Every token so far is shown to every server.
            for node in &nodes {
                let now = node.set(time);
                for (token, by_cookie) in &tokens {
                    let (own, foreign) = if *by_cookie { (&node.cookie, &node.header) } else { (&node.header, &node.cookie) };
                    prop_assert_eq!(foreign.open(token).unwrap_err().reason().code(), "forged");
                    match own.open(token) {
                        Ok(session) => {
                            prop_assert_eq!((session.id(), session.start().as_unix()), (id, start));
                            prop_assert!(now < start + ABSOLUTE && now < session.issued_at().as_unix() + IDLE);
                            prop_assert!(now < session.expires_at().as_unix());
                            prop_assert_eq!(session.expires_at(), token.expires_at());
                        }
                        // With clocks that keep within the skew nothing else ends a session.
                        Err(error) => {
                            prop_assert!(matches!(error.reason(), Reason::Expired { .. }), "{:?}", error);
                            prop_assert!(now >= token.expires_at().as_unix());
                        }
                    }
                }
            }
            let node = &nodes[step.node];
            let now = node.set(time);
            let (token, came_by_cookie) = tokens.last().unwrap();
            let own = if *came_by_cookie { &node.cookie } else { &node.header };
            let Ok(session) = own.open(token) else { break };
            let target = if step.by_cookie { &node.cookie } else { &node.header };
            let scoped = target.with(&[]).ttl(Duration::from_secs(step.lifetime));
            let next = if step.by_cookie == *came_by_cookie { scoped.renew(&session) } else { scoped.transfer(&session) };
            // What opens here can be renewed here: there is always a second left.
            let next = next.unwrap();
            prop_assert_eq!(next.id(), id);
            prop_assert!(next.expires_at().as_unix() <= start + ABSOLUTE);
            let issued = now.max(session.issued_at().as_unix());
            prop_assert!(next.expires_at().as_unix() <= issued + IDLE.min(step.lifetime));
            tokens.push((next, step.by_cookie));
        }
    }
}
