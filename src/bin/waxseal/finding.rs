//! One thing that a check found, and how to mend it.

use serde::Serialize;

#[derive(Serialize)]
pub(crate) struct Finding {
    pub(crate) severity: Severity,
    pub(crate) code: &'static str,
    pub(crate) what: String,
    pub(crate) advice: String,
}

impl Finding {
    pub(crate) fn line(&self) -> String {
        format!("{:7}  {}; {}\n", self.severity.as_str(), self.what, self.advice)
    }
}

pub(crate) fn error(code: &'static str, what: String, advice: &str) -> Finding {
    Finding { severity: Severity::Error, code, what, advice: advice.to_owned() }
}

pub(crate) fn warning(code: &'static str, what: String, advice: &str) -> Finding {
    Finding { severity: Severity::Warning, code, what, advice: advice.to_owned() }
}

pub(crate) fn note(code: &'static str, what: String, advice: &str) -> Finding {
    Finding { severity: Severity::Note, code, what, advice: advice.to_owned() }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Severity {
    Error,
    Warning,
    Note,
}

impl Severity {
    fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}
