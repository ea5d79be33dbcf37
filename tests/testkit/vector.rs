//! The JSON of a vector: what is in a file of tests/vectors, and what may be. See the README there.

use serde::{Deserialize, Serialize};

use super::reader::Reader;

/// One case: a token and the answer a reader must give.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Open {
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) comment: String,
    /// `open`, or the code of FORMAT.md, "Opening".
    pub(crate) expect: String,
    pub(crate) now: u64,
    /// The text of the ring file.
    pub(crate) ring: String,
    pub(crate) reader: Reader,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) token: Option<String>,
    /// Instead of `token`, where that is no Unicode.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) token_hex: Option<String>,
    #[serde(flatten)]
    pub(crate) opened: Option<Opened>,
}

/// What a token says once it is open.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Opened {
    pub(crate) session_id: String,
    pub(crate) issued_at: u64,
    pub(crate) expires_at: u64,
    pub(crate) key_id: String,
    pub(crate) schema: u16,
    pub(crate) body: String,
}

/// One case: what a writer is given and the token it must make of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Mint {
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) comment: String,
    pub(crate) expect: String,
    pub(crate) now: u64,
    pub(crate) ring: String,
    pub(crate) writer: Reader,
    /// Pad to a multiple of 16, 32 or 64.
    pub(crate) padding: Option<usize>,
    /// The lifetime asked for.
    pub(crate) lifetime: u64,
    pub(crate) schema: u16,
    pub(crate) body: String,
    pub(crate) renews: Option<Renews>,
    pub(crate) r: String,
    pub(crate) draw: u64,
    pub(crate) token: String,
    /// What the token says, opened by a reader configured like the writer.
    pub(crate) opened: Opened,
}

/// The session that a token is minted for, if it is not a new one.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Renews {
    pub(crate) token: String,
    pub(crate) carrier: String,
    pub(crate) session_id: String,
    pub(crate) issued_at: u64,
}

/// One case: a file and whether it is a ring.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) comment: String,
    /// `load` or `refused`.
    pub(crate) expect: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) file: Option<String>,
    /// Instead of `file`, where that is no Unicode.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) file_hex: Option<String>,
}

pub(crate) enum Vector {
    File(File),
    Mint(Box<Mint>),
    Open(Box<Open>),
}

/// The codes of FORMAT.md, "Opening", in the order of its steps; all but `unknown_revocation`, since a vector has no list.
pub(crate) const CODES: [&str; 17] = [
    "prefix",
    "length",
    "text",
    "mode",
    "unknown_key",
    "revoked_key",
    "expired_key",
    "forged",
    "disabled_key",
    "claims",
    "not_yet_valid",
    "retired_key",
    "expired",
    "revoked",
    "newer_schema",
    "unknown_schema",
    "body",
];

impl Vector {
    /// Reads the text of a vector file.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let value: serde_json::Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let kind = value.get("kind").and_then(|kind| kind.as_str()).ok_or("no kind")?.to_owned();
        let vector = match &*kind {
            "mint" => serde_json::from_value(value).map(|mint| Self::Mint(Box::new(mint))),
            "open" => serde_json::from_value(value).map(|open| Self::Open(Box::new(open))),
            "ring" => serde_json::from_value(value).map(Self::File),
            other => return Err(format!("unknown kind {other}")),
        };
        let vector = vector.map_err(|error| error.to_string())?;
        vector.check()?;
        if vector.text() == text { Ok(vector) } else { Err("unknown, doubled or misplaced members".into()) }
    }

    fn check(&self) -> Result<(), String> {
        let good = match self {
            Self::File(file) => {
                ["load", "refused"].contains(&&*file.expect) && file.file.is_some() != file.file_hex.is_some()
            }
            Self::Mint(mint) => mint.expect == "token",
            Self::Open(open) => {
                let known = open.expect == "open" || CODES.contains(&&*open.expect);
                let claims = (open.expect == "open") == open.opened.is_some();
                known && claims && open.token.is_some() != open.token_hex.is_some()
            }
        };
        if good { Ok(()) } else { Err(format!("expect `{}` is unknown or lacks what it needs", self.expect())) }
    }

    pub(crate) fn expect(&self) -> &str {
        match self {
            Self::File(file) => &file.expect,
            Self::Mint(mint) => &mint.expect,
            Self::Open(open) => &open.expect,
        }
    }

    pub(crate) fn name(&self) -> &str {
        match self {
            Self::File(file) => &file.name,
            Self::Mint(mint) => &mint.name,
            Self::Open(open) => &open.name,
        }
    }

    pub(crate) fn is_negative(&self) -> bool {
        !["load", "open", "token"].contains(&self.expect())
    }

    /// The text of the file.
    pub(crate) fn text(&self) -> String {
        let text = match self {
            Self::File(file) => serde_json::to_string_pretty(file),
            Self::Mint(mint) => serde_json::to_string_pretty(mint),
            Self::Open(open) => serde_json::to_string_pretty(open),
        };
        text.unwrap() + "\n"
    }
}
