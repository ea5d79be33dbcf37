//! Waiting for what must come true, and never for a time.

use std::time::{Duration, Instant};

/// Asks until there is an answer, and panics with `what` if none comes.
pub async fn until<T>(what: &str, mut probe: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = probe().await {
            return answer;
        }
        assert!(Instant::now() < deadline, "waited {PATIENCE:?} in vain: {what}");
        tokio::time::sleep(BETWEEN).await;
    }
}

/// The longest to wait for anything; cases end far sooner.
pub const PATIENCE: Duration = Duration::from_secs(30);

const BETWEEN: Duration = Duration::from_millis(20);
