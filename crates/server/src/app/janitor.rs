//! Forgets events that everybody was told of long ago.

use super::endpoints;
use crate::apps::Apps;
use chat::Chat;
use chat::event::Lane;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const ROUND_SECS: u64 = 600;
const DAY_MS: u64 = 24 * 60 * 60 * 1000;

pub(super) async fn run(apps: Arc<Apps>, chat: Chat, retention_days: u64, stop: CancellationToken) {
    loop {
        for app in apps.all() {
            for lane in Lane::all_of(app.id, chat.store.lanes_per_app()) {
                let before_ms = chat.clock.now_ms().saturating_sub(retention_days.saturating_mul(DAY_MS));
                loop {
                    if stop.is_cancelled() {
                        return;
                    }
                    match chat.store.trim_events(lane, endpoints(&app), before_ms).await {
                        Ok(0) => break,
                        Ok(_) => {}
                        Err(error) => {
                            tracing::error!(?lane, %error, "cannot forget old events");
                            break;
                        }
                    }
                }
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(Duration::from_secs(ROUND_SECS)) => {}
        }
    }
}
