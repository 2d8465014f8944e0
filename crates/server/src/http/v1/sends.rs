//! `GET /v1/apps/{sdkappid}/sends`: what became of a send whose answer was lost.

use super::access::Access;
use super::parameters::{INTEGER_MAX, Parameters};
use super::refusal::Refused;
use super::{EventApi, answer};
use crate::translate;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use chat::port::{Landing, SendQuery};
use protocol::MsgKey;
use serde::Serialize;
use std::sync::Arc;

/// How far back is looked when the caller does not say: a week.
const LOOK_BACK_SECS: u64 = 7 * 24 * 60 * 60;

#[derive(Serialize)]
#[serde(tag = "state", rename_all = "lowercase")]
enum Landed {
    Stored {
        #[serde(rename = "MsgTime")]
        time_s: u64,
        #[serde(rename = "MsgKey")]
        key: String,
        #[serde(rename = "MsgId")]
        id: String,
    },
    Refused {
        #[serde(rename = "ErrorCode")]
        code: u32,
        #[serde(rename = "ErrorInfo")]
        info: &'static str,
        event: String,
    },
    Unseen {
        /// Everything from this time on was looked at.
        looked_back_to: u64,
    },
}

pub(super) async fn landed(
    State(api): State<Arc<EventApi>>,
    access: Access,
    RawQuery(query): RawQuery,
) -> Result<Response, Refused> {
    let now_s = api.chat.clock.now_ms() / 1000;
    let query = read(query.as_deref(), &access, api.sends_looked_at_max, now_s)?;
    let landing = {
        let _place = api.readers.look().await;
        api.store().landed(query).await?
    };
    Ok(answer(&Landed::of(landing, &query)))
}

fn read(query: Option<&str>, access: &Access, looks_max: usize, now_s: u64) -> Result<SendQuery, Refused> {
    let parameters = Parameters::read(query, &["from", "to", "random", "seq", "since"])?;
    let missing = |name: &str| Refused::bad_parameter(format!("{name} is missing"));
    let u32_of = |name: &str| -> Result<Option<u32>, Refused> {
        Ok(parameters.number(name, 0..=u64::from(u32::MAX))?.map(|number| number as u32))
    };
    let since_s = parameters.number("since", 0..=INTEGER_MAX)?;
    Ok(SendQuery {
        app: access.app_id(),
        from: parameters.user("from")?.ok_or_else(|| missing("from"))?,
        to: parameters.user("to")?.ok_or_else(|| missing("to"))?,
        random: u32_of("random")?.ok_or_else(|| missing("random"))?,
        seq: u32_of("seq")?,
        since_s: since_s.unwrap_or_else(|| now_s.saturating_sub(LOOK_BACK_SECS)),
        looks_max,
    })
}

impl Landed {
    fn of(landing: Landing, query: &SendQuery) -> Self {
        match landing {
            Landing::Stored { key, client_time_s } => Self::Stored {
                time_s: key.time_s,
                key: MsgKey { seq: key.wire_seq, random: key.random, time_s: key.time_s }.to_string(),
                id: translate::msg_id(query.app, &query.from, client_time_s, query.random),
            },
            Landing::Refused { refusal, event } => {
                let code = translate::refusal_code(refusal);
                Self::Refused { code: code.number(), info: code.text(), event: event.to_string() }
            }
            Landing::Unseen => Self::Unseen { looked_back_to: query.since_s },
            Landing::UnseenSince { time_s } => Self::Unseen { looked_back_to: time_s },
        }
    }
}
