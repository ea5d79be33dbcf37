//! The verbs on how a ring lies on disk: init, kek, rewrap, upgrade-format.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;
use waxseal::keys::{KekSource, Ring, RingFile, RingReport, generate_kek};

use super::args::{Init, Kek, Rewrap, UpgradeFormat};
use super::{at_rest, or_none, staged};
use crate::answer::Answer;
use crate::error::{CliError, Exit};
use crate::input::instant;
use crate::ring::{source, usage};
use crate::show::{facts, lossy, span, whole};

/// Makes a ring file.
pub(crate) fn init(args: &Init) -> Result<Answer, CliError> {
    let now = instant(None);
    let file = args.ring.file()?;
    match (file.is_plain(), args.plaintext) {
        (true, false) => {
            return Err(usage(
                "it is not said how the ring is to lie on disk, and whoever reads it forges sessions".into(),
            )
            .advise(
                "give --kek file:PATH (`waxseal keys kek --out PATH` makes one), or --plaintext if only the \
                     service can ever read the file and its backups",
            ));
        }
        (false, true) => {
            return Err(usage("--plaintext and a key-encryption key exclude each other".into())
                .advise("leave out --plaintext, or --kek and WAXSEAL_KEK"));
        }
        _ => {}
    }
    file.create(&Ring::create(args.policy(), now)?, now)?;
    let (report, kek_id) = (file.report(now)?, file.kek_id()?);
    let path = whole(&args.ring.path);
    let json = InitJson { ring_file: &path, encrypted_under: kek_id.as_deref(), ring: &report };
    let rows = [
        ("ring", report.ring_id.clone()),
        ("file", format!("{} (mode 0600)", path.display())),
        ("at rest", at_rest(kek_id.as_deref())),
        ("generation", report.generation.to_string()),
        ("active key", format!("{}, seals from now on", or_none(report.active))),
        ("staged key", format!("{}, seals once it is rotated in", or_none(staged(&report)))),
    ];
    let text = format!(
        "{}\nNext: copy the file to every server of the fleet, readable by the service alone,\n\
         and keep a backup: if it is lost, every session ends. Then run\n\
         `waxseal keys rotate` every {}.",
        facts(&rows),
        span(report.policy.rotate_every)
    );
    Ok(Answer::new(text, &json))
}

/// Makes a key-encryption key.
pub(crate) fn kek(args: &Kek) -> Result<Answer, CliError> {
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::AlreadyExists => {
            CliError::new(Exit::Failed, "kek_exists", format!("{} exists", args.out.display()))
                .advise("a key is never overwritten: choose another path")
        }
        _ => CliError::new(Exit::Failed, "kek_io", format!("cannot make {}: {error}", args.out.display()))
            .advise("check that its directory exists, and the permissions"),
    };
    let text = generate_kek().map_err(|error| CliError::new(Exit::Failed, "random", error.to_string()))?;
    let mut file = private().create_new(true).write(true).open(&args.out).map_err(failed)?;
    let written = file.write_all(text.as_bytes()).and_then(|()| file.write_all(b"\n")).and_then(|()| file.sync_all());
    if let Err(error) = written {
        let _ = fs::remove_file(&args.out);
        return Err(failed(error));
    }
    let path = whole(&args.out);
    let id = KekSource::File(args.out.clone()).id().map_err(|error| failed(io::Error::other(error)))?;
    let rows = [("KEK", id.clone()), ("file", format!("{} (mode 0600)", path.display()))];
    let text = format!(
        "{}\nNext: give it to every server apart from the ring, and keep a backup: without it\n\
         the ring cannot be read. A ring is made under it by\n\
         `waxseal keys init --kek file:PATH`, or moved to it by\n\
         `waxseal keys rewrap --to file:PATH`.",
        facts(&rows)
    );
    Ok(Answer::new(text, &KekJson { kek_id: &id, kek_file: &path }))
}

#[cfg(unix)]
fn private() -> OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
}

#[cfg(not(unix))]
fn private() -> OpenOptions {
    OpenOptions::new()
}

/// Writes the same ring under another key-encryption key, or none.
pub(crate) fn rewrap(args: &Rewrap) -> Result<Answer, CliError> {
    let file = args.write.file()?;
    let plain = RingFile::at(&args.write.ring.path);
    let to = match &args.to {
        Some(text) => plain.kek(source("--to", text)?),
        None if args.to_plaintext => plain,
        None if file.is_plain() => {
            return Err(usage("it is not said how the ring is to lie on disk".into())
                .advise("give --to file:PATH, or --to-plaintext"));
        }
        None => file.clone(),
    };
    let before = file.kek_id()?;
    file.rewrap(&to, instant(None))?;
    let (report, after) = (to.report(instant(None))?, to.kek_id()?);
    let json = RewrapJson {
        generation: report.generation,
        digest: &report.digest,
        encrypted_under: after.as_deref(),
        was_encrypted_under: before.as_deref(),
    };
    let rows = [
        ("before", at_rest(before.as_deref())),
        ("now", at_rest(after.as_deref())),
        ("generation", format!("{}, unchanged", report.generation)),
    ];
    let text = format!("{}\n{}", facts(&rows), next_of_rewrap(before.as_deref(), after.as_deref()));
    Ok(Answer::new(text, &json))
}

fn next_of_rewrap(before: Option<&str>, after: Option<&str>) -> String {
    match (before, after) {
        (Some(old), Some(new)) => format!(
            "Next: see that every server names KEK {new} as well as {old}, then copy\n\
             the file to all of them. Once they have it, take KEK {old} away from them;\n\
             copies and backups made before can still be read with it."
        ),
        (_, Some(new)) => format!(
            "Next: give every server KEK {new} together with this file; each refuses one\n\
             without the other and goes on with what it has. Copies and backups made before\n\
             are still plain."
        ),
        (_, None) => "Next: take the key-encryption key out of every server's settings together with\n\
             this file; each refuses one without the other and goes on with what it has."
            .to_owned(),
    }
}

/// There is one format so far, and a ring that can be read has it.
pub(crate) fn upgrade_format(args: &UpgradeFormat) -> Result<Answer, CliError> {
    let report = args.write.file()?.report(instant(None))?;
    let json = UpgradeJson { changed: false, format: FORMAT, generation: report.generation };
    Ok(Answer::new(format!("Nothing to do: the ring has format {FORMAT}, the newest."), &json))
}

#[derive(Serialize)]
struct InitJson<'a> {
    #[serde(serialize_with = "lossy")]
    ring_file: &'a Path,
    encrypted_under: Option<&'a str>,
    #[serde(flatten)]
    ring: &'a RingReport,
}

#[derive(Serialize)]
struct KekJson<'a> {
    kek_id: &'a str,
    #[serde(serialize_with = "lossy")]
    kek_file: &'a Path,
}

#[derive(Serialize)]
struct RewrapJson<'a> {
    generation: u64,
    digest: &'a str,
    encrypted_under: Option<&'a str>,
    was_encrypted_under: Option<&'a str>,
}

#[derive(Serialize)]
struct UpgradeJson {
    changed: bool,
    format: u32,
    generation: u64,
}

/// The newest format of a ring file.
const FORMAT: u32 = 1;
