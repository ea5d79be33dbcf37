//! A ring file out of explicit members, each of which may be wrong or missing. FORMAT.md, "Ring file".

use std::path::PathBuf;

use super::key::{Key, sha256};
use super::{encode, hex};

/// A JSON object as written: names and values in order, values as JSON text.
#[derive(Clone, Debug)]
pub(crate) struct Object(pub(crate) Vec<(String, String)>);

impl Object {
    fn of(members: &[(&str, &str)]) -> Self {
        Self(members.iter().map(|&(name, value)| (name.into(), value.into())).collect())
    }

    /// Sets the value of a member that is there.
    pub(crate) fn set(&mut self, name: &str, value: impl ToString) {
        let member = self.0.iter_mut().find(|(known, _)| known == name);
        member.unwrap_or_else(|| panic!("no member {name}")).1 = value.to_string();
    }

    pub(crate) fn add(&mut self, name: &str, value: impl ToString) {
        self.0.push((name.into(), value.to_string()));
    }

    pub(crate) fn remove(&mut self, name: &str) {
        let before = self.0.len();
        self.0.retain(|(known, _)| known != name);
        assert_eq!(self.0.len(), before - 1, "no member {name}");
    }

    pub(crate) fn get(&self, name: &str) -> &str {
        &self.0.iter().find(|(known, _)| known == name).unwrap().1
    }

    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        self.get(name).parse().ok()
    }

    fn members(&self) -> String {
        let members: Vec<_> = self.0.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
        members.join(",")
    }

    pub(crate) fn text(&self) -> String {
        format!("{{{}}}", self.members())
    }
}

/// A ring file in the making.
#[derive(Clone, Debug)]
pub(crate) struct Ring {
    /// Every member before `policy`, `keys` and `revocation_secrets`, and any that should not be there.
    pub(crate) top: Object,
    pub(crate) policy: Object,
    pub(crate) keys: Vec<Object>,
    pub(crate) scope: String,
    pub(crate) mac: Vec<Object>,
}

/// The keys of [`Ring::example`], by role at [`NOW`](super::NOW).
pub(crate) mod role {
    use super::Key;
    pub(crate) fn revoked() -> Key {
        Key::test(1)
    }
    pub(crate) fn retiring() -> Key {
        Key::test(2)
    }
    pub(crate) fn active() -> Key {
        Key::test(3)
    }
    pub(crate) fn staged() -> Key {
        Key::test(4)
    }
}

impl Ring {
    /// FORMAT.md's Example 11 with keys that a loader takes.
    pub(crate) fn example() -> Self {
        Self {
            top: Object::of(&[
                ("format", "1"),
                ("ring_id", "\"6b1f0c9d2e8a4475b3d0917c5ae8f264\""),
                ("generation", "1785992800"),
                ("not_before", "0"),
                ("stale_ok_until", "0"),
            ]),
            policy: Object::of(&[
                ("max_token_lifetime", "86400"),
                ("skew", "60"),
                ("refresh", "15"),
                ("distribution", "600"),
                ("late", "86400"),
                ("activation_delay", "3600"),
                ("rotate_every", "2592000"),
            ]),
            keys: vec![
                tombstone(role::revoked(), "1780812400"),
                entry(role::retiring(), "1783404400"),
                entry(role::active(), "1785996400"),
                entry(role::staged(), "null"),
            ],
            scope: secret(Key::test(101)),
            mac: vec![mac("current", Key::test(102)), mac("verify_only", Key::test(103))],
        }
    }

    /// A ring of one key, active since long ago.
    pub(crate) fn single(key: Key) -> Self {
        Self { keys: vec![entry(key, "1780000000")], ..Self::example() }
    }

    pub(crate) fn entry(&mut self, key: Key) -> &mut Object {
        let id = format!("\"{}\"", key.id_text());
        self.keys.iter_mut().find(|entry| entry.get("id") == id).unwrap()
    }

    /// The file, with the digest that belongs to it.
    pub(crate) fn text(&self) -> String {
        let keys: Vec<_> = self.keys.iter().map(|key| format!("\n {}", key.text())).collect();
        let mac: Vec<_> = self.mac.iter().map(Object::text).collect();
        digested(&format!(
            "{{{},\n\"policy\":{},\n\"keys\":[{}\n],\n\"revocation_secrets\":{{\"scope\":{},\"mac\":[{}]}}",
            self.top.members(),
            self.policy.text(),
            keys.join(","),
            self.scope,
            mac.join(","),
        ))
    }

    /// The key that seals at `now`, by the definition of "Active".
    pub(crate) fn sealing(&self, now: u64) -> Option<&Object> {
        let dated = || self.keys.iter().filter_map(|key| Some((key.number("activate_at")?, key.get("id"), key)));
        let (_, _, due) = dated().filter(|&(at, ..)| at <= now).max_by_key(|&(at, id, _)| (at, id))?;
        let superseded = due.number("superseded_at").is_some_and(|at| at <= now);
        (due.get("status") == "\"enabled\"" && !superseded).then_some(due)
    }

    pub(crate) fn policy_number(&self, name: &str) -> u64 {
        self.policy.number(name).unwrap()
    }

    pub(crate) fn not_before(&self) -> u64 {
        self.top.number("not_before").unwrap()
    }
}

/// The text of a ring file from everything before its digest member: `{...` without the closing brace.
pub(crate) fn digested(members: &str) -> String {
    let signed = format!("{members},\n\"digest\":\"sha256:");
    format!("{signed}{}\"}}\n", hex(&sha256(signed.as_bytes())))
}

/// An enabled entry of `key`.
pub(crate) fn entry(key: Key, activate_at: &str) -> Object {
    Object::of(&[
        ("id", &format!("\"{}\"", key.id_text())),
        ("status", "\"enabled\""),
        ("created_at", "1778220000"),
        ("activate_at", activate_at),
        ("superseded_at", "null"),
        ("max_token_lifetime", "86400"),
        ("revoked_at", "null"),
        ("reason", "null"),
        ("secret", &secret(key)),
    ])
}

/// What is left of a revoked `key`.
pub(crate) fn tombstone(key: Key, activate_at: &str) -> Object {
    let mut entry = entry(key, activate_at);
    entry.set("status", "\"revoked\"");
    entry.set("revoked_at", "1783404400");
    entry.set("reason", "\"laptop lost\"");
    entry.set("secret", "null");
    entry
}

/// A secret of revocation records.
pub(crate) fn mac(status: &str, key: Key) -> Object {
    Object::of(&[("status", &format!("\"{status}\"")), ("created_at", "1783404400"), ("secret", &secret(key))])
}

/// A secret as JSON.
pub(crate) fn secret(key: Key) -> String {
    format!("\"{}\"", encode(&key.0))
}

/// A directory with a ring file in it that only its owner can read.
pub(crate) struct Disk {
    _directory: tempfile::TempDir,
    pub(crate) path: PathBuf,
}

impl Disk {
    pub(crate) fn with(bytes: &[u8]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("ring.json");
        let disk = Self { _directory: directory, path };
        disk.write(bytes);
        disk
    }

    /// Replaces the file.
    pub(crate) fn write(&self, bytes: &[u8]) {
        std::fs::write(&self.path, bytes).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            std::fs::set_permissions(&self.path, std::fs::Permissions::from_mode(0o600)).unwrap();
        }
    }
}
