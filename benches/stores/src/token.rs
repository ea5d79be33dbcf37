//! No store: the session is in the token.

use std::hint::black_box;
use std::thread;
use std::time::Duration;

use waxseal::{KeyRing, Sealer};

use crate::sessions::{Sample, Typical};
use crate::store::{Ids, Store, until};

pub(crate) struct Token {
    sealer: Sealer<Typical>,
    tokens: Vec<String>,
}

impl Token {
    pub(crate) fn new(ids: &Ids) -> Self {
        let ring = KeyRing::generate().expect("the operating system gives random bytes");
        let sealer = Sealer::new(&ring, "session").expect("the purpose is one");
        let seal = |_| sealer.start(&Typical::sample()).expect("the sample fits").into_string();
        let tokens = ids.all().iter().map(seal).collect();
        Self { sealer, tokens }
    }

    fn open(&self, id: usize) -> Typical {
        self.sealer.open(&self.tokens[id]).expect("our own token").into_state()
    }
}

impl Store for Token {
    fn name(&self) -> &'static str {
        "waxseal, no store"
    }

    fn read(&mut self, id: usize) -> Typical {
        self.open(id)
    }

    fn rate(&self, ids: &Ids, slice: Duration) -> f64 {
        let work = || until(slice, |turn| drop(black_box(self.open(ids.pick(turn)))));
        let opened: u64 = thread::scope(|scope| {
            let threads: Vec<_> = (0..2).map(|_| scope.spawn(work)).collect();
            threads.into_iter().map(|thread| thread.join().expect("it opens")).sum()
        });
        opened as f64 / slice.as_secs_f64()
    }

    fn memory(&self) -> u64 {
        0
    }

    fn carried(&self) -> usize {
        self.tokens[0].len()
    }
}
