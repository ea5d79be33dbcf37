//! What a run of the simulator counts, and what it must come to.

/// What happened to tokens.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) minted: u64,
    pub(crate) opened: u64,
    /// Refused because their key or all sessions were ended, or after their expiry.
    pub(crate) ended: u64,
    /// Refused though nothing had ended them, and servers that could not seal.
    pub(crate) lost: Vec<String>,
    /// Rings that a server refused.
    pub(crate) refused_rings: Vec<String>,
}

impl Tally {
    /// Prints the counts and holds that nobody lost a session.
    pub(crate) fn nothing_lost(&self, what: &str) {
        self.show(what);
        assert!(self.minted > 100 && self.opened > self.minted, "the run was idle: {self:?}");
        assert!(self.lost.is_empty(), "{} lost, such as {:?}", self.lost.len(), &self.lost[..self.lost.len().min(5)]);
    }

    /// Prints the counts and holds that this run lost sessions, as it must without its guard.
    pub(crate) fn some_lost(&self, what: &str) {
        self.show(what);
        assert!(!self.lost.is_empty(), "nothing was lost, so the guard guards nothing");
    }

    #[allow(clippy::print_stdout, reason = "the counts are what a run is for")]
    fn show(&self, what: &str) {
        let Self { minted, opened, ended, lost, refused_rings } = self;
        let (lost, rings) = (lost.len(), refused_rings.len());
        println!("{what}: minted {minted}, opened {opened}, ended {ended}, lost {lost}; rings refused {rings}");
    }
}
