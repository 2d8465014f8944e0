//! `GET /v1/apps/{sdkappid}/explain`: what became of a message on its way to the app's backend, in plain words.

mod sentences;

use super::access::Access;
use super::item::Item;
use super::parameters::Parameters;
use super::refusal::Refused;
use super::search::{self, DISORDER_MS};
use super::standing::EndpointStanding;
use super::{EventApi, answer};
use crate::asked::Asked;
use crate::translate;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use chat::event::{AfterSend, Event, Fact, Lane};
use chat::port::{Direction, HistoryQuery, LaneExtent};
use chat::send::lane_of;
use chat::{AppId, ConversationId, UserId};
use protocol::MsgKey;
use protocol::callback::CallbackCommand;
use sentences::{Known, Search};
use serde::Serialize;
use std::sync::Arc;

/// How long after its own time a message may have been recorded: as long as a resend is answered like the first.
const LATER_MS: u64 = 130_000;
/// Events read at once, and at most. The latter are some seconds of the busiest app.
const READ_LEN: usize = 512;
const SCAN_LEN_MAX: usize = 100_000;
/// Questions about one message: one for each time that its sender tried.
const QUESTIONS_MAX: usize = 10;
/// Pages of history looked through for one message: those of its second.
const HISTORY_PAGES_MAX: usize = 20;
const HISTORY_PAGE_LEN: usize = 100;
const HISTORY_PAGE_BYTES: usize = 1 << 20;

#[derive(Serialize)]
struct Explained {
    key: String,
    message: Message,
    event: Option<Item>,
    lines: Vec<String>,
    questions: Vec<AskedOnce>,
    endpoints: Vec<EndpointStanding>,
}

#[derive(Serialize)]
struct Message {
    from: Option<String>,
    to: Option<String>,
    stored: Option<bool>,
}

#[derive(Serialize)]
struct AskedOnce {
    at_ms: u64,
    /// Who wanted to edit the message; `null` when it was about the send.
    operator: Option<String>,
    outcome: &'static str,
    latency_ms: u64,
    words: String,
}

/// The message that is asked about.
struct Wanted {
    key: MsgKey,
    from: Option<UserId>,
    to: Option<UserId>,
}

pub(super) async fn explain(
    State(api): State<Arc<EventApi>>,
    access: Access,
    RawQuery(query): RawQuery,
) -> Result<Response, Refused> {
    let wanted = Wanted::read(query.as_deref())?;
    let (app, endpoints) = (access.app_id(), &access.app().endpoints);
    let questions = api.asked.find(app, QUESTIONS_MAX, |asked| wanted.is_asked(asked));
    let (event, search) = find(&api, app, &wanted).await?;
    let sent = event.as_ref().and_then(sent);
    let people = wanted.people(sent, questions.first());
    let stored = match people {
        Some([from, to]) => Some(is_stored(&api, app, &wanted.key, [from, to]).await?),
        None => None,
    };
    let (standings, item) = match &event {
        Some(event) => (api.standings(endpoints, event).await?, Some(Item::alone(api.store(), event).await?)),
        None => (Vec::new(), None),
    };
    let known = Known {
        is_asked: endpoints.iter().any(|endpoint| endpoint.is_asked_with(CallbackCommand::C2cBeforeSendMsg)),
        has_endpoints: !endpoints.is_empty(),
        questions: &questions,
        event: event.as_ref().zip(sent),
        search,
        stored,
        standings: &standings,
    };
    let lines = known.lines();
    let (from, to) = people.map(|[from, to]| (from.to_string(), to.to_string())).unzip();
    Ok(answer(&Explained {
        key: wanted.key.to_string(),
        message: Message { from, to, stored },
        event: item,
        lines,
        questions: questions.into_iter().map(AskedOnce::from).collect(),
        endpoints: standings,
    }))
}

impl Wanted {
    fn read(query: Option<&str>) -> Result<Self, Refused> {
        let parameters = Parameters::read(query, &["key", "from", "to"])?;
        let key = parameters.one("key")?.and_then(|key| key.parse().ok());
        let key = key
            .ok_or_else(|| Refused::bad_parameter("key must be a MsgKey: <MsgSeq>_<MsgRandom>_<MsgTime>"))?;
        Ok(Self { key, from: parameters.user("from")?, to: parameters.user("to")? })
    }

    fn is_between(&self, from: UserId, to: UserId) -> bool {
        self.from.is_none_or(|wanted| wanted == from) && self.to.is_none_or(|wanted| wanted == to)
    }

    fn is_asked(&self, asked: &Asked) -> bool {
        asked.about.message().is_some_and(|message| {
            translate::named_key(message) == self.key && self.is_between(message.from, message.to)
        })
    }

    fn is(&self, event: &Event) -> bool {
        sent(event).is_some_and(|sent| {
            let key = MsgKey { seq: sent.wire_seq, random: sent.random, time_s: sent.time_s };
            key == self.key && self.is_between(sent.from, sent.to)
        })
    }

    /// Between whom it was: as the caller says, or else as is known from elsewhere.
    fn people(&self, sent: Option<&AfterSend>, asked: Option<&Asked>) -> Option<[UserId; 2]> {
        let asked = asked.map(|asked| asked.about.people());
        let given = self.from.zip(self.to).map(|(from, to)| [from, to]);
        sent.map(|sent| [sent.from, sent.to]).or(asked).or(given)
    }
}

fn sent(event: &Event) -> Option<&AfterSend> {
    match &event.fact {
        Fact::AfterSend(sent) => Some(sent),
        _ => None,
    }
}

/// Looks through the events of the message's time.
async fn find(api: &EventApi, app: AppId, wanted: &Wanted) -> Result<(Option<Event>, Search), Refused> {
    let lanes: Vec<Lane> = match (wanted.from, wanted.to) {
        (Some(from), Some(to)) => {
            vec![lane_of(&ConversationId::new(app, from, to), api.store().lanes_per_app())]
        }
        _ => Lane::all_of(app, api.store().lanes_per_app()).collect(),
    };
    let mut whole = Search::NotThere;
    for lane in lanes {
        let Some(extent) = api.store().lane(lane).await? else { continue };
        match find_in(api, lane, extent, wanted).await? {
            (Some(event), search) => return Ok((Some(event), search)),
            (None, Search::NotThere) => {}
            (None, search) => whole = search,
        }
    }
    Ok((None, whole))
}

async fn find_in(
    api: &EventApi,
    lane: Lane,
    extent: LaneExtent,
    wanted: &Wanted,
) -> Result<(Option<Event>, Search), Refused> {
    let time_ms = wanted.key.time_s.saturating_mul(1_000);
    let from_ms = time_ms.saturating_sub(DISORDER_MS);
    let mut after = search::before(api.store(), lane, Some(extent), from_ms).await?;
    // What is older than the first event may have been there.
    let mut search = if after == extent.gone && after > 0 { Search::Forgotten } else { Search::NotThere };
    let mut looked_at = 0;
    loop {
        let events = api.store().events(lane, after, READ_LEN).await?;
        let ended = events.len() < READ_LEN;
        for event in events {
            if event.recorded_ms > time_ms.saturating_add(LATER_MS) {
                return Ok((None, search));
            }
            if looked_at == SCAN_LEN_MAX {
                return Ok((None, Search::CutShort));
            }
            looked_at += 1;
            // Around what was forgotten, single events may still stand.
            if event.id.offset != after + 1 {
                search = Search::Forgotten;
            }
            after = event.id.offset;
            if wanted.is(&event) {
                return Ok((Some(event), Search::Found));
            }
        }
        if ended {
            return Ok((None, search));
        }
    }
}

/// Whether the message is in the history of either of the two. A sender may have sent it without keeping it.
async fn is_stored(api: &EventApi, app: AppId, key: &MsgKey, people: [UserId; 2]) -> Result<bool, Refused> {
    let [from, to] = people;
    for viewer in [to, from] {
        let mut query = HistoryQuery {
            conversation: ConversationId::new(app, from, to),
            viewer,
            direction: Direction::Older,
            time_s_min: key.time_s,
            time_s_max: key.time_s,
            behind: None,
            limit: HISTORY_PAGE_LEN,
            bytes_max: HISTORY_PAGE_BYTES,
        };
        for _ in 0..HISTORY_PAGES_MAX {
            let page = api.store().history(query).await?;
            let wanted = translate::history_key(key);
            if page.messages.iter().any(|message| message.key() == wanted && message.from == from) {
                return Ok(true);
            }
            query.behind = page.next;
            if page.is_complete() {
                break;
            }
        }
    }
    Ok(false)
}

impl From<Asked> for AskedOnce {
    fn from(asked: Asked) -> Self {
        let Asked { at_ms, about, outcome, latency_ms, words } = asked;
        let operator = about.operator().map(UserId::to_string);
        Self { at_ms, operator, outcome: outcome.name(), latency_ms, words }
    }
}
