// What no site should do: a service worker that puts the token on navigations, whoever began them.
"use strict";

let token = null;

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("message", (event) => {
  token = event.data;
  event.source.postMessage("held");
});
self.addEventListener("fetch", (event) => {
  if (event.request.mode === "navigate" && token) event.respondWith(inject(event.request));
});

async function inject(request) {
  const headers = { Authorization: `Bearer ${token}`, "Content-Type": request.headers.get("Content-Type") ?? "" };
  const body = request.method === "GET" ? undefined : await request.text();
  return fetch(request.url, { method: request.method, headers, body, redirect: "manual" });
}
