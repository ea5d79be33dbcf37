// Takes the token out of a page that a form login was answered with, and goes on.
import { createSession } from "/session.js";

createSession({ storage: sessionStorage }).adopt(document.querySelector("meta[name=session-token]").content);
location.replace("/");
