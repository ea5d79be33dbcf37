//! What stands below the options in the help of the verbs on revocations. At most 79 columns.

pub(crate) const SESSION: &str = "\
All ids are read before any is revoked. An id is `s1.` and 32 digits, as
`waxseal token open` shows it, and your log if your service logs `session.id()`
at login; it is no secret. It is kept for as long as any token of the session
can live.

Examples:
  waxseal revoke session s1.6a7432801560fcb22fd075b357e9c94a --reason stolen
  waxseal revoke session - --actor ada < ids.txt

Exit codes:
  0  revoked, where every server reads it
  2  wrong arguments, or an id that is cut or lies ahead
  3  the ring file cannot be used
  4  not revoked, or not durably";

pub(crate) const SUBJECT: &str = "\
Ends what started until now, in every tenant; a login after that is a new
session. If two tenants may both have an `ada`, let your service name subjects
`acme/ada`. Names are not written down, only what the ring's secret hashes them
to, so nobody can tell you a name that was mistyped here.

Examples:
  waxseal revoke subject ada --reason 'phone lost'
  waxseal revoke subject ada --except s1.6a7432801560fcb22fd075b357e9c94a
  waxseal revoke subject ada --until 2026-08-06T07:06:40Z

Exit codes:
  0  revoked, where every server reads it
  2  wrong arguments, or an instant ahead
  3  the ring file cannot be used
  4  not revoked, or not durably, or a cut-off as late is in force";

pub(crate) const TENANT: &str = "\
Ends what started until now; a login after that is a new session.

Examples:
  waxseal revoke tenant acme --actor ada --reason 'contract ended'
  waxseal revoke tenant acme --until 2026-08-06T07:06:40Z

Exit codes:
  0  revoked, where every server reads it
  2  wrong arguments, or an instant ahead
  3  the ring file cannot be used
  4  not revoked, or not durably, or a cut-off as late is in force";

pub(crate) const ALL: &str = "\
Everybody logs in again. `waxseal keys not-before now` does the same through the
ring, which servers without a list follow too. If a key may have leaked, neither
is enough: `waxseal keys revoke`.

Example:
  waxseal revoke all --ring-id 896a4b19 --actor ada --reason 'a bad release'

Exit codes:
  0  revoked, where every server reads it
  2  wrong arguments, or --ring-id is not that of the ring
  3  the ring file cannot be used
  4  not revoked, or not durably";

pub(crate) const INIT: &str = "\
For a new fleet, once. The directory is made if it is not there: never run this
on a path that is not mounted, or that host has a list of its own and hears of
nobody. The directory may lie on whatever all servers mount: NFS, EFS, a volume
that many servers write; or on the disk of a single host. Run it as the servers'
user, by `sudo -u shop -E` for instance: what it writes is readable by its owner
and group alone.
A Redis server needs the feature `redis`, and must not evict: its URL is best
kept in a file of mode 0600 if it holds a password.

Examples:
  waxseal revocations init --revocations /srv/revocations
  waxseal revocations init --revocations redis://127.0.0.1:6379/0
  waxseal revocations init --revocations file:/etc/shop/redis-url

Exit codes:
  0  set up
  2  wrong arguments
  3  the ring file cannot be used
  4  it is set up already, or cannot be reached or written";

pub(crate) const STATUS: &str = "\
Example:
  waxseal revocations status --revocations /srv/revocations --writers

A writer is one process. It is alive if it said so within the last minute
(LAST BEAT, by its own clock), silent if it did not, and ended if it said that
it ends. Of which one a server is, its status().nodes[].this tells.

Exit codes:
  0  a server that starts now can load the list
  1  it cannot, or a journal has a fault
  2  wrong arguments
  3  the ring file cannot be used
  4  there is no directory of this ring's, or the store cannot be read";

pub(crate) const INSPECT: &str = "\
Newest first. Names are hashed under the ring, so they are found only by giving
them: no listing shows whose sessions ended. With a session, its subject and its
tenant together it answers as a server would.

Examples:
  waxseal revocations inspect --revocations /srv/revocations
  waxseal revocations inspect --session s1.6a7432801560fcb22fd075b357e9c94a
  waxseal revocations inspect --subject ada --json

Exit codes:
  0  shown, whatever the answer is
  1  shown, and something there is missing or cannot be read
  2  wrong arguments
  3  the ring file cannot be used
  4  there is no directory of this ring's, or the store cannot be read";

pub(crate) const VERIFY: &str = "\
Each finding is one line: an error, a warning or a note, and how to mend it. It
reads everything and writes nothing; servers may run.

Example:
  waxseal revocations verify --revocations /srv/revocations

Exit codes:
  0  no finding is an error
  1  at least one is
  2  wrong arguments
  3  the ring file cannot be used
  4  there is no directory of this ring's, or the store cannot be read";

pub(crate) const COMPACT: &str = "\
Servers do this by themselves; it is for a directory that only this command and
crashed processes write. Takes over journals whose writer has ended, or has been
silent for an hour, and never touches one that is written or has a fault. What
is dropped is judged by the newest instant in the directory, not by this clock.
A Redis stream needs none of this.

Example:
  waxseal revocations compact --revocations /srv/revocations

Exit codes:
  0  done, or nothing to do
  2  wrong arguments
  3  the ring file cannot be used
  4  it could not be written; nothing is lost";

pub(crate) const RETRACT: &str = "\
For a cut-off that was a mistake, or came from a clock that was wrong. Single
sessions cannot be taken back.

Example:
  waxseal revocations retract 5e0cb1f6a0f2d6f3 --reason 'wrong tenant'

Exit codes:
  0  taken back
  2  wrong arguments
  3  the ring file cannot be used
  4  there is no such cut-off, or not durably; or it was taken back already,
     and nothing need be done";

pub(crate) const RESET: &str = "\
For journals that are lost and that no running server knows, for a marker that
is lost, and after `waxseal keys revoke --all`, which replaces the secrets that
the directory was written under. Old journals are set aside under names that
nobody reads. Because nobody can say what they held, all sessions end;
--keep-sessions gives the lost revocations up instead. For a Redis server that
was emptied, and that no running server fills again; what its stream holds stays.

Examples:
  waxseal revocations reset --ring-id 896a4b19 --reason 'volume lost'
  waxseal revocations reset --ring-id 896a4b19 --keep-sessions

Exit codes:
  0  begun anew
  2  wrong arguments, or --ring-id is not that of the ring
  3  the ring file cannot be used
  4  it is no directory of revocations, is another ring's, or cannot be reached
     or written";

pub(crate) const SIZE: &str = "\
Needs neither ring nor directory. A duration D is whole seconds, or 15m, 24h,
30d.

Examples:
  waxseal revocations size --per-day 100000 --lifetime 24h
  waxseal revocations size --per-day 5000000 --lifetime 1h --engine bloom

Exit codes:
  0  worked out
  2  wrong arguments";
