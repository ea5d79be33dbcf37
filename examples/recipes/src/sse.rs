//! Server-sent events: the session is read when the stream begins, and the stream ends when the session's token does.

use std::convert::Infallible;
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::routing::get;
use futures_util::stream::{self, Stream};
use tokio::sync::broadcast;
use tokio::time::{Instant, timeout_at};
use waxseal::{OpenSession, Sealer, SessionLayer};

use crate::Shop;

/// Sends what is new, until the token that came is no longer good; the browser then asks again, with a newer one if it can.
async fn events(
    State(news): State<broadcast::Sender<String>>,
    shop: OpenSession<Shop>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let (user, end) = (shop.user.clone(), Instant::now() + left(shop.session().expires_at().as_unix()));
    let stream = stream::unfold((news.subscribe(), user), move |(mut news, user)| async move {
        let text = timeout_at(end, news.recv()).await.ok()?.ok()?;
        let event = Event::default().data(format!("{user}: {text}"));
        Some((Ok(event), (news, user)))
    });
    Sse::new(stream).keep_alive(KeepAlive::default())
}

/// How long it is until `ends`, in Unix seconds.
fn left(ends: u64) -> Duration {
    Duration::from_secs(ends).saturating_sub(SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default())
}

/// A stream of what `news` is told.
pub fn app(sealer: &Sealer<Shop>, news: broadcast::Sender<String>) -> Router {
    Router::new().route("/events", get(events)).layer(SessionLayer::new(sealer)).with_state(news)
}
