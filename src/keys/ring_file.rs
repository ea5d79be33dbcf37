//! A ring file for those who write it: created once, changed under a lock, every change on record.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;

use super::at_rest::AtRest;
use super::disk::{self, DiskError, Problem, Replace};
use super::kek::{KekSource, envelope_id};
use super::ring::Ring;
use super::status::RingReport;
use crate::crypto::DIGEST_LEN;
use crate::text::hex;
use crate::time::Timestamp;

/// A ring file, for the tools that write it. Servers use [`KeyRing`](super::KeyRing).
///
/// A change is written to a temp file beside it, synced, renamed over it and read back, under a lock
/// (`<ring>.lock`), and noted in `<ring>.audit` without any secret.
#[derive(Clone, Debug)]
pub struct RingFile {
    path: PathBuf,
    at_rest: Arc<AtRest>,
    if_generation: Option<u64>,
}

impl RingFile {
    /// The ring file at `path`, plain, which need not exist yet.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), at_rest: Arc::default(), if_generation: None }
    }

    /// The same file encrypted under the KEK from `source`; a second source is accepted for reading,
    /// while one KEK replaces the other.
    #[must_use]
    pub fn kek(self, source: KekSource) -> Self {
        let sources = self.at_rest.sources().iter().cloned().chain([source]).collect();
        Self { at_rest: Arc::new(AtRest::new(sources)), ..self }
    }

    /// Refuses to change the ring unless it has this generation.
    #[must_use]
    pub fn if_generation(self, generation: u64) -> Self {
        Self { if_generation: Some(generation), ..self }
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the file is to be plain.
    pub fn is_plain(&self) -> bool {
        self.at_rest.is_plain()
    }

    /// Reads the ring.
    ///
    /// # Errors
    /// - the file is missing, empty, damaged, too large or not a regular file
    /// - others than its owner and group can read it, or others than its owner write it
    /// - it is encrypted and no source gives its KEK, or it is plain and a KEK is configured
    pub fn read(&self) -> Result<Ring, DiskError> {
        Ok(self.read_with_digest()?.0)
    }

    /// Reads the ring and says what each key does at `now`.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn report(&self, now: Timestamp) -> Result<RingReport, DiskError> {
        let (ring, digest) = self.read_with_digest()?;
        Ok(RingReport::of(&ring, digest, now))
    }

    /// The id of the KEK that the file is encrypted under, as 8 hexadecimal digits; `None` for a plain file.
    ///
    /// The file says so itself and is not opened, so this is a hint until [`read`](Self::read) has succeeded.
    ///
    /// # Errors
    /// The file is missing or too large, not a regular file, or others can read it.
    pub fn kek_id(&self) -> Result<Option<String>, DiskError> {
        Ok(envelope_id(&disk::read(&self.path)?).map(|id| hex(&id)))
    }

    fn read_with_digest(&self) -> Result<(Ring, [u8; DIGEST_LEN]), DiskError> {
        parse(&self.path, &disk::read(&self.path)?, &self.at_rest)
    }

    /// Writes `ring` to a file that must not exist yet, with mode 0600.
    ///
    /// # Errors
    /// - something is there already; it is left as it is
    /// - the file cannot be written; nothing of the ring is left behind
    pub fn create(&self, ring: &Ring, now: Timestamp) -> Result<(), DiskError> {
        // Once before the lock too, which would leave its file beside what is refused.
        self.check_free()?;
        let _lock = disk::lock(&self.path)?;
        self.check_free()?;
        self.write(ring, Replace::Never)?;
        self.note("init", None, ring, now)
    }

    /// Checks that the ring's directory is there and nothing has the ring's name.
    fn check_free(&self) -> Result<(), DiskError> {
        if self.path.symlink_metadata().is_ok() {
            return Err(DiskError::new(&self.path, Problem::Exists));
        }
        if !disk::parent(&self.path).is_dir() {
            return Err(DiskError::new(&self.path, Problem::NoDirectory));
        }
        Ok(())
    }

    /// Reads the ring, changes it and writes it back, with no other writer in between.
    ///
    /// The generation is raised if `change` returns `true` beside its answer; otherwise nothing is
    /// written. `verb` is what the audit line calls it.
    ///
    /// # Errors
    /// - the ring cannot be read, locked or written; then the file is the old one, unless it was the
    ///   syncing of its directory, the reading back or the audit line that failed
    /// - the ring has another generation than [`if_generation`](Self::if_generation)
    /// - whatever `change` returns
    pub fn update<A, E: From<DiskError>>(
        &self,
        now: Timestamp,
        verb: &str,
        change: impl FnOnce(&mut Ring) -> Result<(A, bool), E>,
    ) -> Result<A, E> {
        let (_lock, mut ring) = self.locked()?;
        let before = RingReport::of(&ring, [0; DIGEST_LEN], now);
        let (answer, changed) = change(&mut ring)?;
        if changed {
            ring.advance_generation(now);
            self.write(&ring, Replace::Always)?;
            self.note(verb, Some(&before), &ring, now)?;
        }
        Ok(answer)
    }

    /// Writes the same ring, its generation unchanged, as `to` says it is to lie on disk.
    ///
    /// # Errors
    /// As [`update`](Self::update).
    pub fn rewrap(&self, to: &Self, now: Timestamp) -> Result<(), DiskError> {
        let (_lock, ring) = self.locked()?;
        let before = RingReport::of(&ring, [0; DIGEST_LEN], now);
        Self { at_rest: Arc::clone(&to.at_rest), ..self.clone() }.write(&ring, Replace::Always)?;
        self.note("rewrap", Some(&before), &ring, now)
    }

    fn locked(&self) -> Result<(File, Ring), DiskError> {
        // Once before the lock too, which would leave its file beside what is refused.
        self.read()?;
        let lock = disk::lock(&self.path)?;
        let ring = self.read()?;
        if self.if_generation.is_some_and(|generation| generation != ring.generation) {
            return Err(DiskError::new(&self.path, Problem::Generation { found: ring.generation }));
        }
        Ok((lock, ring))
    }

    fn write(&self, ring: &Ring, replace: Replace) -> Result<(), DiskError> {
        Ring::from_file(&ring.to_file()).map_err(|error| DiskError::new(&self.path, Problem::File(error)))?;
        let bytes = self.at_rest.close(ring).map_err(|error| DiskError::new(&self.path, Problem::AtRest(error)))?;
        disk::write(&self.path, &bytes, replace)
    }

    /// One line for each change: who, what, from which generation to which, and which keys' roles changed.
    fn note(&self, verb: &str, before: Option<&RingReport>, ring: &Ring, now: Timestamp) -> Result<(), DiskError> {
        let after = RingReport::of(ring, [0; DIGEST_LEN], now);
        let role =
            |report: Option<&RingReport>, id| report.and_then(|report| report.key(id)).map(|key| key.role.as_str());
        let ids = before.into_iter().chain([&after]).flat_map(|report| report.keys.iter().map(|key| key.id));
        let mut ids: Vec<_> = ids.collect();
        ids.sort();
        ids.dedup();
        let changes = ids.into_iter().map(|id| (id, role(before, id), role(Some(&after), id)));
        let line = AuditLine {
            at: now,
            verb,
            user: ["SUDO_USER", "USER", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok()),
            ring_id: &after.ring_id,
            from: before.map(|report| report.generation),
            to: after.generation,
            not_before: after.not_before,
            keys: changes
                .filter(|(_, from, to)| from != to)
                .map(|(id, from, to)| format!("{id}: {} -> {}", from.unwrap_or("none"), to.unwrap_or("none")))
                .collect(),
        };
        let mut text = serde_json::to_string(&line).expect("strings and numbers always serialize");
        text.push('\n');
        let mut path = self.path.clone().into_os_string();
        path.push(".audit");
        disk::append(Path::new(&path), &text)
    }
}

/// Reads a ring and its digest out of the bytes of the file at `path`.
pub(crate) fn parse(path: &Path, bytes: &[u8], at_rest: &AtRest) -> Result<(Ring, [u8; DIGEST_LEN]), DiskError> {
    let plain = at_rest.open(bytes).map_err(|error| DiskError::new(path, Problem::AtRest(error)))?;
    Ring::from_file(&plain).map_err(|error| DiskError::new(path, Problem::File(error)))
}

#[derive(Serialize)]
struct AuditLine<'a> {
    at: Timestamp,
    verb: &'a str,
    user: Option<String>,
    ring_id: &'a str,
    from: Option<u64>,
    to: u64,
    not_before: Option<Timestamp>,
    keys: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::disk::{crash, read};
    use crate::keys::file::MAX_FILE_LEN;
    use crate::keys::rotate::tests::new;
    use std::convert::Infallible;
    use std::fs;
    use std::io::Write;

    const NOW: Timestamp = Timestamp::from_unix(1_786_000_000);

    fn scratch() -> (tempfile::TempDir, RingFile) {
        let directory = tempfile::tempdir().unwrap();
        let file = RingFile::at(directory.path().join("ring.json"));
        (directory, file)
    }

    fn private(path: &Path) -> File {
        let file = File::create_new(path).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            file.set_permissions(fs::Permissions::from_mode(0o600)).unwrap();
        }
        file
    }

    enum Failed {
        Disk(DiskError),
        OnPurpose,
    }

    impl From<DiskError> for Failed {
        fn from(error: DiskError) -> Self {
            Self::Disk(error)
        }
    }

    impl From<DiskError> for Infallible {
        fn from(error: DiskError) -> Self {
            panic!("{error}")
        }
    }

    fn names(directory: &tempfile::TempDir) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(directory.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn what_is_created_is_read_and_never_overwritten() {
        let (directory, file) = scratch();
        file.create(&new(), NOW).unwrap();
        let before = read(&file.path).unwrap();
        assert_eq!(*file.read().unwrap().to_file(), *before);
        assert!(file.create(&new(), NOW).unwrap_err().to_string().contains("never overwritten"));
        assert_eq!(*read(&file.path).unwrap(), *before);
        assert_eq!(names(&directory), ["ring.json", "ring.json.audit", "ring.json.lock"]);
    }

    #[test]
    fn what_is_refused_gets_no_lock_file() {
        let (directory, file) = scratch();
        let missing = file.update::<(), DiskError>(NOW, "test", |_| unreachable!()).unwrap_err();
        assert!(missing.is_missing());
        assert!(names(&directory).is_empty());
        fs::write(&file.path, "mine").unwrap();
        assert_eq!(file.create(&new(), NOW).unwrap_err().code(), "ring_exists");
        assert_eq!(names(&directory), ["ring.json"]);
    }

    #[test]
    fn an_update_raises_the_generation_or_writes_nothing() {
        let (directory, file) = scratch();
        file.create(&new(), NOW).unwrap();
        let before = read(&file.path).unwrap();
        file.update::<_, Infallible>(NOW, "test", |_| Ok(((), false))).unwrap();
        assert!(matches!(file.update::<(), _>(NOW, "test", |_| Err(Failed::OnPurpose)), Err(Failed::OnPurpose)));
        assert_eq!(*read(&file.path).unwrap(), *before);
        file.update::<_, Infallible>(NOW, "test", |_| Ok(((), true))).unwrap();
        assert_eq!(file.read().unwrap().generation(), NOW.as_unix() + 1);
        file.update::<_, Infallible>(NOW.plus(9), "test", |_| Ok(((), true))).unwrap();
        assert_eq!(file.read().unwrap().generation(), NOW.as_unix() + 9);
        assert_eq!(names(&directory), ["ring.json", "ring.json.audit", "ring.json.lock"]);
    }

    #[test]
    fn a_ring_that_could_not_be_read_again_is_not_written() {
        let (_directory, file) = scratch();
        file.create(&new(), NOW).unwrap();
        let before = read(&file.path).unwrap();
        let broken = file.update(NOW, "test", |ring| {
            ring.keys.clear();
            Ok(((), true))
        });
        assert!(matches!(broken, Err(Failed::Disk(error)) if error.file_error().is_some()));
        assert_eq!(*read(&file.path).unwrap(), *before);
    }

    #[test]
    fn two_writers_lose_no_update() {
        let (_directory, file) = scratch();
        file.create(&new(), NOW).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..5 {
                        file.update::<_, Infallible>(Timestamp::default(), "test", |_| Ok(((), true))).unwrap();
                    }
                });
            }
        });
        assert_eq!(file.read().unwrap().generation(), NOW.as_unix() + 20);
    }

    #[test]
    fn what_is_no_ring_file_says_how_to_mend_it() {
        let (directory, file) = scratch();
        let error = || file.read().unwrap_err().to_string();
        assert!(file.read().unwrap_err().is_missing());
        assert!(error().contains("waxseal keys init"), "{}", error());
        let mut out = private(&file.path);
        assert!(error().contains("is empty"), "{}", error());
        out.write_all(b"{}").unwrap();
        assert!(error().contains("cut short"), "{}", error());
        out.write_all(&vec![b' '; MAX_FILE_LEN + 100]).unwrap();
        assert!(error().contains("larger"), "{}", error());
        let lost = RingFile::at(directory.path().join("no/such/ring.json"));
        assert!(lost.create(&new(), NOW).unwrap_err().to_string().contains("make it first"));
        assert!(lost.update::<(), Failed>(NOW, "test", |_| Err(Failed::OnPurpose)).is_err());
        assert!(RingFile::at(directory.path()).read().unwrap_err().to_string().contains("regular file"));
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let (_directory, file) = scratch();
        file.create(&new(), NOW).unwrap();
        let mode = |bits| fs::set_permissions(&file.path, fs::Permissions::from_mode(bits)).unwrap();
        assert_eq!(fs::metadata(&file.path).unwrap().permissions().mode() & 0o777, 0o600);
        for bits in [0o644, 0o604, 0o602, 0o620, 0o660, 0o666, 0o777, 0o610] {
            mode(bits);
            let error = file.read().unwrap_err().to_string();
            assert!(error.contains(&format!("{bits:04o}")) && error.contains("make it 0600"), "{error}");
        }
        for bits in [0o400, 0o440, 0o600, 0o640] {
            mode(bits);
            assert!(file.read().is_ok(), "{bits:o}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_a_link() {
        let (directory, file) = scratch();
        file.create(&new(), NOW).unwrap();
        let link = RingFile::at(directory.path().join("link.json"));
        std::os::unix::fs::symlink(&file.path, &link.path).unwrap();
        link.update::<_, Infallible>(NOW, "test", |_| Ok(((), true))).unwrap();
        assert!(link.path.symlink_metadata().unwrap().is_symlink());
        assert_eq!(file.read().unwrap().generation(), NOW.as_unix() + 1);
    }

    #[test]
    fn a_named_generation_must_be_the_rings() {
        let (_directory, file) = scratch();
        file.create(&new(), NOW).unwrap();
        let named = file.clone().if_generation(NOW.as_unix());
        named.update::<_, Infallible>(NOW, "test", |_| Ok(((), true))).unwrap();
        let refused = named.update::<(), DiskError>(NOW, "test", |_| Ok(((), true))).unwrap_err().to_string();
        assert!(refused.contains("somebody else"), "{refused}");
        assert_eq!(file.read().unwrap().generation(), NOW.as_unix() + 1);
    }

    #[test]
    fn every_change_is_on_record_without_a_secret() {
        let (_directory, file) = scratch();
        file.create(&new(), NOW).unwrap();
        file.update::<_, Infallible>(NOW, "rotate", |ring| Ok((ring.rotate(NOW).unwrap(), true))).unwrap();
        let lines = fs::read_to_string(file.path.with_extension("json.audit")).unwrap();
        assert_eq!(lines.lines().count(), 2, "{lines}");
        assert!(lines.contains("\"verb\":\"rotate\"") && lines.contains("staged -> scheduled"), "{lines}");
        for key in file.read().unwrap().keys {
            assert!(!lines.contains(&key.secret.unwrap().to_text()[..8]));
        }
    }

    fn kek(directory: &tempfile::TempDir, name: &str) -> KekSource {
        let path = directory.path().join(name);
        private(&path).write_all(crate::keys::generate_kek().unwrap().as_bytes()).unwrap();
        KekSource::File(path)
    }

    #[test]
    fn an_encrypted_ring_opens_under_its_kek_alone() {
        let (directory, plain) = scratch();
        let (first, second) = (kek(&directory, "kek1"), kek(&directory, "kek2"));
        let sealed = plain.clone().kek(first.clone());
        sealed.create(&new(), NOW).unwrap();
        let bytes = fs::read(plain.path()).unwrap();
        assert!(!bytes.windows(9).any(|window| window == b"\"secret\":"));
        assert_eq!(plain.kek_id().unwrap(), Some(first.id().unwrap()));
        assert_eq!(*sealed.read().unwrap().to_file(), *new().to_file());
        assert!(plain.read().unwrap_err().to_string().contains("--kek"));
        let wrong = plain.clone().kek(second.clone()).read().unwrap_err().to_string();
        assert!(wrong.contains("which no source gives"), "{wrong}");
        let both = plain.clone().kek(second).kek(first);
        assert!(both.read().is_ok());
        both.rewrap(&both, NOW).unwrap();
        assert!(sealed.read().is_err());
        assert_eq!(*both.read().unwrap().to_file(), *new().to_file(), "the same generation");
        both.rewrap(&plain, NOW).unwrap();
        assert_eq!(plain.kek_id().unwrap(), None);
        assert!(plain.read().is_ok());
        assert!(both.read().unwrap_err().to_string().contains("not encrypted"));
    }

    /// Run by the sweep below in a process of its own, which dies on the way; does nothing elsewhere.
    #[test]
    fn crash_child() {
        let Ok(path) = std::env::var("WAXSEAL_CRASH_RING") else { return };
        let steps: usize = std::env::var("WAXSEAL_CRASH_STEPS").unwrap().parse().unwrap();
        let file = RingFile::at(path);
        crash::after(steps);
        file.update::<_, Infallible>(NOW, "test", |ring| Ok((ring.rotate(NOW).unwrap(), true))).unwrap();
        #[allow(clippy::print_stdout)] // how the sweep hears of it
        {
            println!("survived");
        }
    }

    /// A writer killed at every step leaves the old ring or the new one, and the next one works.
    #[test]
    fn a_killed_writer_leaves_the_old_ring_or_the_new_one() {
        let mut seen = Vec::new();
        for steps in 0.. {
            let (_directory, file) = scratch();
            file.create(&new(), NOW).unwrap();
            let child = std::process::Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "--nocapture", "keys::ring_file::tests::crash_child"])
                .env("WAXSEAL_CRASH_RING", &file.path)
                .env("WAXSEAL_CRASH_STEPS", steps.to_string())
                .output()
                .unwrap();
            let survived = String::from_utf8_lossy(&child.stdout).contains("survived");
            let generation = file.read().unwrap().generation();
            assert!([NOW.as_unix(), NOW.as_unix() + 1].contains(&generation), "after {steps} steps");
            file.update::<_, Infallible>(NOW, "test", |_| Ok(((), true))).unwrap();
            seen.push(generation);
            let left: Vec<_> = names(&_directory).into_iter().filter(|name| name.starts_with(".waxseal-")).collect();
            assert!(left.is_empty(), "secrets left behind after {steps} steps: {left:?}");
            if survived {
                break;
            }
        }
        assert!(seen.len() >= 8, "only {seen:?}");
        assert!(seen.is_sorted() && seen.first() < seen.last(), "old rings first, then new ones: {seen:?}");
    }
}
