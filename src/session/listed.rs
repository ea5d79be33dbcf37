//! What the list of revocations says of a session, and which ids and starts it leaves to a new one.
//!
//! It is asked twice of a session that is opened: by its id as soon as that is known to be true, and by its owner once its
//! state is there. A session that is known to be over is over, even if nothing else can be said for certain.

use super::minted::SealError;
use super::raw::{Call, RawSealer};
use super::refusal::Reason;
use crate::id::SessionId;
use crate::keys::Snapshot;
use crate::revocation::{Answer, Owner, Revocations};
use crate::state::SessionState;
use crate::time::Timestamp;

/// What a session is refused for unless it turns out to be over.
pub(super) type Doubt = Option<Reason>;

impl RawSealer {
    /// Whether the session was ended by its id, or with everyone's. FORMAT.md, "Opening", step 14.
    pub(super) fn judge_id(&self, id: SessionId, now: Timestamp, call: Call<'_>) -> Result<Doubt, Reason> {
        match self.list(call).map(|list| list.judge(id, now)) {
            None | Some(Answer::Clear) => Ok(None),
            Some(Answer::Revoked) => Err(Reason::Revoked),
            Some(Answer::Unknown { stale_for }) => Ok(Some(Reason::UnknownRevocation { stale_for })),
        }
    }

    /// Why no session is given new life here, though those that there are may be opened.
    pub(super) fn doubt_life(&self, call: Call<'_>) -> Doubt {
        let never = Reason::UnknownRevocation { stale_for: None };
        self.list(call).filter(|list| !list.renews()).map(|_| never)
    }

    /// Whether the session was ended with all of its owner's, and then what there is of doubt. FORMAT.md, "Opening", steps 18
    /// and 19.
    pub(super) fn judge_owner(
        &self,
        owner: Owner<'_>,
        id: SessionId,
        doubt: Doubt,
        now: Timestamp,
        call: Call<'_>,
    ) -> Result<(), Reason> {
        if self.list(call).is_some_and(|list| list.covers_owner(owner, id, now)) {
            return Err(Reason::Revoked);
        }
        doubt.map_or(Ok(()), Err)
    }

    /// A login in the second of a cut-off starts one second later, or it would be born revoked. FORMAT.md, "Minting", step 3.
    pub(super) fn first_second(
        &self,
        ring: &Snapshot,
        owner: Owner<'_>,
        now: Timestamp,
    ) -> Result<Timestamp, SealError> {
        let of_ring = Some(ring.not_before(now)).filter(|cut_off| cut_off.as_unix() > 0);
        let of_list = self.revocations.as_ref().and_then(|list| list.cut_off(owner, now));
        let Some(cut_off) = of_ring.max(of_list).filter(|&cut_off| now <= cut_off) else { return Ok(now) };
        let first = cut_off.plus(1);
        if first > now.plus(2 * ring.ring.policy.skew) { Err(SealError::CutOffAhead) } else { Ok(first) }
    }

    /// Whether a new session must not have this id: it is revoked, or looks so.
    pub(super) fn is_taken(&self, id: SessionId) -> bool {
        self.revocations.as_ref().is_some_and(|list| list.is_taken(id))
    }

    fn list(&self, call: Call<'_>) -> Option<&Revocations> {
        self.revocations.as_ref().filter(|_| !call.newborn)
    }
}

/// Whose session it is, by its state.
pub(super) fn owner<T: SessionState>(state: &T) -> Owner<'_> {
    Owner { subject: state.subject(), tenant: state.tenant() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::revocation::Revoke;
    use crate::session::{Buffer, RawSealer};
    use crate::{KeyRing, Mode, OpenError, Sealer, Session};
    use serde::{Deserialize, Serialize};

    #[derive(Serialize, Deserialize)]
    struct Shop(String);
    impl SessionState for Shop {
        fn subject(&self) -> Option<&str> {
            Some(&self.0)
        }
    }

    struct Servers {
        list: Revocations,
        /// Asks the list, which was never loaded.
        asks: Sealer<Shop>,
        session: Session<Shop>,
        text: String,
    }

    fn servers() -> Servers {
        let ring = KeyRing::generate().unwrap();
        let list = Revocations::never_loaded(&ring);
        let text = Sealer::<Shop>::new(&ring, "session").unwrap().start(&Shop("ada".into())).unwrap().into_string();
        let session = Sealer::<Shop>::new(&ring, "session").unwrap().open(&text).unwrap();
        let asks = Sealer::builder(&ring, "session").revocations(&list).build().unwrap();
        Servers { list, asks, session, text }
    }

    const UNKNOWN: Reason = Reason::UnknownRevocation { stale_for: None };

    #[test]
    fn nothing_opens_and_nothing_is_renewed_before_the_list_is_there() {
        let Servers { asks, session, text, .. } = servers();
        let refused = |error: OpenError| {
            assert_eq!((error.reason(), error.status(), error.keep_token()), (UNKNOWN, 503, true));
            assert_eq!(error.session_id(), Some(session.id()));
        };
        refused(asks.open(&text).unwrap_err());
        refused(asks.open_raw(&text, &mut Buffer::new()).unwrap_err());
        assert_eq!(asks.renew(&session).unwrap_err(), SealError::Session(UNKNOWN));
        assert_eq!(asks.measure(&session).unwrap_err(), SealError::Session(UNKNOWN));
    }

    #[test]
    fn a_login_goes_on_without_the_list() {
        let asks = servers().asks;
        let token = asks.start(&Shop("bob".into())).unwrap();
        assert_eq!(asks.open(&token).unwrap_err().reason(), UNKNOWN);
        let session = asks.newborn().open(&token).unwrap();
        assert_eq!(asks.newborn().renew(&session).unwrap().id(), token.id());
    }

    #[test]
    fn what_is_known_to_be_over_is_over_whatever_else_is_unknown() {
        for revoke in [Revoke::subject("ada"), Revoke::everyone()] {
            let Servers { list, asks, session, text } = servers();
            let _ = list.revoke(revoke.until(session.start())).wait().unwrap();
            assert_eq!(asks.open(&text).unwrap_err().reason(), Reason::Revoked);
            assert_eq!(asks.renew(&session).unwrap_err(), SealError::Session(Reason::Revoked));
        }
    }

    #[test]
    fn without_a_type_too_nothing_opens_before_the_list_is_there() {
        let ring = KeyRing::generate().unwrap();
        let list = Revocations::never_loaded(&ring);
        let raw = RawSealer::builder(&ring, Mode::Sealed, "session").revocations(&list).build().unwrap();
        let token = raw.start(1, b"state", b"").unwrap();
        assert_eq!(raw.open(&token, b"", &mut Buffer::new()).unwrap_err().reason(), UNKNOWN);
    }
}
