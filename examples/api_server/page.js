// The page's script: calls the API, shows what it says, and asks for the key ring every second.
"use strict";

const el = (id) => document.getElementById(id);

// Any script that runs on this page could read the token here; a cookie marked HttpOnly hides it
// from scripts, and is then sent along by itself, which needs a defence of its own.
let token = sessionStorage.getItem("token");
let session = null;
let keys = [];

/** Calls the API with the token, keeps the new one if there is one, and returns the answer. */
async function call(method, path, body) {
  const headers = {};
  if (token) headers["Authorization"] = `Bearer ${token}`;
  if (body) headers["Content-Type"] = "application/json";
  const response = await fetch(path, { method, headers, body: body && JSON.stringify(body), cache: "no-store" });
  const answer = await response.json();
  const fresh = response.headers.get("Session-Token");
  if (fresh) keep(fresh);
  const sealed = fresh ? `: a new token, sealed under ${answer.key}` : "";
  note(`${method} ${path} → ${response.status}${sealed}`);
  if (!response.ok) throw new Error(answer.error);
  return answer;
}

function keep(text) {
  token = text;
  if (text) sessionStorage.setItem("token", text);
  else sessionStorage.removeItem("token");
}

/** Does something for a click, and shows the session or the problem. */
async function act(what) {
  let problem = "";
  try {
    session = await what();
  } catch (error) {
    problem = error.message;
  }
  el("problem").textContent = problem;
  el("problem").hidden = !problem;
  show();
}

function show() {
  el("logged-out").hidden = Boolean(session);
  el("logged-in").hidden = !session;
  el("token-box").hidden = !token;
  el("token").textContent = token ?? "";
  el("length").textContent = token?.length ?? 0;
  if (!session) return;
  for (const id of ["user", "session", "schema", "key"]) el(id).textContent = session[id];
  for (const id of ["start", "issued", "expires"]) el(id).textContent = time(session[id]);
  const lines = session.cart.map((line) => row(line.sku, line.count));
  el("cart").replaceChildren(...(lines.length ? lines : [row("the cart is empty", "")]));
  showKey();
}

/** What the session's key does now, which changes while the page is open. */
function showKey() {
  if (!session) return;
  const role = keys.find((key) => key.id === session.key)?.role ?? "not in the ring";
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
    act(() => what(new FormData(event.target)));
  });
}

onSubmit("login", (form) => call("POST", "/login", { user: form.get("user") }));
onSubmit("bring", (form) => {
  keep(form.get("token").trim());
  return call("GET", "/session");
});
onSubmit("add", (form) => call("POST", "/cart", { sku: Number(form.get("sku")), count: Number(form.get("count")) }));
el("clear").addEventListener("click", () => act(() => call("DELETE", "/cart")));
el("show").addEventListener("click", () => act(() => call("GET", "/session")));
el("renew").addEventListener("click", () => act(() => call("POST", "/renew")));
el("logout").addEventListener("click", () => act(async () => {
  // Whatever the server says: to log out is to forget the token.
  const answer = await call("POST", "/logout").catch((error) => ({ caution: error.message }));
  note(answer.caution);
  keep(null);
  return null;
}));

if (token) act(() => call("GET", "/session"));
show();
watchKeys();
