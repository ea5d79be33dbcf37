//! The answer of a verb, for people or for programs, to standard output.

use std::io::{self, Write};

use serde::Serialize;

use crate::error::{CliError, Exit};

/// What a verb has to say, for people and for programs.
#[derive(Debug)]
pub(crate) struct Answer {
    text: String,
    json: String,
    /// What is wrong all the same, to be told after the answer.
    problem: Option<CliError>,
}

impl Answer {
    pub(crate) fn new(text: String, json: &impl Serialize) -> Self {
        let json = serde_json::to_string(json).expect("strings, numbers and structs always serialize");
        Self { text, json, problem: None }
    }

    /// The same answer, followed by `problem` if there is one.
    pub(crate) fn but(mut self, problem: Option<CliError>) -> Self {
        self.problem = problem;
        self
    }

    /// Writes the answer to standard output. A reader that has gone away wants no more, and no error.
    pub(crate) fn print(self, json: bool) -> Result<(), CliError> {
        let shown = if json { &self.json } else { &self.text };
        let mut out = io::stdout().lock();
        let written = out.write_all(format!("{}\n", shown.trim_end()).as_bytes()).and_then(|()| out.flush());
        match (written, self.problem) {
            (Err(error), _) if error.kind() != io::ErrorKind::BrokenPipe => {
                let what = format!("cannot write to standard output: {error}");
                Err(CliError::new(Exit::Failed, "output", what).advise("check where it is sent"))
            }
            (_, Some(problem)) => Err(problem),
            _ => Ok(()),
        }
    }
}
