// The rules of session.js, one by one, and its races. Run: node --test examples/web/   (Node 20, nothing to install)
//
// Most tests play a server that answers when, and in the order, the test says. A tab is a fresh copy of the module
// over a storage of its own; the last part runs against real servers on the loopback address.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { beforeEach, test } from "node:test";

const HOME = "https://shop.test";
const FOREIGN = "https://evil.test";
const SOURCE = readFileSync(new URL("session.js", import.meta.url), "utf8");

// --- The stand-ins -------------------------------------------------------------------------------------------------

let sent, channels, posted, pageshow, copies = 0;

const real = { fetch: globalThis.fetch, Request: globalThis.Request };
const define = (name, value) => Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });

beforeEach(() => {
  sent = [];
  channels = [];
  posted = [];
  pageshow = [];
  define("location", { origin: HOME, href: `${HOME}/` });
  define("addEventListener", (type, listener) => { if (type === "pageshow") pageshow.push(listener); });
  define("BroadcastChannel", Channel);
  define("Request", class extends real.Request {
    // A browser resolves against the page; Node has none.
    constructor(input, init) { super(typeof input === "string" ? new URL(input, location.href) : input, init); }
  });
  define("fetch", (request, options) => new Promise((resolve, reject) => {
    const call = { request: options ? new real.Request(request, options) : request, options };
    call.answer = async ({ url = request.url, ...how } = {}) => {
      resolve(response(url, how));
      await settled();
    };
    call.request.signal.addEventListener("abort", () => reject(call.request.signal.reason));
    sent.push(call);
  }));
});

/** An answer as a browser shows it to a script: with the last URL, or none if it is opaque. */
function response(url, { status = 200, token, refused, headers = {} }) {
  const all = new Headers(headers);
  if (token !== undefined) all.set("Session-Token", token);
  if (refused) all.set("WWW-Authenticate", 'Bearer realm="session", error="invalid_token"');
  return Object.defineProperty(new Response(null, { status, headers: all }), "url", { value: url });
}

/** Messages wait until the test delivers them. */
class Channel {
  constructor(name) { this.name = name; channels.push(this); }
  postMessage(data) { posted.push({ from: this, data: structuredClone(data) }); }
}

async function deliver() {
  for (const { from, data } of posted.splice(0)) {
    for (const to of channels) if (to !== from && to.name === from.name) to.onmessage({ data });
  }
  await settled();
}

const settled = () => new Promise(setImmediate);

class FakeStorage {
  items = new Map();
  getItem(name) { return this.items.get(name) ?? null; }
  setItem(name, value) { this.items.set(name, String(value)); }
  removeItem(name) { this.items.delete(name); }
  /** What a browser gives to a copy of the tab. */
  copy() { return Object.assign(new FakeStorage(), { items: new Map(this.items) }); }
}

/** One session, from a copy of the module that no other shares, and the number of times it said "changed". */
async function tab(options = { storage: new FakeStorage() }) {
  const { createSession } = await import(`data:text/javascript,${encodeURIComponent(SOURCE)}#${++copies}`);
  const session = createSession(options);
  const page = { session, storage: options.storage, changes: 0 };
  session.onchange = () => { page.changes += 1; };
  return page;
}

/** Sends a request and returns it while it is on its way. */
function send({ session }, method, path = "/", init = {}) {
  const promise = session.fetch(path, { method, ...init });
  promise.catch(() => {});
  return Object.assign(sent.at(-1), { promise });
}

const get = (page) => send(page, "GET");
const post = (page) => send(page, "POST");

async function logIn(page, token) {
  page.session.clear();
  await post(page).answer({ token });
  assert.equal(held(page), token);
  return page;
}

/** The token that a next request would carry, without sending one. */
const held = ({ storage }) => storage.getItem("session-token")?.split(" ")[0] ?? null;
const bearer = ({ request }) => request.headers.get("Authorization");

const T = (name) => `${name}_`.padEnd(60, "0");
const [ADA, ADA2, ADA3, BOB] = [T("ada"), T("ada2"), T("ada3"), T("bob")];

// --- Rule 1: only to origins on the list ---------------------------------------------------------------------------

test("a request to another origin is refused before anything is sent", async () => {
  const page = await logIn(await tab(), ADA);
  await assert.rejects(page.session.fetch(new Request(FOREIGN)), TypeError);
  const lookalikes = ["http://shop.test/", "https://shop.test:444/", "https://shop.test.evil.test/", "//evil.test/",
    "https://shop.test@evil.test/", "https://sub.shop.test/", "data:text/plain,x", "https:\\\\evil.test\\shop.test"];
  for (const url of [FOREIGN, ...lookalikes]) {
    await assert.rejects(page.session.fetch(url), TypeError, url);
  }
  assert.equal(sent.length, 1, "the login, and nothing since");
});

test("a relative address, a URL and a Request to our own origin carry the token", async () => {
  const page = await logIn(await tab(), ADA);
  for (const input of ["/cart", new URL("/cart", HOME), new Request("/cart")]) {
    page.session.fetch(input);
    assert.equal(bearer(sent.at(-1)), `Bearer ${ADA}`);
    assert.equal(sent.at(-1).request.url, `${HOME}/cart`);
  }
});

test("a list of origins replaces our own, however its entries are written", async () => {
  const page = await tab({ origins: ["HTTPS://API.test:443/v1/"], storage: new FakeStorage() });
  await assert.rejects(page.session.fetch("/"), TypeError);
  page.session.fetch("https://api.test/cart");
  assert.equal(sent.length, 1);
});

test("a list of origins that has no origin, or grows later, allows nothing", async () => {
  for (const none of ["null", "shop.test", "*", ""]) await assert.rejects(tab({ origins: [none] }), TypeError, none);
  const origins = [HOME];
  const page = await tab({ origins });
  origins.push(FOREIGN);
  await assert.rejects(page.session.fetch(FOREIGN), TypeError);
});

test("a page without an origin of its own gets no session", async () => {
  location.origin = "null";
  await assert.rejects(tab({}), TypeError);
});

// --- Rule 2: Authorization is ours ---------------------------------------------------------------------------------

test("the caller's own Authorization is refused in every shape, with a token and without", async () => {
  const mine = "Basic YTpi";
  const page = await tab();
  for (let round = 0; round < 2; round += 1) {
    const before = sent.length;
    for (const headers of [{ authorization: mine }, [["AUTHORIZATION", mine]], new Headers({ Authorization: mine })]) {
      await assert.rejects(page.session.fetch("/", { headers }), TypeError);
      await assert.rejects(page.session.fetch(new Request("/", { headers })), TypeError);
    }
    await assert.rejects(page.session.fetch("/", { headers: { Authorization: "" } }), TypeError);
    assert.equal(sent.length, before);
    await logIn(page, ADA);
  }
});

test("a refused request leaves no number behind that would end others", async () => {
  const page = await tab();
  const login = post(page);
  await assert.rejects(page.session.fetch(FOREIGN), TypeError);
  await login.answer({ token: ADA });
  assert.equal(held(page), ADA);
});

// --- Rule 3: what the request says ---------------------------------------------------------------------------------

test("every request says that a token can be held, and the caller cannot unsay it", async () => {
  const page = await tab();
  assert.equal(get(page).request.headers.get("Session-Transport"), "header");
  send(page, "GET", "/", { headers: { "Session-Transport": "none" } });
  assert.equal(sent.at(-1).request.headers.get("Session-Transport"), "header");
});

test("a no-cors request, which could carry no token, is refused", async () => {
  const page = await tab();
  await assert.rejects(page.session.fetch("/", { mode: "no-cors" }), TypeError);
  assert.equal(sent.length, 0);
});

test("method, body, headers, cache, referrer and its policy arrive as the caller gave them", async () => {
  const page = await logIn(await tab(), ADA);
  const init = { method: "PUT", body: "x=1", headers: { "X-Mine": "1" }, cache: "no-store" };
  Object.assign(init, { referrer: "", referrerPolicy: "origin" });
  for (const input of [["/a", init], [new Request("/a", init)]]) {
    page.session.fetch(...input);
    const { request } = sent.at(-1);
    assert.deepEqual([request.method, request.cache, request.headers.get("X-Mine")], ["PUT", "no-store", "1"]);
    assert.deepEqual([request.referrer, request.referrerPolicy], ["", "origin"]);
    assert.equal(await request.text(), "x=1");
  }
});

// --- Rule 4: no cookies beside a token -----------------------------------------------------------------------------

test("cookies stay out of it once a token is held, whatever the caller says", async () => {
  const page = await logIn(await tab(), ADA);
  for (const credentials of [undefined, "include", "same-origin", "omit"]) {
    assert.equal(send(page, "GET", "/", credentials && { credentials }).request.credentials, "omit");
  }
});

test("without a token the cookie may travel, as the caller says", async () => {
  const page = await tab();
  assert.equal(get(page).request.credentials, "same-origin");
  assert.equal(send(page, "GET", "/", { credentials: "include" }).request.credentials, "include");
  assert.equal(send(page, "GET", "/", { credentials: "omit" }).request.credentials, "omit");
  assert.equal(bearer(sent.at(-1)), null);
});

// --- Rule 5: only answers from the list ----------------------------------------------------------------------------

test("an answer from a stranger, by a redirect, neither gives, nor ends, nor refuses a session", async () => {
  const page = await tab();
  await post(page).answer({ url: `${FOREIGN}/`, token: BOB });
  assert.equal(held(page), null);
  await logIn(page, ADA);
  for (const how of [{ token: BOB }, { token: "?0" }, { status: 401, refused: true }]) {
    for (const url of [`${FOREIGN}/`, "http://shop.test/", "https://shop.test.evil.test/", "data:,"]) {
      await post(page).answer({ url, ...how });
    }
  }
  assert.equal(held(page), ADA);
  assert.equal(posted.length, 0);
});

test("an opaque answer, which has no address, is nobody's", async () => {
  const page = await tab();
  const call = post(page);
  await call.answer({ url: "", token: BOB });
  assert.equal((await call.promise).status, 200);
  assert.equal(held(page), null);
});

test("what is not one bare token is not stored", async () => {
  const page = await logIn(await tab(), ADA);
  const joined = [`${BOB};g=2`, `${BOB}, ${BOB}`, `?0, ${BOB}`, `${BOB} x`, `"${BOB}"`];
  for (const token of ["", "short", "?1", "0".repeat(4017), ...joined]) {
    await post(page).answer({ token });
    assert.equal(held(page), ADA, token);
  }
});

test("a token of the greatest length is stored, and sent", async () => {
  const page = await tab();
  await logIn(page, "x".repeat(4016));
  assert.equal(bearer(get(page)).length, "Bearer ".length + 4016);
});

test("a token that comes with an error is stored all the same", async () => {
  const page = await logIn(await tab(), ADA);
  await post(page).answer({ status: 422, token: ADA2 });
  assert.equal(held(page), ADA2);
});

// --- Rule 6: answers that overtake each other ----------------------------------------------------------------------

test("race: of two changes, the token of the later one stays, in whichever order they are answered", async () => {
  for (const swap of [false, true]) {
    const page = await logIn(await tab(), ADA);
    const answers = [() => first.answer({ token: ADA2 }), () => second.answer({ token: ADA3 })];
    const [first, second] = [post(page), post(page)];
    for (const answer of swap ? answers.reverse() : answers) await answer();
    assert.equal(held(page), ADA3);
  }
});

test("race: a later change without a token of its own does not hold back the earlier one's", async () => {
  const page = await logIn(await tab(), ADA);
  const [first, second] = [post(page), post(page)];
  await second.answer({ status: 422 });
  await first.answer({ token: ADA2 });
  assert.equal(held(page), ADA2);
});

test("race: a renewal that came with a GET or HEAD does not undo a change, sent before it or after it", async () => {
  for (const method of ["GET", "HEAD"]) {
    const page = await logIn(await tab(), ADA);
    const [before, change, after] = [send(page, method), post(page), send(page, method)];
    await change.answer({ token: ADA2 });
    await before.answer({ token: ADA3 });
    await after.answer({ token: ADA3 });
    assert.equal(held(page), ADA2, method);
  }
});

test("race: every other method is a change", async () => {
  for (const method of ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY"]) {
    const page = await logIn(await tab(), ADA);
    const [first, second] = [post(page), send(page, method)];
    await first.answer({ token: ADA2 });
    await second.answer({ token: ADA3 });
    assert.equal(held(page), ADA3, method);
  }
});

test("race: a change is not lost to a renewal that was sent later and answered first", async () => {
  const page = await logIn(await tab(), ADA);
  const [change, reading] = [post(page), get(page)];
  await reading.answer({ token: ADA3 });
  await change.answer({ token: ADA2 });
  assert.equal(held(page), ADA2);
});

test("race: of two renewals the first to be answered stays", async () => {
  const page = await logIn(await tab(), ADA);
  const [one, two] = [get(page), get(page)];
  await two.answer({ token: ADA3 });
  await one.answer({ token: ADA2 });
  assert.equal(held(page), ADA3);
});

test("race: of two reads that turn a cookie session into a token, the first to be answered stays", async () => {
  const page = await tab();
  const [one, two] = [get(page), get(page)];
  await two.answer({ token: ADA2 });
  await one.answer({ token: ADA });
  assert.equal(held(page), ADA2);
  assert.equal(page.changes, 1);
});

test("race: twenty changes, answered in a shuffled order, leave the last one's token", async () => {
  const page = await logIn(await tab(), ADA);
  const calls = Array.from({ length: 20 }, () => post(page));
  const order = calls.map((_, i) => (i * 7 + 3) % 20);
  for (const i of order) await calls[i].answer({ token: T(`n${i}`) });
  assert.equal(held(page), T("n19"));
});

test("race: after a clear, no answer to an earlier request brings a token back", async () => {
  for (const method of ["GET", "HEAD", "POST", "DELETE"]) {
    const page = await logIn(await tab(), ADA);
    const late = send(page, method);
    page.session.clear();
    await late.answer({ token: ADA2 });
    assert.equal(page.session.active(), false, method);
  }
});

test("race: after a clear with nothing held, a login that was on its way does not arrive", async () => {
  const page = await tab();
  const login = post(page);
  page.session.clear();
  await login.answer({ token: ADA });
  assert.equal(page.session.active(), false);
});

test("race: after a logout, what was sent before it, or beside it, brings no token back", async () => {
  const page = await logIn(await tab(), ADA);
  const [before, logout, beside] = [post(page), post(page), post(page)];
  await logout.answer({ token: "?0" });
  await beside.answer({ token: ADA3 });
  await before.answer({ token: ADA2 });
  assert.equal(page.session.active(), false);
});

test("race: a change that was answered before the logout does not save the session from it", async () => {
  const page = await logIn(await tab(), ADA);
  const [logout, beside] = [post(page), post(page)];
  await beside.answer({ token: ADA2 });
  await logout.answer({ token: "?0" });
  assert.equal(page.session.active(), false);
});

test("race: a late logout does not end the session that was begun after it", async () => {
  const page = await logIn(await tab(), ADA);
  const logout = post(page);
  await logIn(page, BOB);
  posted = [];
  await logout.answer({ token: "?0" });
  assert.equal(held(page), BOB);
  assert.equal(posted.length, 0);
});

test("race: of two logins in a row, each after a clear, the second stays", async () => {
  for (const swap of [false, true]) {
    const page = await tab();
    page.session.clear();
    const ada = post(page);
    page.session.clear();
    const bob = post(page);
    const answers = [() => ada.answer({ token: ADA }), () => bob.answer({ token: BOB })];
    for (const answer of swap ? answers.reverse() : answers) await answer();
    assert.equal(held(page), BOB);
  }
});

test("race: the logout of a cookie session ends the token that it turned into meanwhile", async () => {
  const page = await tab();
  const [logout, reading] = [post(page), get(page)];
  await reading.answer({ token: ADA });
  await logout.answer({ token: "?0" });
  assert.equal(page.session.active(), false);
});

// --- adopt ---------------------------------------------------------------------------------------------------------

test("adopt takes a token as if the server had sent it", async () => {
  const page = await tab();
  page.session.adopt(ADA);
  assert.equal(page.session.active(), true);
  assert.equal(bearer(get(page)), `Bearer ${ADA}`);
  await settled();
  assert.equal(page.changes, 1);
});

test("adopt refuses what is no token, and keeps what it has", async () => {
  const page = await logIn(await tab(), ADA);
  for (const token of ["", "short", `${BOB} `, `${BOB}\n`, `${BOB}\r\nX: y`, undefined, null, `é${BOB}`]) {
    assert.throws(() => page.session.adopt(token), TypeError);
  }
  assert.equal(held(page), ADA);
});

test("race: what was on its way when a token was adopted changes nothing", async () => {
  for (const how of [{ token: ADA2 }, { token: "?0" }, { status: 401, refused: true }]) {
    for (const method of ["GET", "POST"]) {
      const page = await logIn(await tab(), ADA);
      const late = send(page, method);
      page.session.adopt(BOB);
      await late.answer(how);
      assert.equal(held(page), BOB);
    }
  }
});

test("race: the same, with nothing held before", async () => {
  const page = await tab();
  const login = post(page);
  page.session.adopt(BOB);
  await login.answer({ token: ADA });
  assert.equal(held(page), BOB);
});

// --- Rule 7: logout, here and in other tabs ------------------------------------------------------------------------

test("?0 ends the session, and a copy of the tab ends it too", async () => {
  const one = await logIn(await tab(), ADA);
  const copy = await tab({ storage: one.storage.copy() });
  await post(copy).answer({ token: ADA2 });
  await post(one).answer({ token: "?0" });
  assert.deepEqual([held(one), held(copy)], [null, ADA2]);
  await deliver();
  assert.deepEqual([held(one), held(copy)], [null, null]);
  assert.equal(copy.changes, 1);
});

test("clear ends it in the copies of the tab as well, without a server", async () => {
  const one = await logIn(await tab(), ADA);
  const copy = await tab({ storage: one.storage.copy() });
  one.session.clear();
  await deliver();
  assert.equal(copy.session.active(), false);
});

test("race: what a copy of the tab had on its way at the logout does not come back", async () => {
  const one = await logIn(await tab(), ADA);
  const copy = await tab({ storage: one.storage.copy() });
  const late = post(copy);
  one.session.clear();
  await deliver();
  await late.answer({ token: ADA2 });
  assert.equal(copy.session.active(), false);
});

test("a logout leaves another user's session in another tab alone, and tells the tab to ask", async () => {
  const ada = await logIn(await tab(), ADA);
  const bob = await logIn(await tab(), BOB);
  await deliver();
  const before = bob.changes;
  await post(ada).answer({ token: "?0" });
  await deliver();
  assert.equal(held(bob), BOB);
  assert.equal(bob.changes, before + 1);
});

test("a logout leaves a newer session alone in what was a copy of the tab", async () => {
  const one = await logIn(await tab(), ADA);
  const copy = await tab({ storage: one.storage.copy() });
  copy.session.adopt(BOB);
  one.session.clear();
  await deliver();
  assert.equal(held(copy), BOB);
});

test("race: a tab that has a login on its way keeps it when another tab's session ends", async () => {
  const ada = await logIn(await tab(), ADA);
  for (const end of [() => ada.session.clear(), () => post(ada).answer({ token: "?0" })]) {
    const other = await tab();
    const login = post(other);
    await end();
    await deliver();
    await login.answer({ token: BOB });
    assert.equal(held(other), BOB);
  }
});

test("the logout of a cookie session tells the other tabs to ask, and takes no token", async () => {
  const [one, other, bob] = [await tab(), await tab(), await logIn(await tab(), BOB)];
  await post(one).answer({ token: "?0" });
  await deliver();
  assert.equal(other.changes, 1);
  assert.equal(held(bob), BOB);
});

test("a message holds no token and no part of one", async () => {
  const page = await logIn(await tab(), ADA);
  await post(page).answer({ token: "?0" });
  await logIn(page, BOB);
  page.session.clear();
  await post(page).answer({ token: "?0" });
  assert.equal(posted.length, 3);
  for (const { data } of posted) assert.match(String(data), /^(\d+_\d+|undefined)$/);
});

test("foreign messages on the channel end nothing", async () => {
  const page = await logIn(await tab(), ADA);
  for (const data of [undefined, null, "", 0, true, {}, [], ADA, "undefined", { label: 1 }]) {
    posted.push({ from: { name: "session-token" }, data });
  }
  await deliver();
  assert.equal(held(page), ADA);
});

test("reading with nothing held ends nothing and tells nobody: tabs do not wake each other for ever", async () => {
  const pages = [await tab(), await tab()];
  for (const page of pages) page.session.onchange = () => page.session.fetch("/whoami");
  const login = post(pages[1]);
  await get(pages[0]).answer({ token: "?0" });
  assert.equal(posted.length, 0);
  await get(pages[1]).answer({ token: "?0" });
  await login.answer({ token: ADA });
  assert.equal(held(pages[1]), ADA);
});

test("a clear with nothing held tells nobody", async () => {
  const page = await tab();
  page.session.clear();
  await settled();
  assert.deepEqual([posted.length, page.changes], [0, 0]);
});

test("sessions under different keys do not hear each other", async () => {
  const storage = new FakeStorage();
  const [shop, desk] = [await tab({ storage }), await tab({ storage, key: "desk" })];
  await logIn(shop, ADA);
  desk.session.adopt(BOB);
  const late = post(desk);
  shop.session.clear();
  await deliver();
  await late.answer({ token: T("bob2") });
  assert.equal(bearer(get(desk)), `Bearer ${T("bob2")}`);
});

test("a browser without BroadcastChannel, or one that refuses it, still logs out", async () => {
  for (const none of [undefined, class { constructor() { throw new Error("SecurityError"); } }]) {
    define("BroadcastChannel", none);
    const page = await logIn(await tab(), ADA);
    await post(page).answer({ token: "?0" });
    assert.equal(page.session.active(), false);
  }
});

// --- Two copies of the module in one tab ---------------------------------------------------------------------------

test("two sessions over one storage are one session", async () => {
  const one = await logIn(await tab(), ADA);
  const two = await tab({ storage: one.storage });
  assert.equal(bearer(get(two)), `Bearer ${ADA}`);
  const [first, second] = [post(one), post(two)];
  await second.answer({ token: ADA3 });
  await first.answer({ token: ADA2 });
  assert.equal(held(one), ADA3, "they count together");
});

test("race: a clear in one copy holds back what the other had on its way, with a token and without", async () => {
  const storage = new FakeStorage();
  const [one, two] = [await tab({ storage }), await tab({ storage })];
  for (const begin of [() => {}, () => two.session.adopt(ADA)]) {
    begin();
    const late = post(two);
    one.session.clear();
    await late.answer({ token: ADA2 });
    assert.equal(one.session.active(), false);
  }
});

test("race: a clear in one copy, and a login at once, survive the news of it in the other", async () => {
  const storage = new FakeStorage();
  const [one, two] = [await logIn(await tab({ storage }), ADA), await tab({ storage })];
  for (const end of [() => one.session.clear(), () => post(one).answer({ token: "?0" })]) {
    await end();
    const login = post(one);
    await deliver();
    await login.answer({ token: BOB });
    await deliver();
    assert.equal(held(two), BOB);
  }
});

test("race: in a frame, which shares the items and not the object, a cleared session does not come back", async () => {
  const one = await logIn(await tab(), ADA);
  const frame = await tab({ storage: Object.assign(new FakeStorage(), { items: one.storage.items }) });
  const late = [get(frame), post(frame)];
  one.session.clear();
  await late[1].answer({ token: ADA2 });
  assert.equal(held(one), null);
  await logIn(one, BOB);
  await late[0].answer({ token: ADA3 });
  assert.equal(held(frame), BOB);
});

test("two sessions in memory share nothing", async () => {
  const [one, two] = [await tab({}), await tab({})];
  one.session.adopt(ADA);
  const login = post(two);
  one.session.clear();
  await deliver();
  await login.answer({ token: BOB });
  assert.deepEqual([one.session.active(), two.session.active()], [false, true]);
});

// --- Rule 8: a token that is refused -------------------------------------------------------------------------------

test("401 with invalid_token drops the token that was refused, in this tab only", async () => {
  const page = await logIn(await tab(), ADA);
  const before = page.changes;
  await get(page).answer({ status: 401, refused: true });
  assert.equal(held(page), null);
  assert.equal(page.changes, before + 1);
  assert.equal(posted.length, 0, "a copy of the tab may have a newer token");
});

test("race: 401 for a token that has been replaced since drops nothing", async () => {
  for (const method of ["GET", "POST"]) {
    const page = await logIn(await tab(), ADA);
    const [late, change] = [send(page, method), post(page)];
    await change.answer({ token: ADA2 });
    await late.answer({ status: 401, refused: true });
    assert.equal(held(page), ADA2);
  }
});

test("race: 401 for an old user's token does not stop the login that is on its way", async () => {
  const page = await logIn(await tab(), ADA);
  const late = get(page);
  page.session.clear();
  const login = post(page);
  await late.answer({ status: 401, refused: true });
  await login.answer({ token: BOB });
  assert.equal(held(page), BOB);
});

test("no other refusal drops the token", async () => {
  const page = await logIn(await tab(), ADA);
  const field = (value) => ({ headers: value && { "WWW-Authenticate": value } });
  for (const how of [
    { status: 401, ...field(undefined) },
    { status: 401, ...field('Bearer realm="session"') },
    { status: 401, ...field('Bearer realm="session", error="insufficient_scope"') },
    { status: 401, ...field('Digest error="invalid_token"') },
    { status: 400, ...field('Bearer realm="session", error="invalid_request"') },
    { status: 403, refused: true }, { status: 500, refused: true }, { status: 503 }, { status: 200, refused: true },
  ]) await get(page).answer(how);
  assert.equal(held(page), ADA);
});

test("401 without a token held changes nothing", async () => {
  const page = await tab();
  const login = post(page);
  await post(page).answer({ status: 401, refused: true });
  await login.answer({ token: ADA });
  assert.equal(held(page), ADA);
});

// --- Rule 9 and onchange -------------------------------------------------------------------------------------------

test("a page from the page cache is told to ask, a page that was loaded is not", async () => {
  const page = await tab();
  pageshow[0]({ persisted: false });
  await settled();
  assert.equal(page.changes, 0);
  pageshow[0]({ persisted: true });
  await settled();
  assert.equal(page.changes, 1);
});

test("onchange is called when a session begins and ends, and not for each new token", async () => {
  const page = await tab();
  await post(page).answer({ token: ADA });
  assert.equal(page.changes, 1);
  await post(page).answer({ token: ADA2 });
  await get(page).answer({ token: ADA3 });
  assert.equal(page.changes, 1);
  await post(page).answer({ token: "?0" });
  assert.equal(page.changes, 2);
});

test("onchange finds the new state, and may itself clear or fetch", async () => {
  const page = await tab();
  const seen = [];
  page.session.onchange = () => {
    seen.push(page.session.active());
    if (page.session.active()) page.session.clear();
  };
  await post(page).answer({ token: ADA });
  assert.deepEqual(seen, [true, false]);
});

test("onchange is called later, so that an error of its own disturbs no request", async () => {
  const page = await logIn(await tab(), ADA);
  const before = page.changes;
  page.session.clear();
  assert.equal(page.changes, before);
  await settled();
  assert.equal(page.changes, before + 1);
});

test("without onchange everything works", async () => {
  const page = await tab();
  page.session.onchange = null;
  await logIn(page, ADA);
  page.session.clear();
  await settled();
});

test("the methods work without their object", async () => {
  const { session: { fetch, active, adopt, clear } } = await tab();
  adopt(ADA);
  assert.equal(active(), true);
  fetch("/");
  assert.equal(bearer(sent.at(-1)), `Bearer ${ADA}`);
  clear();
  assert.equal(active(), false);
});

// --- Rule 10: the server decides -----------------------------------------------------------------------------------

test("the browser's signals are never read", async () => {
  const before = Object.getOwnPropertyDescriptor(globalThis, "navigator");
  const reads = [];
  define("navigator", new Proxy({}, { get: (_, name) => reads.push(name) }));
  const page = await logIn(await tab(), ADA);
  await post(page).answer({ token: "?0" });
  if (before) Object.defineProperty(globalThis, "navigator", before);
  else delete globalThis.navigator;
  assert.deepEqual(reads, []);
  assert.doesNotMatch(SOURCE, /navigator|doNotTrack|globalPrivacyControl|document\.|localStorage|indexedDB/);
});

// --- Storage -------------------------------------------------------------------------------------------------------

test("with a storage the session outlives a reload, and requests from before it do not touch it", async () => {
  const before = await logIn(await tab(), ADA);
  const after = await tab({ storage: before.storage.copy() });
  assert.equal(bearer(get(after)), `Bearer ${ADA}`);
  const late = post(after);
  await post(after).answer({ token: ADA3 });
  await late.answer({ token: ADA2 });
  assert.equal(held(after), ADA3);
});

test("without a storage it does not", async () => {
  (await tab({})).session.adopt(ADA);
  assert.equal((await tab({})).session.active(), false);
});

test("nothing is stored while no token is held: a cookie session leaves the storage empty", async () => {
  const page = await tab();
  await post(page).answer();
  await get(page).answer();
  page.session.clear();
  assert.equal(page.storage.items.size, 0);
  await logIn(page, ADA);
  assert.equal(page.storage.items.size, 1);
  await post(page).answer({ token: "?0" });
  assert.equal(page.storage.items.size, 0);
});

test("a storage that always throws gives way to memory", async () => {
  const blocked = () => { throw new Error("SecurityError"); };
  const page = await tab({ storage: { getItem: blocked, setItem: blocked, removeItem: blocked } });
  assert.equal(page.session.active(), false);
  await post(page).answer({ token: ADA });
  assert.equal(bearer(get(page)), `Bearer ${ADA}`);
  page.session.clear();
  assert.equal(page.session.active(), false);
});

test("a full storage neither keeps the old token nor loses the new one", async () => {
  const page = await logIn(await tab(), ADA);
  page.storage.setItem = () => { throw new Error("QuotaExceededError"); };
  const late = post(page);
  await post(page).answer({ token: ADA3 });
  await late.answer({ token: ADA2 });
  assert.equal(bearer(get(page)), `Bearer ${ADA3}`, "and the order of answers still holds");
  assert.equal(held(page), null, "a reload finds no old state");
});

test("a storage that fails at the logout does not keep the user logged in", async () => {
  const page = await logIn(await tab(), ADA);
  page.storage.removeItem = () => { throw new Error("SecurityError"); };
  page.session.clear();
  assert.equal(page.session.active(), false);
  assert.equal(bearer(get(page)), null);
});

test("what is in the storage and is no token is not sent", async () => {
  for (const item of ["undefined", "null", "", `${ADA}\r\nX: y`, `${ADA} a b`, `é${ADA}`, "{}"]) {
    const page = await tab();
    page.storage.setItem("session-token", item);
    assert.equal(page.session.active(), false);
    assert.equal(bearer(get(page)), null);
  }
});

test("a token that was put into the storage by hand is used and renewed", async () => {
  const page = await tab();
  page.storage.setItem("session-token", ADA);
  await get(page).answer({ token: ADA2 });
  assert.equal(held(page), ADA2);
});

// --- Requests that fail --------------------------------------------------------------------------------------------

test("an aborted request rejects as with fetch, and changes nothing", async () => {
  const page = await logIn(await tab(), ADA);
  const stop = new AbortController();
  const call = send(page, "POST", "/", { signal: stop.signal });
  stop.abort();
  await assert.rejects(call.promise, { name: "AbortError" });
  await call.answer({ token: ADA2 });
  assert.equal(held(page), ADA);
});

test("a lost connection rejects, and the next request goes on with the same token", async () => {
  const page = await logIn(await tab(), ADA);
  define("fetch", () => Promise.reject(new TypeError("network")));
  await assert.rejects(page.session.fetch("/", { method: "POST" }), { message: "network" });
  assert.equal(held(page), ADA);
});

test("the caller gets the response itself", async () => {
  const page = await tab();
  const call = post(page);
  await call.answer({ status: 409 });
  assert.equal((await call.promise).status, 409);
});

// --- Real servers, on the loopback address -------------------------------------------------------------------------

async function listen(answer) {
  const seen = [];
  const server = createServer(async (request, response) => {
    const { method, url, headers } = request;
    seen.push({ method, url, headers, body: Buffer.concat(await request.toArray()).toString() });
    answer(request, response);
  });
  await new Promise((done) => { server.listen(0, "127.0.0.1", done); });
  const close = () => { server.close(); server.closeAllConnections(); };
  return { seen, origin: `http://127.0.0.1:${server.address().port}`, close };
}

test("against real servers: login, change, renewal, redirect to a stranger, refusal, logout", async (t) => {
  const stranger = await listen((_, response) => response.setHeader("Session-Token", BOB).end());
  const server = await listen((request, response) => {
    const give = (token, status = 200) => response.writeHead(status, { "Session-Token": token }).end("{}");
    if (request.url === "/login") return give(ADA);
    if (request.url === "/cart") return give(ADA2);
    if (request.url === "/session") return give(ADA3);
    if (request.url === "/logout") return give("?0");
    if (request.url === "/away") return response.writeHead(307, { Location: `${stranger.origin}/` }).end();
    if (request.url === "/round") return response.writeHead(303, { Location: "/cart" }).end();
    return response.writeHead(401, { "WWW-Authenticate": 'Bearer realm="session", error="invalid_token"' }).end();
  });
  t.after(() => { server.close(); stranger.close(); });
  define("fetch", real.fetch);
  location.origin = server.origin;
  location.href = `${server.origin}/`;
  const page = await tab();
  const call = (method, path, init) => page.session.fetch(path, { method, ...init });

  await call("POST", "/login", { headers: { "Content-Type": "application/json" }, body: '{"user":"ada"}' });
  assert.equal(held(page), ADA);
  const [login] = server.seen;
  assert.deepEqual([login.headers["content-type"], login.body], ["application/json", '{"user":"ada"}']);
  assert.deepEqual([login.headers.authorization, login.headers["session-transport"]], [undefined, "header"]);

  await call("POST", "/cart", { body: new URLSearchParams({ sku: 1042 }) });
  assert.equal(held(page), ADA2);
  assert.deepEqual([server.seen[1].headers.authorization, server.seen[1].body], [`Bearer ${ADA}`, "sku=1042"]);

  await call("GET", "/session");
  assert.equal(held(page), ADA3);

  await call("POST", "/away", { body: "x" });
  assert.equal(held(page), ADA3, "a stranger's token is not taken");
  assert.equal(stranger.seen[0].headers.authorization, undefined, "nor is ours given");

  const final = await call("POST", "/round");
  assert.equal(final.url, `${server.origin}/cart`);
  assert.equal(held(page), ADA2, "a redirect at home is followed with the token, and its answer obeyed");
  assert.equal(server.seen.at(-1).headers.authorization, `Bearer ${ADA3}`);

  const stop = AbortSignal.abort();
  await assert.rejects(call("POST", "/cart", { signal: stop }), { name: "AbortError" });

  await call("GET", "/refused");
  assert.equal(page.session.active(), false);

  await call("POST", "/login");
  await call("POST", "/logout");
  assert.equal(page.session.active(), false);
  assert.equal(page.storage.items.size, 0);
});
