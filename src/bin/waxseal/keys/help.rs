//! What stands below the options in the help of the verbs on a ring. At most 79 columns.

pub(crate) const INIT: &str = "\
A duration D is a number of whole seconds, or one with s, m, h or d behind it:
90, 90s, 15m, 24h, 30d. The file gets mode 0600; one that is there already is
never overwritten. It is encrypted under --kek; --plaintext is for a file that
only the service can ever read: on a tmpfs, in a Kubernetes Secret.

Examples:
  waxseal keys init --ring ring.json --kek file:/run/kek
  waxseal keys init --ring ring.json --plaintext --max-lifetime 12h

Exit codes:
  0  made
  2  wrong arguments, durations that do not work together, or neither --kek
     nor --plaintext
  3  the file is there already or cannot be made
  4  the operating system gave no random bytes";

pub(crate) const LIST: &str = "\
Below the table each key is a line over time: who seals, who opens, until when.

Example:
  waxseal keys list --ring ring.json

Exit codes:
  0  listed
  2  wrong arguments
  3  the ring file cannot be used";

pub(crate) const ROTATE: &str = "\
Safe in cron: while a key waits for its date nothing is written, and the exit
code is 0. Copy the file to every server before that date; servers that follow
it need no restart. A duration D is whole seconds, or 15m, 24h, 30d.

Examples:
  waxseal keys rotate --ring ring.json
  waxseal keys rotate --ring ring.json --if-older-than 30d

Exit codes:
  0  a key is scheduled, now or already, or the active key is young enough
  2  wrong arguments
  3  the ring file cannot be used or written, or has another generation
  4  the ring is full, or the operating system gave no random bytes";

pub(crate) const STATUS: &str = "\
Example:
  waxseal keys status --ring ring.json

Exit codes:
  0  a key seals; a line that begins `warning:` says what is to be done
  1  no key seals
  2  wrong arguments
  3  the ring file cannot be used";

pub(crate) const PROMOTE: &str = "\
Routine is `waxseal keys rotate`. A key that servers may not have yet is
refused: they would refuse its tokens.

Examples:
  waxseal keys promote 72c05b --now
  waxseal keys promote 72c05b --at 2026-08-06T07:06:40Z

Exit codes:
  0  dated
  2  wrong arguments, or a date in the past or before another key's
  3  the ring file cannot be used or written, or has another generation
  4  no such key, it is neither staged nor scheduled, or it is too young";

pub(crate) const DISABLE: &str = "\
Reversible, while it is found out whether a key leaked: servers answer its
tokens with 503. If it was the one that seals, the next takes over at once.

Example:
  waxseal keys disable 72c05b

Exit codes:
  0  disabled
  2  wrong arguments
  3  the ring file cannot be used or written, or has another generation
  4  no such key, or it is disabled, revoked or expired already";

pub(crate) const ENABLE: &str = "\
A key that another superseded meanwhile opens again and never seals.

Example:
  waxseal keys enable 72c05b

Exit codes:
  0  enabled
  2  wrong arguments
  3  the ring file cannot be used or written, or has another generation
  4  no such key, or it is not disabled";

pub(crate) const REVOKE: &str = "\
For a secret that leaked. If the key was the one that seals, the next takes over
at once. Whoever had the secret may have made sessions; once another key has
sealed, servers may have renewed those under it, and it must be said whether
all sessions end. For a ring file that leaked, --all replaces every key.

Examples:
  waxseal keys revoke 72c05b --reason 'laptop lost'
  waxseal keys revoke 72c05b --reason 'laptop lost' --sessions end
  waxseal keys revoke --all --reason 'backup stolen' --yes

Exit codes:
  0  revoked; the answer says what is unproven yet
  2  wrong arguments, --sessions is needed, or --all is not confirmed
  3  the ring file cannot be used or written, or has another generation
  4  no such key, or it is revoked already";

pub(crate) const NOT_BEFORE: &str = "\
Logs out everybody who logged in until then, without changing a key. Only ever
moved forward, and never ahead of this clock.

Examples:
  waxseal keys not-before now
  waxseal keys not-before 2026-08-06T07:06:40Z

Exit codes:
  0  in force
  2  wrong arguments, or an instant ahead
  3  the ring file cannot be used or written, or has another generation
  4  a cut-off as late or later is in force";

pub(crate) const STALE_OK: &str = "\
For when the list of revocations cannot be brought up to date. Servers that
would answer 503 for that go on, and so do those that have never loaded it; what
they know to be revoked stays refused. What others revoke meanwhile they do not
know. No list is relied on for longer than a day. It travels with the ring: copy
the file to every server. A duration D is whole seconds, or 15m, 2h.

Examples:
  waxseal keys stale-ok --for 2h
  waxseal keys stale-ok --off

Exit codes:
  0  in force
  2  wrong arguments, or longer than 24h
  3  the ring file cannot be used or written, or has another generation";

pub(crate) const PRUNE: &str = "\
`waxseal keys rotate` does this as well. Tombstones are kept for a year.

Examples:
  waxseal keys prune --dry-run
  waxseal keys prune 72c05b

Exit codes:
  0  pruned, or nothing to prune
  2  wrong arguments
  3  the ring file cannot be used or written, or has another generation
  4  no such key, or living tokens may need it";

pub(crate) const POLICY: &str = "\
Without a duration it shows the policy; with one it changes that. A key keeps
the longest lifetime that was in force while it could seal. A duration D is
whole seconds, or 90s, 15m, 24h, 30d.

Examples:
  waxseal keys policy
  waxseal keys policy --rotate-every 7d

Exit codes:
  0  shown or changed
  2  wrong arguments, or durations that do not work together
  3  the ring file cannot be used or written, or has another generation";

pub(crate) const REWRAP: &str = "\
The ring and its generation stay as they are. It is read under --kek and written
under --to. Give every server the new key-encryption key beside the old one
first: the one in use, and the one that replaces it, are accepted together.

Examples:
  waxseal keys rewrap --kek file:/run/kek --to file:/run/kek2
  waxseal keys rewrap --to file:/run/kek
  waxseal keys rewrap --kek file:/run/kek --to-plaintext

Exit codes:
  0  rewritten
  2  wrong arguments
  3  the ring file cannot be used or written, has another generation, or there
     is no key-encryption key";

pub(crate) const KEK: &str = "\
The file gets mode 0600; one that is there already is never overwritten. For a
Vault, sops or a KMS, put what is in it there and use cmd:COMMAND, which prints
it within five seconds.

Example:
  waxseal keys kek --out /run/kek

Exit codes:
  0  made
  2  wrong arguments
  4  the file is there already or cannot be made, or no random bytes";

pub(crate) const VERIFY: &str = "\
Example:
  waxseal keys verify --ring ring.json

Exit codes:
  0  it is a ring
  2  wrong arguments
  3  it is not; the line on standard error says why";

pub(crate) const DOCTOR: &str = "\
Each finding is one line: an error, a warning or a note, and how to mend it.

Example:
  waxseal keys doctor --ring ring.json

Exit codes:
  0  no finding is an error
  1  at least one is
  2  wrong arguments
  3  there is no ring file";

pub(crate) const COMPARE: &str = "\
Names the servers that are behind, those whose ring is another one, and forks:
two rings of one generation. With --generation and --ring-id, as `revoke` prints
them, it proves that the whole fleet follows. A server that is not named is not
asked, and an empty file is a server that does not answer.

Examples:
  waxseal keys compare a.json b.json c.json
  curl -s http://a/keys http://b/keys | waxseal keys compare -

Exit codes:
  0  all agree on the greatest generation and its digest
  1  at least one does not
  2  wrong arguments, or a file that cannot be read";

pub(crate) const UPGRADE_FORMAT: &str = "\
Format 1 is the newest, so nothing is ever written yet.

Example:
  waxseal keys upgrade-format --ring ring.json

Exit codes:
  0  the ring has the newest format
  2  wrong arguments
  3  the ring file cannot be used";
