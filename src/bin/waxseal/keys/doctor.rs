//! `keys doctor`: what is wrong with a ring, its file, its directory and this machine, and how to mend it.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;
use waxseal::keys::{KekSource, RingFile, RingReport};
use waxseal::time::Timestamp;

use super::args::Look;
use super::{mount, next_activation, rotation_due, staged};
use crate::answer::Answer;
use crate::error::{CliError, Exit};
use crate::finding::{Finding, Severity, error, note, warning};
use crate::input::instant;
use crate::show::{lossy, span, tame, whole};

/// Examines everything that can be seen from here.
pub(crate) fn doctor(args: &Look) -> Result<Answer, CliError> {
    let now = instant(args.now);
    let (file, sources) = (args.ring.file()?, args.ring.sources()?);
    let mut found = Vec::new();
    let report = match file.report(now) {
        Ok(report) => Some(report),
        Err(error) if error.is_missing() => return Err(error.into()),
        Err(error) => {
            let (code, what, advice) = CliError::from(error).parts();
            found.push(Finding { severity: Severity::Error, code, what, advice: advice.unwrap_or_default() });
            None
        }
    };
    place(&whole(&args.ring.path), &mut found);
    rest(&file, &sources, &args.ring.path, &mut found);
    if let Some(report) = &report {
        clock(report, &mut found);
        keys(report, &mut found);
        times(report, &mut found);
    }
    found.sort_by_key(|finding| finding.severity);
    let path = whole(&args.ring.path);
    let errors = found.iter().filter(|finding| finding.severity == Severity::Error).count();
    let problem = (errors > 0).then(|| {
        let what = format!("{errors} of {} findings must be mended", found.len());
        CliError::new(Exit::Refused, "findings", what).advise("the lines that begin `error` say how")
    });
    let lines: String = found.iter().map(Finding::line).collect();
    let text = if found.is_empty() { "No findings.".to_owned() } else { lines };
    Ok(Answer::new(text, &DoctorJson { ring_file: &path, errors, findings: &found }).but(problem))
}

/// Whose the file is, who else can replace it, and whether a new one ever arrives.
fn place(path: &Path, found: &mut Vec<Finding>) {
    let real = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let shown = |path: &Path| tame(&path.display().to_string());
    if path.symlink_metadata().is_ok_and(|metadata| metadata.is_symlink()) {
        let what = format!("{} is a symbolic link to {}", shown(path), shown(&real));
        found.push(note("link", what, "nothing, if whatever delivers the file swaps links, as Kubernetes does"));
    }
    if mount::is_mounted(path) || mount::is_mounted(&real) {
        let what = format!("{} is mounted by itself, as with a subPath: a new ring never arrives there", shown(path));
        found.push(error("mount", what, "mount the directory that it is in"));
    }
    let parents = [path, &real].into_iter().filter_map(Path::parent);
    let mut directories: Vec<_> = parents.filter_map(|parent| fs::canonicalize(parent).ok()).collect();
    directories.dedup();
    access(&real, &directories, found);
    for left in directories.iter().flat_map(|directory| leftovers(directory)) {
        let what = format!("{} was left by a writer that was stopped, and may hold secrets", shown(&left));
        found.push(warning("leftover", what, "remove it if no `waxseal keys` verb is running"));
    }
}

#[cfg(unix)]
fn access(file: &Path, directories: &[PathBuf], found: &mut Vec<Finding>) {
    use std::os::unix::fs::MetadataExt;
    let user = rustix::process::geteuid().as_raw();
    if let Ok(metadata) = file.metadata()
        && ![user, 0].contains(&metadata.uid())
    {
        let what = format!("the ring file belongs to user {}, and this is user {user}", metadata.uid());
        found.push(warning("owner", what, "run this as the service's own user, or `chown` the file to it"));
    }
    for directory in directories {
        let Ok(metadata) = directory.metadata() else { continue };
        let (mode, shown) = (metadata.mode() & 0o7777, tame(&directory.display().to_string()));
        let what = format!("others can write into {shown} (mode {mode:04o})");
        match (mode & 0o022 > 0, mode & 0o1000 > 0) {
            (true, false) => {
                found.push(error("directory", format!("{what}, and so replace the ring"), "`chmod go-w` it"))
            }
            (true, true) => found.push(warning("directory", what, "move the ring to a directory of its own")),
            (false, _) => {}
        }
    }
}

#[cfg(not(unix))]
fn access(_: &Path, _: &[PathBuf], _: &mut Vec<Finding>) {}

/// Temp files of a writer, beside the ring.
fn leftovers(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let left = entries.filter(|entry| entry.file_name().as_encoded_bytes().starts_with(b".waxseal-"));
    left.map(|entry| entry.path()).collect()
}

/// How the file lies on disk, and whether every KEK can be had.
fn rest(file: &RingFile, sources: &[KekSource], path: &Path, found: &mut Vec<Finding>) {
    let Ok(used) = file.kek_id() else { return };
    if used.is_none() && sources.is_empty() {
        let what = "the ring is not encrypted".to_owned();
        found.push(warning(
            "plaintext",
            what,
            "`waxseal keys rewrap --to file:PATH`, unless only the service reads it",
        ));
    }
    for (place, source) in sources.iter().enumerate() {
        if let KekSource::File(kek) = source
            && fs::canonicalize(kek).ok().as_deref().and_then(Path::parent)
                == fs::canonicalize(path).ok().as_deref().and_then(Path::parent)
        {
            let what = "the key-encryption key lies beside the ring: whoever copies the directory has both".to_owned();
            found.push(warning("kek_beside", what, "move it to another directory"));
        }
        // A descriptor is read once, and reading the ring did that.
        let id = if matches!(source, KekSource::Fd(_)) { continue } else { source.id() };
        match id {
            Err(failed) => {
                let what =
                    format!("no key-encryption key from {}: {}", tame(&source.to_string()), tame(&failed.to_string()));
                found.push(error("kek", what, "mend that source, or leave it out if the ring no longer needs it"));
            }
            Ok(id) if place > 0 && used.as_ref() == Some(&id) => {
                let what = format!("the ring is encrypted under the second KEK, {id}");
                found.push(warning("kek_second", what, "`waxseal keys rewrap` moves it to the first"));
            }
            Ok(_) => {}
        }
    }
}

/// Generations are seconds, so a ring from the future shows a wrong clock here or where it was written.
fn clock(report: &RingReport, found: &mut Vec<Finding>) {
    let made = report.keys.iter().map(|key| key.created_at);
    let written = Timestamp::from_unix(report.generation).max(made.max().unwrap_or_default());
    let ahead = written.since(report.now);
    if ahead > report.policy.skew {
        let what = format!("the ring was written {} ahead of this clock, which says {}", span(ahead), report.now);
        found.push(error("clock", what, "set this clock, or that of the machine that writes the ring"));
    }
    if let Some(at) = report.not_before.filter(|&at| at.since(report.now) > report.policy.skew) {
        let what = format!("the cut-off {at} lies ahead of this clock");
        found.push(error("not_before", what, "set the clocks; servers count it as of when it arrives"));
    }
}

/// Whether there is a key for every need, and room for more.
fn keys(report: &RingReport, found: &mut Vec<Finding>) {
    if report.active.is_none() {
        let what = "no key seals, so nobody can log in".to_owned();
        found.push(error("no_active_key", what, "check the clock; then `waxseal keys promote ID --now` a staged key"));
    }
    if staged(report).is_none() {
        let what = "no key is staged, so an emergency would have to wait for distribution".to_owned();
        found.push(error("no_staged_key", what, "`waxseal keys rotate` stages one"));
    }
    if report.slots_left == 0 {
        let what = "the ring is full: routine rotation is refused".to_owned();
        found.push(error("slots", what, "`waxseal keys prune`, and rotate no more often than the policy says"));
    } else if report.slots_left <= 2 {
        let what = format!("routine rotation has room for {} more keys", report.slots_left);
        found.push(warning("slots", what, "rotate no more often than the policy says"));
    }
}

/// What is overdue, or switched off for too long.
fn times(report: &RingReport, found: &mut Vec<Finding>) {
    let now = report.now;
    if let Some(due) = rotation_due(report).filter(|&due| due <= now) {
        let what = format!("rotation is overdue by {}", span(now.since(due)));
        found.push(warning("overdue", what, "`waxseal keys rotate`, and let cron do it"));
    }
    if let Some(next) = next_activation(report).filter(|next| next.at.since(now) > report.policy.rotate_every) {
        let what =
            format!("key {} waits until {}, longer than a rotation, and holds up every other", next.key, next.at);
        found.push(warning("far_ahead", what, "`waxseal keys promote` it to an earlier date"));
    }
    if report.policy.rotate_every > LONGEST_ROTATION {
        let what = format!("keys are to seal for {}", span(report.policy.rotate_every));
        found.push(warning("policy", what, "`waxseal keys policy --rotate-every 30d`"));
    }
    if let Some(until) = report.stale_ok_until {
        let what = format!("a stale list of revocations is accepted until {until}");
        found.push(warning("stale_ok", what, "`waxseal keys stale-ok --off` once the list is up to date again"));
    }
}

#[derive(Serialize)]
struct DoctorJson<'a> {
    #[serde(serialize_with = "lossy")]
    ring_file: &'a Path,
    errors: usize,
    findings: &'a [Finding],
}

/// Beyond this, in seconds, a stolen key serves its thief for long: 90 days.
const LONGEST_ROTATION: u64 = 90 * 86_400;
