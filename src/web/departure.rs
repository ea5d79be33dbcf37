//! What a response's head says of the session, decided when it leaves.

use super::desk::{Desk, Way};
use super::error::SessionError;
use super::visit::{Outgoing, Ticket, Visit};
use crate::carrier::{Act, Arrived, Route, deliver};
use crate::session::{SealError, Token};
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
            return Departure::leaving(None, self.worthless_cookie);
        }
        let act = self.act(desk);
        let delivery = deliver(&self.situation, act);
        let way = match (&self.outgoing, delivery.route) {
            (Outgoing::HandedOff, _) => return Departure::HandedOff { deletes_cookie: self.situation.has_cookie },
            (Outgoing::Ended, _) => return Departure::Ended { deletes_cookie: delivery.deletes_cookie },
            (Outgoing::Started(way, _), _) => Some(*way),
            (_, Route::Cookie) => Some(Way::Cookie),
            (_, Route::Header) => Some(Way::Header),
            (_, Route::Stay | Route::Undeliverable(_)) => None,
        };
        match way.map(|way| self.seal(desk, way)).transpose() {
            Ok(token) => Departure::leaving(token, delivery.deletes_cookie || self.worthless_cookie),
            Err(error) if matches!(act, Act::Read | Act::Renew) => {
                tracing::warn!(%error, "a session was due and not renewed; the token that the client has stays good");
                Departure::leaving(None, false)
            }
            Err(error) => {
                tracing::error!(%error, "a session that changed could not be sealed");
                Departure::Failed(error.into())
            }
        }
    }

    fn act(&self, desk: &Desk<T>) -> Act {
        match (&self.outgoing, &self.session) {
            (Outgoing::Started(..) | Outgoing::HandedOff, _) => Act::Start,
            (Outgoing::Changed, _) => Act::Change,
            (Outgoing::Ended, _) => Act::End,
            (Outgoing::Nothing, Some(session)) if desk.sealer(self.came_by()).is_due(session) => Act::Renew,
            (Outgoing::Nothing, _) => Act::Read,
        }
    }

    fn came_by(&self) -> Way {
        if self.situation.arrived == Arrived::Cookie { Way::Cookie } else { Way::Header }
    }

    fn seal(&mut self, desk: &Desk<T>, way: Way) -> Result<(Way, Token), SealError> {
        if let Outgoing::Started(_, token) = &mut self.outgoing
            && let Some(token) = token.take()
        {
            return Ok((way, token));
        }
        // A way is only chosen for a session that there is.
        let session = self.session.as_ref().ok_or(SealError::SessionOver)?;
        Ok((way, desk.sealer(way).transfer(session)?))
    }
}
