//! What stands below the options in each verb's help: notes, examples, exit codes. At most 79 columns.

pub(crate) const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  the token was refused, or no key of the ring seals
  2  wrong arguments
  3  the ring file cannot be used or made
  4  it could not be done: no token minted, ring not rotated, no output";

pub(crate) const INIT: &str = "\
A duration D is a number of whole seconds, or one with s, m, h or d behind it:
90, 90s, 15m, 24h, 30d. The file gets mode 0600; one that is there already is
never overwritten.

Examples:
  waxseal keys init --ring ring.json
  waxseal keys init --ring ring.json --max-lifetime 12h --rotate-every 7d

Exit codes:
  0  made
  2  wrong arguments, or durations that do not work together
  3  the file is there already or cannot be made
  4  the operating system gave no random bytes";

pub(crate) const LIST: &str = "\
Example:
  waxseal keys list --ring ring.json

Exit codes:
  0  listed
  2  wrong arguments
  3  the ring file cannot be used";

pub(crate) const ROTATE: &str = "\
Safe to repeat: while a key waits for its date nothing is written, and the exit
code is 0. Copy the file to every server before that date; servers that follow
it need no restart.

Example:
  waxseal keys rotate --ring ring.json

Exit codes:
  0  a key is scheduled, now or already
  2  wrong arguments
  3  the ring file cannot be used or written
  4  the ring is full, or the operating system gave no random bytes";

pub(crate) const STATUS: &str = "\
Example:
  waxseal keys status --ring ring.json

Exit codes:
  0  a key seals; a line that begins `warning:` says what is to be done
  1  no key seals
  2  wrong arguments
  3  the ring file cannot be used";

pub(crate) const SEAL: &str = "\
Prints the token alone. A duration D is a number of whole seconds, or one with
s, m, h or d behind it: 90, 90s, 15m, 24h, 30d.

Other users of this machine can see arguments: give a secret state as
`--body -`, which reads its hex, white space allowed, from standard input.

Examples:
  waxseal token seal --ring ring.json --purpose session --body d285d8cc04
  xxd -p state.bin | waxseal token seal --purpose session --ttl 1h --body -

Exit codes:
  0  sealed
  2  wrong arguments, or limits that contradict each other or the ring's
  3  the ring file cannot be used
  4  no token was minted: no key seals, or the state is too large";

pub(crate) const OPEN: &str = "\
Other users of this machine can see arguments: pass a live token on standard
input. One newline at its end is left out. A duration D is a number of whole
seconds, or one with s, m, h or d behind it: 90, 90s, 15m, 24h, 30d.

Why a token was refused is one line on standard error. It is exact, for the
operator: never show it to a client.

Examples:
  waxseal token open --ring ring.json --purpose session < token.txt
  waxseal token open --purpose session --carrier cookie:__Host-id TOKEN

Exit codes:
  0  opened
  1  the token was refused
  2  wrong arguments, or limits that contradict each other or the ring's
  3  the ring file cannot be used";

pub(crate) const INSPECT: &str = "\
Anyone can write a token that says anything: believe only `waxseal token open`.
Other users of this machine can see arguments: pass a live token on standard
input. One newline at its end is left out.

Examples:
  waxseal token inspect < token.txt
  waxseal token inspect --prefix shop_ TOKEN

Exit codes:
  0  shown
  1  it is not a token
  2  wrong arguments";
