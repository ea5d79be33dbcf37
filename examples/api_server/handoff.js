// The script of the hand-off page: takes the token that a form login was answered with, and goes home.
import { createSession } from "/session.js";

const { content } = document.querySelector('meta[name="session-token"]');
// Without sessionStorage this throws, and the page stays, because the next one could not know the token.
createSession({ storage: sessionStorage }).adopt(content);
location.replace("/"); // not one step back in the history, where the page with the token would be
