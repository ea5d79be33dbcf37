//! What a response's head says of the session, decided when it leaves.

use super::desk::{Desk, Way};
use super::error::SessionError;
use super::visit::{Outgoing, Ticket, Visit};
use crate::carrier::{Act, Arrived, Route};
use crate::session::{Reason, SealError, Token};
use crate::state::SessionState;

/// What a response's head says of the session.
pub(super) enum Departure {
    /// It ended: the client is told to forget its token.
    Ended { deletes_cookie: bool },
    /// A change cannot be sealed any more, though it could be when it was made.
    Failed(SessionError),
    /// The token is in the body.
    HandedOff { deletes_cookie: bool },
    /// The session was read, and nothing goes out.
    Read,
    /// A token goes out, or a cookie is deleted, or both.
    Sent { token: Option<(Way, Token)>, deletes_cookie: bool },
    /// Nobody looked at it.
    Untouched,
}

impl Departure {
    fn leaving(token: Option<(Way, Token)>, deletes_cookie: bool) -> Self {
        let deletes_cookie = deletes_cookie && !matches!(token, Some((Way::Cookie, _)));
        if token.is_none() && !deletes_cookie { Self::Read } else { Self::Sent { token, deletes_cookie } }
    }
}

impl<T: SessionState> Visit<T> {
    /// What the response's head must say of the session; it is on its way from now on.
    ///
    /// `failed` is whether the handler answered with a server error: then what it did to the session is not sent,
    /// but for its end.
    pub(super) fn close(&mut self, desk: &Desk<T>, failed: bool) -> Departure {
        self.closed = true;
        if !matches!(self.ticket, Ticket::Judged(_)) {
            return Departure::Untouched;
        }
        if failed && !matches!(self.outgoing, Outgoing::Ended) {
            if !matches!(self.outgoing, Outgoing::Nothing) {
                tracing::warn!("the handler failed, so what it did to the session is not sent");
            }
            return match self.outgoing {
                // The body may hold the token all the same.
                Outgoing::HandedOff => Departure::HandedOff { deletes_cookie: false },
                _ => Departure::leaving(None, self.worthless_cookie),
            };
        }
        let sending = match self.outgoing {
            Outgoing::Changed(sending) | Outgoing::Started(sending, _) => sending,
            Outgoing::Ended => return Departure::Ended { deletes_cookie: self.may_have_cookie() },
            Outgoing::HandedOff => return Departure::HandedOff { deletes_cookie: self.may_have_cookie() },
            Outgoing::Nothing => return self.unchanged(desk),
        };
        match self.seal(desk, sending.way) {
            Ok(token) => Departure::leaving(Some(token), sending.deletes_cookie || self.worthless_cookie),
            Err(error @ SealError::Session(Reason::Revoked)) => {
                tracing::info!("a session was ended while it changed; nothing of it is sent");
                Departure::Failed(error.into())
            }
            Err(error) => {
                tracing::error!(%error, "a session that changed could not be sealed");
                Departure::Failed(error.into())
            }
        }
    }

    /// Nothing was done to the session; but its token may be due, or move, and a cookie be in the way.
    fn unchanged(&self, desk: &Desk<T>) -> Departure {
        let delivery = self.delivery(self.age(desk), self.chose(desk));
        let deletes_cookie = delivery.deletes_cookie || self.worthless_cookie;
        let way = match delivery.route {
            Route::Cookie => Way::Cookie,
            Route::Header => Way::Header,
            Route::Stay | Route::Undeliverable(_) => return Departure::leaving(None, deletes_cookie),
        };
        match self.renewal(desk, way) {
            Some(token) => Departure::leaving(Some(token), deletes_cookie),
            // The token that the client has stays good; if that is the cookie, it stays.
            None => Departure::leaving(None, deletes_cookie && self.situation.arrived != Arrived::Cookie),
        }
    }

    /// A further token of a session that nothing was done to, if there is one and the client can keep it.
    fn renewal(&self, desk: &Desk<T>, way: Way) -> Option<(Way, Token)> {
        match desk.sealer(way).transfer(self.session.as_ref()?) {
            // Browsers drop a cookie that is too large without a word, and go on sending the old one.
            Ok(token) => desk.check_size(way, token.as_str().len()).ok().map(|()| (way, token)),
            Err(SealError::Session(Reason::Revoked)) => {
                tracing::info!("a session was ended while its request was handled; it is not renewed");
                None
            }
            Err(error) => {
                tracing::warn!(%error, "a session was due and not renewed; the token that the client has stays good");
                None
            }
        }
    }

    fn may_have_cookie(&self) -> bool {
        self.situation.has_cookie || self.unjudged_cookie
    }

    fn age(&self, desk: &Desk<T>) -> Act {
        let way = if self.situation.arrived == Arrived::Cookie { Way::Cookie } else { Way::Header };
        match &self.session {
            Some(session) if desk.sealer(way).is_due(session) => Act::Renew,
            _ => Act::Read,
        }
    }

    fn seal(&mut self, desk: &Desk<T>, way: Way) -> Result<(Way, Token), SealError> {
        if let Outgoing::Started(_, token) = &mut self.outgoing
            && let Some(token) = token.take()
        {
            return Ok((way, token));
        }
        // A way is only chosen for a session that there is.
        let session = self.session.as_ref().ok_or(SealError::SessionOver)?;
        let sealer = desk.sealer(way);
        let is_newborn = matches!(self.outgoing, Outgoing::Started(..));
        Ok((way, if is_newborn { sealer.newborn().transfer(session)? } else { sealer.transfer(session)? }))
    }
}
