//! One input that a fuzz target begins with.

/// One input, and what the library says to it.
pub(super) struct Seed {
    pub(super) name: &'static str,
    pub(super) bytes: Vec<u8>,
    pub(super) answer: &'static str,
}

impl Seed {
    /// A seed whose answer is told elsewhere.
    pub(super) fn new(name: &'static str, bytes: Vec<u8>) -> Self {
        Self { name, bytes, answer: "" }
    }
}
