//! What stands below the options in each verb's help: notes, examples, exit codes. At most 79 columns.

pub(crate) const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  the token was refused, no key seals, or a check found something
  2  wrong arguments
  3  the ring file cannot be used or made
  4  it could not be done: no token minted, ring not changed, nothing revoked,
     no output";

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

It asks no list of revocations: see `waxseal revocations inspect`.

Why a token was refused is one line on standard error. It is exact, for the
operator: never show it to a client.

Examples:
  waxseal token open --ring ring.json --purpose session < token.txt
  waxseal token open --purpose session --carrier cookie:__Host-Http-id TOKEN

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
