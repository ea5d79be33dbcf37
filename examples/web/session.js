// Keeps a waxseal session for a page, also where the server may set no cookie. One file, no dependencies.
//
//   const session = createSession({ storage: sessionStorage });  // without storage: in memory, gone at a reload
//   session.onchange = () => showWhoIsLoggedIn();                // began, ended, or perhaps: ask the server
//   session.clear();                                             // before every login: forget who was here
//   await session.fetch("/login", { method: "POST", body });     // like fetch, but sends and keeps the token
//
// The server chooses cookie or token. Any script of your page can read a token. Await one change before the next: its
// answer brings the whole session anew. Other origins: Access-Control-Expose-Headers: Session-Token, WWW-Authenticate.

export function createSession({ origins = [location.origin], storage = memory(), key = "session-token" } = {}) {
  const allowed = origins.map((origin) => new URL(origin).origin);
  const isAllowed = (url) => url !== "" && allowed.includes(new URL(url).origin); // "": an opaque response
  // Request numbers: of the last one sent, of the change whose token is held, of the last one before the session
  // ended. They hang on the storage, so that all who share it count together, even two copies of this file.
  const order = ((storage[Symbol.for("waxseal")] ??= {})[key] ??= { sent: 0, stored: 0, ended: 0 });

  // Token and label are one item. A storage that throws, blocked or full, gives way to memory until the next load.
  const use = (action) => { try { return action(storage); } catch { return action(storage = memory()); } };
  const read = () => ITEM.exec(use((items) => items.getItem(key)))?.groups ?? {};
  const write = (token, label = randomLabel()) => use((items) => {
    items.removeItem(key); // first, so that a full storage does not keep the old token
    if (token) items.setItem(key, `${token} ${label}`);
  });
  const changed = () => queueMicrotask(() => session.onchange?.());
  const drop = () => { order.ended = order.sent; write(null); changed(); }; // what is on its way comes too late

  // A logout ends the session in every tab that has its token. They know it by its label, which is random, made with
  // the session, copied when the browser copies a tab, and never sent to a server. Every other tab is only told to ask
  // the server: it may be someone else's, or the cookie's. So is a page that comes back from the browser's page cache.
  const channel = openChannel(key);
  const logOut = () => { channel.postMessage(read().label); drop(); };
  channel.onmessage = ({ data }) => (data && data === read().label ? drop() : changed());
  addEventListener("pageshow", (event) => event.persisted && changed());

  const obey = (response, sent) => {
    const now = read(), field = response.headers.get("Session-Token");
    if (sent.number <= order.ended || (sent.label && sent.label !== now.label)) return; // that session is over
    if (sent.isSafe && sent.token !== now.token) return; // a GET or HEAD speaks only of the token it carried
    if (field === "?0" && (now.token || !sent.isSafe)) logOut(); // reading with nothing held ends nothing
    else if (TOKEN.test(field)) {
      if (sent.number < order.stored) return; // a later change was answered first
      if (!sent.isSafe) order.stored = sent.number;
      write(field, now.label);
      if (!now.token) changed();
    } else if (sent.token && sent.token === now.token && isRefused(response)) drop(); // other tabs may have a newer one
  };

  const session = {
    active: () => Boolean(read().token), // whether a token is held; a cookie is out of sight
    clear: () => { read().token ? logOut() : (order.ended = order.sent); },
    adopt: (token) => {
      if (!TOKEN.test(token)) throw new TypeError("session: this is no token");
      drop();
      write(token);
    },
    fetch: async (input, init) => {
      const request = new Request(input, init);
      if (!isAllowed(request.url)) throw new TypeError("session: this origin is not among `origins`");
      if (request.mode === "no-cors") throw new TypeError("session: a no-cors request can carry no token");
      if (request.headers.has("Authorization")) throw new TypeError("session: Authorization is not yours to set");
      const sent = { ...read(), number: ++order.sent, isSafe: /^(GET|HEAD)$/.test(request.method) };
      request.headers.set("Session-Transport", "header"); // "I can hold a token"
      if (sent.token) request.headers.set("Authorization", `Bearer ${sent.token}`);
      const { referrer, referrerPolicy } = request; // fetch forgets both when it is given options
      const response = await globalThis.fetch(request, sent.token && { credentials: "omit", referrer, referrerPolicy });
      if (isAllowed(response.url)) obey(response, sent); // unless it was redirected to a stranger
      return response;
    },
  };
  return session;
}

const memory = (item) => ({ getItem: () => item, setItem: (_, to) => (item = to), removeItem: () => (item = null) });
const openChannel = (name) => { try { return new BroadcastChannel(name); } catch { return { postMessage() {} }; } };
const randomLabel = () => crypto.getRandomValues(new Uint32Array(2)).join("_");
const isRefused = (r) => r.status === 401 && /Bearer.*error="?invalid_token/i.test(r.headers.get("WWW-Authenticate"));
const TOKEN = /^[\w-]{52,4016}$/; // as docs/FORMAT.md has it: 52 to 4000 characters, and a prefix of up to 16
const ITEM = /^(?<token>[\w-]{52,4016})(?: (?<label>\w+))?$/;
