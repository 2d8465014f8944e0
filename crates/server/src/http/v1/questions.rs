//! `GET /v1/apps/{sdkappid}/questions`: what the app's backend was asked of late, and what came of it.

use super::access::Access;
use super::parameters::Parameters;
use super::refusal::Refused;
use super::{EventApi, answer};
use crate::asked::{Asked, AskedOutcome};
use crate::translate;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use chat::UserId;
use serde::Serialize;
use std::sync::Arc;

#[derive(Serialize)]
struct Questions {
    questions: Vec<Shown>,
}

#[derive(Serialize)]
struct Shown {
    at_ms: u64,
    event: &'static str,
    /// `null` when it was not about a message.
    key: Option<String>,
    from: String,
    to: String,
    /// Who wanted to edit the message; `null` when it was about anything else.
    operator: Option<String>,
    outcome: &'static str,
    latency_ms: u64,
    words: String,
}

pub(super) async fn list(
    State(api): State<Arc<EventApi>>,
    access: Access,
    RawQuery(query): RawQuery,
) -> Result<Response, Refused> {
    let parameters = Parameters::read(query.as_deref(), &["limit", "outcome"])?;
    let wanted = parameters.one("outcome")?.map(outcome).transpose()?;
    let fits = |asked: &Asked| wanted.is_none_or(|wanted| wanted == asked.outcome);
    let found = api.asked.find(access.app_id(), parameters.limit()?, fits);
    Ok(answer(&Questions { questions: found.into_iter().map(Shown::from).collect() }))
}

fn outcome(name: &str) -> Result<AskedOutcome, Refused> {
    let found = AskedOutcome::ALL.into_iter().find(|outcome| outcome.name() == name);
    found.ok_or_else(|| Refused::bad_parameter(format!("there is no outcome {name:?}")))
}

impl From<Asked> for Shown {
    fn from(asked: Asked) -> Self {
        let Asked { at_ms, about, outcome, latency_ms, words } = asked;
        let [from, to] = about.people();
        Self {
            at_ms,
            event: about.question().as_str(),
            key: about.message().map(|message| translate::named_key(message).to_string()),
            from: from.to_string(),
            to: to.to_string(),
            operator: about.operator().map(UserId::to_string),
            outcome: outcome.name(),
            latency_ms,
            words,
        }
    }
}
