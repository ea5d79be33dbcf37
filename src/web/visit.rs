//! One request's session, from the first look at it to the response's head.

use std::sync::Arc;

use super::desk::{Desk, Request, Way};
use super::error::SessionError;
use crate::carrier::cookie::Found;
use crate::carrier::csrf::{self, CrossSite};
use crate::carrier::{Act, Arrived, Delivery, Malformed, Presented, Route, Situation, deliver};
use crate::id::SessionId;
use crate::revocation::Revoking;
use crate::session::{OpenError, Reason, SealError, Session, Token};
use crate::state::{BodyError, SessionState};
use crate::text::MAX_TEXT_LEN;

/// What is known of a request's session, and what became of it.
pub(super) struct Visit<T> {
    pub(super) situation: Situation,
    pub(super) forgery: Result<(), CrossSite>,
    login_forgery: Result<(), CrossSite>,
    pub(super) ticket: Ticket,
    pub(super) session: Option<Arc<Session<T>>>,
    /// The session that the request came with, also if it cannot be read here and now.
    pub(super) came: Option<SessionId>,
    pub(super) outgoing: Outgoing,
    /// The client may have a good cookie that this server cannot judge.
    pub(super) unjudged_cookie: bool,
    /// The client's cookie is worth nothing anywhere.
    pub(super) worthless_cookie: bool,
    /// What the response waits for.
    pub(super) revoking: Vec<Revoking>,
    /// The handler asked for the signals.
    pub(super) asked_signals: bool,
    /// The response's head is on its way.
    pub(super) closed: bool,
}

/// The token that came, until it is judged, and then the verdict.
pub(super) enum Ticket {
    Cookie(Box<[u8]>),
    Foreign,
    Header(Box<[u8]>),
    Judged(Result<(), SessionError>),
    Malformed(Malformed),
    Nothing,
}

/// What goes out. What was decided when the handler acted stays decided, whatever it does next.
pub(super) enum Outgoing {
    /// The session changed.
    Changed(Sending),
    /// The session was ended.
    Ended,
    /// The session began, and its token is in the response's body.
    HandedOff,
    /// Nothing, unless the token is due.
    Nothing,
    /// The session began; the token is gone if the session changed since.
    Started(Sending, Option<Token>),
}

/// A way for a token, and what becomes of the cookie that the client has.
#[derive(Clone, Copy)]
pub(super) struct Sending {
    pub(super) way: Way,
    pub(super) deletes_cookie: bool,
}

impl<T: SessionState> Visit<T> {
    /// `closed` is whether the response's head is on its way already: then the session can be read, and no more.
    pub(super) fn begin(desk: &Desk<T>, request: Request<'_>, closed: bool) -> Self {
        let head = desk.read(request);
        let ticket = match desk.rules.take(&head) {
            Presented::Cookie(text) => Ticket::Cookie(kept(text)),
            Presented::Foreign => Ticket::Foreign,
            Presented::Header(text) => Ticket::Header(kept(text)),
            Presented::Malformed(how) => Ticket::Malformed(how),
            Presented::Nothing => Ticket::Nothing,
        };
        let readable = desk.rules.reads_cookies(&head);
        match head.cookie {
            Found::Conflict if readable => tracing::warn!("two different session cookies came at once; neither counts"),
            Found::TooMuch => tracing::warn!("the Cookie fields are too long to be searched for the session"),
            _ => {}
        }
        Self {
            situation: desk.rules.situation(&head, Arrived::Nothing),
            forgery: csrf::check(&head, &desk.trusted),
            login_forgery: csrf::check_login(&head, &desk.trusted),
            unjudged_cookie: readable && head.cookie == Found::TooMuch,
            worthless_cookie: readable && head.cookie == Found::Conflict,
            ticket,
            session: None,
            came: None,
            outgoing: Outgoing::Nothing,
            revoking: Vec::new(),
            asked_signals: false,
            closed,
        }
    }

    /// The session as it is now.
    pub(super) fn session(&mut self, desk: &Desk<T>) -> Result<Option<Arc<Session<T>>>, SessionError> {
        let verdict = self.judge(desk);
        match self.outgoing {
            Outgoing::Nothing | Outgoing::Changed(_) => verdict?,
            Outgoing::Ended | Outgoing::HandedOff | Outgoing::Started(..) => {}
        }
        Ok(self.session.clone())
    }

    /// How the request's session arrived.
    pub(super) fn arrived(&mut self, desk: &Desk<T>) -> Result<Arrived, SessionError> {
        self.judge(desk).map(|()| self.situation.arrived)
    }

    /// Opens what came, once. A state whose own code panics on the way is one that cannot be read now, never no state.
    pub(super) fn judge(&mut self, desk: &Desk<T>) -> Result<(), SessionError> {
        let unread = SessionError::Unavailable(Reason::Body(BodyError::Decode).into());
        let verdict = match core::mem::replace(&mut self.ticket, Ticket::Judged(Err(unread))) {
            Ticket::Cookie(text) => self.open_cookie(desk, &text),
            Ticket::Foreign => Err(SessionError::Foreign),
            Ticket::Header(text) => self.open_header(desk, &text),
            Ticket::Judged(verdict) => verdict,
            Ticket::Malformed(how) => Err(SessionError::Malformed(how)),
            Ticket::Nothing => Ok(()),
        };
        self.ticket = Ticket::Judged(verdict);
        verdict
    }

    /// A cookie that is worth nothing is no session, and goes: a browser's user can do nothing about it.
    fn open_cookie(&mut self, desk: &Desk<T>, text: &[u8]) -> Result<(), SessionError> {
        match desk.cookies.open(text) {
            Ok(session) => {
                self.forgery.map_err(cross_site)?;
                self.situation.arrived = Arrived::Cookie;
                self.came = Some(session.id());
                self.session = Some(Arc::new(session));
                Ok(())
            }
            Err(error) => {
                log_refusal(error, "cookie");
                self.unjudged_cookie = error.keep_token();
                // Of a cookie that another site sent along, nothing is taken but what a logout checks for itself.
                let ours = self.unjudged_cookie || self.forgery.is_ok();
                self.came = error.session_id().filter(|_| ours && error.reason() != Reason::Revoked);
                self.worthless_cookie = !self.unjudged_cookie;
                if error.status() == 503 { Err(SessionError::Unavailable(error)) } else { Ok(()) }
            }
        }
    }

    fn open_header(&mut self, desk: &Desk<T>, text: &[u8]) -> Result<(), SessionError> {
        match desk.headers.open(text) {
            Ok(session) => {
                self.situation.arrived = Arrived::Header;
                self.came = Some(session.id());
                self.session = Some(Arc::new(session));
                Ok(())
            }
            Err(error) => {
                log_refusal(error, "header");
                if error.status() != 503 {
                    return Err(SessionError::Invalid(error));
                }
                // Authentic, so it is the explicit credential of a client that holds tokens.
                self.situation.arrived = Arrived::Header;
                self.came = error.session_id();
                Err(SessionError::Unavailable(error))
            }
        }
    }

    /// Begins a session; its token is returned only if no carrier takes it and `in_page` says that the page will.
    pub(super) fn start(
        &mut self,
        desk: &Desk<T>,
        state: &T,
        in_page: bool,
    ) -> Result<(Arc<Session<T>>, Option<Token>), SessionError> {
        self.still_open()?;
        match self.judge(desk) {
            // What came cannot be read right now, and a login does not need it.
            Ok(()) | Err(SessionError::Unavailable(_)) => {}
            Err(error) => return Err(error),
        }
        if self.situation.arrived != Arrived::Header {
            self.login_forgery.map_err(cross_site)?;
        }
        // The choice of whoever was here before is not this user's.
        let sending = match self.sending(Act::Start, (desk.allows_cookie)(state)) {
            Err(SessionError::Undeliverable(_)) if in_page => None,
            sending => Some(sending?),
        };
        let way = sending.map_or(Way::Header, |sending| sending.way);
        let sealer = desk.sealer(way);
        let token = sealer.start(state)?;
        let session = Arc::new(sealer.newborn().open(&token).map_err(SessionError::Unavailable)?);
        check_renewals(desk, way, sealer.newborn().measure(&session))?;
        self.session = Some(Arc::clone(&session));
        let Some(sending) = sending else {
            self.outgoing = Outgoing::HandedOff;
            return Ok((session, Some(token)));
        };
        self.outgoing = Outgoing::Started(sending, Some(token));
        Ok((session, None))
    }

    /// Takes a changed session in place of `base`, if its token can reach the client.
    pub(super) fn change(
        &mut self,
        desk: &Desk<T>,
        base: &Arc<Session<T>>,
        changed: Session<T>,
    ) -> Result<(), SessionError> {
        self.still_open()?;
        if !self.session.as_ref().is_some_and(|session| Arc::ptr_eq(session, base)) {
            return Err(SessionError::Concurrent);
        }
        if (base.state().subject(), base.state().tenant()) != (changed.state().subject(), changed.state().tenant()) {
            return Err(SessionError::SubjectChanged);
        }
        self.send(desk, Arc::new(changed))
    }

    /// Makes a token go out though nothing changed.
    pub(super) fn renew(&mut self, desk: &Desk<T>) -> Result<(), SessionError> {
        self.still_open()?;
        let session = self.session(desk)?.ok_or(SessionError::Anonymous)?;
        self.send(desk, session)
    }

    /// Lets `session` go out, if its token can reach the client.
    fn send(&mut self, desk: &Desk<T>, session: Arc<Session<T>>) -> Result<(), SessionError> {
        // Who takes the choice of the cookie back is told so by the cookie.
        let chose = self.chose(desk) || (desk.allows_cookie)(session.state());
        let sending = match (&self.outgoing, self.sending(Act::Change, chose)) {
            (Outgoing::HandedOff, _) => return Err(SessionError::TooLate),
            (Outgoing::Started(sending, _), _) => *sending,
            (Outgoing::Changed(sending), Err(SessionError::Undeliverable(_))) => *sending,
            (_, sending) => sending?,
        };
        let sealer = desk.sealer(sending.way);
        let is_newborn = matches!(self.outgoing, Outgoing::Started(..));
        let sealer = if is_newborn { sealer.newborn() } else { sealer.with(&[]) };
        check_renewals(desk, sending.way, sealer.measure(&session))?;
        self.outgoing = match self.outgoing {
            Outgoing::Started(..) => Outgoing::Started(sending, None),
            _ => Outgoing::Changed(sending),
        };
        self.session = Some(session);
        Ok(())
    }

    /// Whether the session's user chose the cookie, by what the session holds now.
    pub(super) fn chose(&self, desk: &Desk<T>) -> bool {
        self.session.as_ref().is_some_and(|session| (desk.allows_cookie)(session.state()))
    }

    /// Where a token goes. A user's choice beats a general signal.
    pub(super) fn delivery(&self, act: Act, chose: bool) -> Delivery {
        deliver(&Situation { allowed: self.situation.allowed || chose, ..self.situation }, act)
    }

    /// Where a token goes that has to go somewhere.
    fn sending(&self, act: Act, chose: bool) -> Result<Sending, SessionError> {
        let Delivery { route, deletes_cookie } = self.delivery(act, chose);
        let way = match route {
            Route::Cookie => Way::Cookie,
            Route::Header | Route::Stay => Way::Header,
            Route::Undeliverable(why) => return Err(SessionError::Undeliverable(why)),
        };
        Ok(Sending { way, deletes_cookie })
    }

    pub(super) fn still_open(&self) -> Result<(), SessionError> {
        if self.closed { Err(SessionError::TooLate) } else { Ok(()) }
    }
}

/// Refuses a session that fits now, if a later renewal might not: nobody would be there to hear of that.
fn check_renewals<T: SessionState>(
    desk: &Desk<T>,
    way: Way,
    measured: Result<usize, SealError>,
) -> Result<(), SessionError> {
    desk.check_size(way, measured?)
}

/// A copy of a token's text, for when it is judged. Of one that is far too long as much as is refused for its length: a
/// client does not choose how much is copied.
fn kept(text: &[u8]) -> Box<[u8]> {
    text[..text.len().min(2 * MAX_TEXT_LEN)].into()
}

/// The client is told one sentence, and the log why.
fn log_refusal(error: OpenError, carrier: &str) {
    let reason = error.reason();
    match reason {
        // Loud, and not for anybody to cause: the tag was good, so this version of the service is at fault.
        Reason::Body(_) | Reason::Identity { .. } | Reason::UnknownSchema { .. } => {
            tracing::error!(code = reason.code(), %reason, carrier, "a session of this service cannot be read by it; has its type changed without a new SCHEMA?");
        }
        _ => {
            // Where the tag was good, the session's id, which opens nothing: whoever revokes needs it.
            let session = error.session_id().map(tracing::field::display);
            tracing::info!(code = reason.code(), %reason, carrier, session, "session token refused");
        }
    }
}

pub(super) fn cross_site(why: CrossSite) -> SessionError {
    tracing::info!(%why, "a request from another site was refused");
    SessionError::CrossSite(why)
}
