// Fetches what it is told to and answers with the status and the text, as a worker or as a service worker.
"use strict";

async function read({ path, method = "GET", body }) {
  const headers = body ? { "Content-Type": "application/json" } : {};
  const response = await fetch(path, { method, headers, body: body && JSON.stringify(body) });
  return { status: response.status, text: await response.text(), token: response.headers.get("Session-Token") };
}

self.addEventListener("message", async (event) => (event.source ?? self).postMessage(await read(event.data)));
if (self.clients) {
  self.addEventListener("install", () => self.skipWaiting());
  self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
}
