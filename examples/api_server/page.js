// The page's script: calls the API, shows what it says, and asks for the key ring every second.
import { createSession } from "/session.js";

const el = (id) => document.getElementById(id);

const KEY = "session-token";
const session = createSession({ storage: tabStorage(), key: KEY });

let view = null; // the session as the server last showed it
let travel = null; // how the last request's session arrived, and what the browser asked for
let keys = [];
let turns = 0;
let running = 0;
let stale = false; // the session changed since it was last looked at

/** What a reload leaves alone. A browser that blocks it throws; then the token lives in memory. */
function tabStorage() {
  try {
    return sessionStorage;
  } catch {
    return undefined;
  }
}

/** Calls the API and returns its answer. The session's fetch sends the token, if there is one, and keeps a new one. */
async function call(method, path, body) {
  const init = { method, cache: "no-store" };
  if (body) Object.assign(init, { headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  const response = await session.fetch(path, init);
  const answer = await response.json();
  if (answer.signals) travel = answer;
  note(`${method} ${path} → ${response.status}${outcome(response.headers.get("Session-Token"))}`);
  if (!response.ok) throw Object.assign(new Error(answer.error ?? NOT_KEPT), { status: response.status });
  return answer;
}

// A logout is answered so if the server could not write it down.
const NOT_KEPT = "This is in force on the server, but it could not make it last. It goes on trying.";

function outcome(field) {
  if (field === "?0") return ": forget your token";
  return field ? ": a new token" : "";
}

/** Asks the server who is logged in, which is the only way to know: this script sees no cookie. */
async function look() {
  stale = false;
  const { user } = await call("GET", "/whoami");
  return user !== null || session.active() ? call("GET", "/session") : null;
}

/** Shows what `what` finds. Of two at once the later one counts, because it asked later. */
async function act(what) {
  const turn = ++turns;
  running += 1;
  try {
    const found = await what();
    if (turn === turns) view = found;
  } catch (error) {
    complain(error.message);
    if (turn === turns && error.status === 401) {
      stale ||= view !== null; // a refusal does not say what the browser asks for now
      [view, travel] = [null, { ...travel, carrier: null }];
    }
  }
  running -= 1;
  show();
  lookIfStale();
}

function lookIfStale() {
  if (stale && !running) act(look);
}

function complain(problem) {
  el("problem").textContent = problem;
  el("problem").hidden = !problem;
}

function show() {
  el("logged-out").hidden = Boolean(view);
  el("logged-in").hidden = !view;
  showTravel();
  if (!view) return;
  for (const id of ["user", "session", "schema", "key"]) el(id).textContent = view[id];
  for (const id of ["start", "issued", "expires"]) el(id).textContent = time(view[id]);
  const lines = view.cart.map((line) => row(line.sku, line.count));
  el("cart").replaceChildren(...(lines.length ? lines : [row("the cart is empty", "")]));
  showKey();
}

/** How the session travels: by what, why, and where it is kept. */
function showTravel() {
  if (!travel?.signals) return;
  const carrier = travel.carrier ?? "none";
  const { dnt, gpc } = travel.signals; // as the server saw them
  const token = heldToken();
  const place = session.active() ? "token" : carrier;
  el("carrier").replaceWith(badge(carrier, "carrier"));
  el("carrier-note").textContent = ARRIVED[carrier];
  el("signals").textContent = `${DNT.get(dnt)}, ${gpc ? "Sec-GPC: 1" : "no Sec-GPC"}`;
  el("why").textContent = dnt || gpc ? WHY[place].asked : WHY[place].unasked;
  el("stored").textContent = session.active() && !token ? STORED.memory : STORED[place];
  el("token-box").hidden = !token;
  el("token").textContent = token;
  el("length").textContent = token.length;
}

const DNT = new Map([[true, "DNT: 1"], [false, "DNT: 0"], [null, "no DNT"]]);

const ARRIVED = {
  cookie: "The browser sent the session by itself.",
  header: "This page sent it as Authorization: Bearer.",
  none: "It came without a session.",
};

/** What the server's policy makes of the signals, as far as a page can know it. */
const WHY = {
  token: {
    asked: "Your browser asks not to be tracked, so the server sets no cookie and gives the token to this page.",
    unasked: "A session keeps the way that it began on, and this one came to the page as a token.",
  },
  cookie: {
    asked: "Your browser asks not to be tracked, but you asked for this cookie, or it is the policy of this site.",
    unasked: "Your browser sends no wish not to be tracked, so the session is in a cookie, which no script can read.",
  },
  none: {
    asked: "Your browser asks not to be tracked: by default, a login then sets no cookie and gives this page a token.",
    unasked: "Your browser sends no wish not to be tracked: by default, a login then sets a cookie.",
  },
};

const STORED = {
  token: "A token in the sessionStorage of this tab; no cookie is sent beside it.",
  memory: "A token in the memory of this page, until its next load: the browser offers no storage.",
  cookie: "A cookie marked HttpOnly, sent by the browser, readable by no script. In sessionStorage nothing.",
  none: "Nothing.",
};

/** The token as text, only to show it. */
function heldToken() {
  return tabStorage()?.getItem(KEY)?.split(" ")[0] ?? "";
}

/** What the session's key does now, which changes while the page is open. */
function showKey() {
  if (!view) return;
  const role = keys.find((key) => key.id === view.key)?.role ?? "not in the ring";
  el("key-role").replaceWith(badge(role, "key-role"));
  el("key-note").textContent = role === "retiring" ? "still opens; the next request moves on" : "";
}

async function watchKeys() {
  try {
    const ring = await (await fetch("/keys", { cache: "no-store" })).json();
    keys = ring.keys;
    el("keys").replaceChildren(...keys.map((key) => {
      const id = document.createElement("code");
      id.textContent = key.id;
      const until = key.role === "active" || !key.opens_until ? "" : time(key.opens_until);
      return row(id, badge(key.role), key.activate_at ? time(key.activate_at) : "", until);
    }));
    el("generation").textContent = ring.generation;
    el("checked").textContent = time(ring.checked_at);
    el("ring-problem").textContent = ring.last_error ?? "";
    showKey();
  } catch {
    el("ring-problem").textContent = "The server does not answer.";
  }
  setTimeout(watchKeys, 1000);
}

function badge(role, id = "") {
  const span = document.createElement("span");
  span.className = `role ${role}`;
  span.id = id;
  span.textContent = role;
  return span;
}

function row(...cells) {
  const tr = document.createElement("tr");
  for (const cell of cells) tr.insertCell().append(cell);
  return tr;
}

const time = (seconds) => new Date(seconds * 1000).toLocaleTimeString();

function note(text) {
  const line = document.createElement("li");
  line.textContent = text;
  el("log-box").hidden = false;
  el("log").prepend(line);
  while (el("log").children.length > 8) el("log").lastChild.remove();
}

function onSubmit(id, what) {
  el(id).addEventListener("submit", (event) => {
    event.preventDefault();
    complain("");
    act(() => what(new FormData(event.target)));
  });
}

function onClick(id, what) {
  el(id).addEventListener("click", () => {
    complain("");
    act(what);
  });
}

onSubmit("login", async (form) => {
  session.clear();
  await call("POST", "/login", { user: form.get("user") });
  return look(); // the login itself came without a session, so only the next request shows how it travels
});
onSubmit("bring", (form) => {
  session.adopt(form.get("token").trim());
  return look();
});
onSubmit("add", (form) => call("POST", "/cart", { sku: Number(form.get("sku")), count: Number(form.get("count")) }));
onClick("clear", () => call("DELETE", "/cart"));
onClick("show", () => call("GET", "/session"));
// An answer shows the token that its request came with, so the new one is shown by the next.
onClick("renew", () => call("POST", "/renew").then(() => call("GET", "/session")));
async function logOut(path) {
  try {
    const { logout, caution } = await call("POST", path);
    note(caution);
    note(logout);
  } finally {
    session.clear(); // whatever the server says: to log out is to forget the token
  }
  return look();
}
onClick("logout", () => logOut("/logout"));
onClick("logout-everywhere", () => logOut("/logout/everywhere"));
onClick("logout-others", async () => {
  const { logout, caution } = await call("POST", "/logout/others");
  note(caution);
  note(logout);
  return call("GET", "/session");
});

// The forms go to the server without this script, and cannot take a token along.
for (const id of ["form-login", "form-logout"]) el(id).addEventListener("submit", () => session.clear());

session.onchange = () => {
  stale = true;
  lookIfStale();
};
act(look);
watchKeys();
