//! `POST /v1/apps/{sdkappid}/trigger`: a sample event is recorded, or a sample question asked, to try a backend.

use super::access::Access;
use super::parameters::{self, user};
use super::refusal::Refused;
use super::{EventApi, answer};
use crate::asked::About;
use crate::{render, translate};
use axum::body::Body;
use axum::extract::{ConnectInfo, State};
use axum::http::Request;
use axum::response::Response;
use bytes::Bytes;
use chat::event::{
    AfterEdit, AfterExtension, AfterRead, AfterRecall, AfterSend, Befriended, EventDraft, ExtensionChange,
    ExtensionItem, Fact, MessageName, MissedMessage, Outcome, ProfileChange, ProfileValue, Relation,
    RelationChange, StateAction, StateChange,
};
use chat::port::Question;
use chat::{Content, UserId};
use protocol::callback::CallbackCommand;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::net::SocketAddr;
use std::sync::Arc;

/// A sample is to be recognised, not to be long.
const TEXT_CHARS_MAX: usize = 1_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    event: String,
    from: Option<String>,
    to: Option<String>,
    text: Option<String>,
}

#[derive(Serialize)]
struct Recorded {
    id: String,
}

#[derive(Serialize)]
struct Answered {
    outcome: &'static str,
    words: String,
    latency_ms: u64,
}

/// What the sample is made of.
struct Sample {
    message: MessageName,
    text: String,
    admin: UserId,
}

pub(super) async fn trigger(
    State(api): State<Arc<EventApi>>,
    access: Access,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request<Body>,
) -> Result<Response, Refused> {
    let wish: Wish = parameters::body(request).await?;
    let command = CallbackCommand::parse(&wish.event).filter(|command| TRIGGERED.contains(command));
    let command = command.ok_or_else(cannot_be_triggered)?;
    let now_ms = api.chat.clock.now_ms();
    let sample = Sample::new(wish, command, access.caller.user, now_ms)?;
    let origin = translate::rest_origin(peer.ip());
    let app = access.app_id();
    let Some(fact) = sample.fact(command) else {
        let content = sample.content();
        let MessageName { from, to, wire_seq, random, time_s } = sample.message;
        let question = Question {
            app,
            from,
            to,
            wire_seq,
            random,
            time_s,
            client_time_s: time_s,
            online_only: false,
            operator: None,
            marked: false,
            content: &content,
            origin,
        };
        return Ok(answer(&ask(&api, question, sample.message).await));
    };
    if render::command(&fact) != Some(command) {
        return Err(Refused::bad_parameter("a message to @RBT#… is a Bot.OnC2CMessage, and no other is"));
    }
    let recorded = api.chat.record(EventDraft::new(app, now_ms, origin, fact)).await?;
    let id = recorded.expect("only what tells of a refused send needs accounts");
    Ok(answer(&Recorded { id: id.to_string() }))
}

/// What happens in earnest: the answer is noted where those of real questions are.
async fn ask(api: &EventApi, question: Question<'_>, message: MessageName) -> Answered {
    let app = question.app;
    // What the sender would be told follows from what is noted, which says more.
    let _answer = api.chat.gate.ask(question).await;
    match api.asked.find(app, 1, |asked| asked.about == About::Send(message)).pop() {
        Some(asked) => {
            Answered { outcome: asked.outcome.name(), words: asked.words, latency_ms: asked.latency_ms }
        }
        None => {
            let words = "no endpoint is asked, or it does not want to be asked about this message".to_owned();
            Answered { outcome: "not_asked", words, latency_ms: 0 }
        }
    }
}

/// What there are samples of.
const TRIGGERED: [CallbackCommand; 14] = [
    CallbackCommand::C2cBeforeSendMsg,
    CallbackCommand::C2cAfterSendMsg,
    CallbackCommand::C2cAfterMsgReport,
    CallbackCommand::C2cAfterMsgWithDraw,
    CallbackCommand::C2cAfterModifyMsg,
    CallbackCommand::C2cAfterMsgExtension,
    CallbackCommand::BotOnC2cMessage,
    CallbackCommand::StateChange,
    CallbackCommand::ProfilePortraitSet,
    CallbackCommand::SnsFriendAdd,
    CallbackCommand::SnsFriendDelete,
    CallbackCommand::SnsBlackListAdd,
    CallbackCommand::SnsBlackListDelete,
    CallbackCommand::CoupletMsgOffline,
];

fn cannot_be_triggered() -> Refused {
    let names: Vec<&str> = TRIGGERED.iter().map(|command| command.as_str()).collect();
    Refused::bad_parameter(format!("event must be one of {}", names.join(", ")))
}

impl Sample {
    fn new(wish: Wish, command: CallbackCommand, admin: UserId, now_ms: u64) -> Result<Self, Refused> {
        let to = match command {
            CallbackCommand::BotOnC2cMessage => "@RBT#sample",
            _ => "sample_bo",
        };
        // Two samples of one second differ in this. Without chance, they differ in time at least.
        let random = getrandom::u32().unwrap_or(now_ms as u32);
        let message = MessageName {
            from: user("from", wish.from.as_deref().unwrap_or("sample_ana"))?,
            to: user("to", wish.to.as_deref().unwrap_or(to))?,
            wire_seq: random,
            random,
            time_s: now_ms / 1000,
        };
        let text = wish.text.unwrap_or_else(|| "This is a sample.".to_owned());
        if text.chars().count() > TEXT_CHARS_MAX {
            return Err(Refused::bad_parameter(format!("text is longer than {TEXT_CHARS_MAX} characters")));
        }
        Ok(Self { message, text, admin })
    }

    fn body(&self) -> Bytes {
        let text = Value::from(self.text.as_str());
        Bytes::from(format!(r#"[{{"MsgType":"TIMTextElem","MsgContent":{{"Text":{text}}}}}]"#))
    }

    fn content(&self) -> Content {
        Content {
            body: self.body(),
            custom_data: Bytes::new(),
            size_bytes: self.text.len(),
            custom_elements: 0,
            texts: vec![self.text.clone()],
        }
    }

    /// `None` for a question.
    fn fact(&self, command: CallbackCommand) -> Option<Fact> {
        let message = self.message;
        let MessageName { from, to, wire_seq, random, time_s } = message;
        let relation = |relation| Fact::Relation(RelationChange { from, to, relation });
        let (body, custom_data, text) = (self.body(), Bytes::new(), self.text.clone());
        Some(match command {
            CallbackCommand::C2cAfterSendMsg | CallbackCommand::BotOnC2cMessage => {
                Fact::AfterSend(AfterSend {
                    from,
                    to,
                    wire_seq,
                    random,
                    time_s,
                    client_time_s: time_s,
                    online_only: false,
                    marked: false,
                    outcome: Outcome::Delivered { unread: 1 },
                    body,
                    custom_data,
                })
            }
            CallbackCommand::C2cAfterMsgReport => {
                Fact::AfterRead(AfterRead { reader: from, peer: to, last_read_s: time_s, unread: 0 })
            }
            CallbackCommand::C2cAfterMsgWithDraw => Fact::AfterRecall(AfterRecall { message, unread: 0 }),
            CallbackCommand::CoupletMsgOffline => {
                Fact::Missed(MissedMessage { message, unread: 1, body, custom_data })
            }
            CallbackCommand::C2cAfterModifyMsg => {
                Fact::AfterEdit(AfterEdit { operator: from, message, body, custom_data })
            }
            CallbackCommand::C2cAfterMsgExtension => {
                let item = ExtensionItem { key: "sample".to_owned(), value: text, version: 1 };
                let change = ExtensionChange::Set;
                Fact::AfterExtension(AfterExtension { message, change, items: vec![item], version: 1 })
            }
            CallbackCommand::StateChange => {
                Fact::State(StateChange { user: from, action: StateAction::Login, kicked: Vec::new() })
            }
            CallbackCommand::ProfilePortraitSet => {
                let items = vec![("Tag_Profile_IM_Nick".to_owned(), ProfileValue::Text(text))];
                Fact::Profile(ProfileChange { operator: from, user: from, items })
            }
            CallbackCommand::SnsFriendAdd => relation(Relation::Befriended(Befriended {
                initiator: from,
                mutual: true,
                accepted: false,
                admin: Some(self.admin),
                forced: false,
            })),
            CallbackCommand::SnsFriendDelete => relation(Relation::Unfriended { mutual: true }),
            CallbackCommand::SnsBlackListAdd => relation(Relation::Blocked),
            CallbackCommand::SnsBlackListDelete => relation(Relation::Unblocked),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sample_is_what_it_is_called() {
        for command in TRIGGERED {
            let wish = Wish { event: String::new(), from: None, to: None, text: None };
            let sample = Sample::new(wish, command, UserId::new("admin").unwrap(), 1_000).ok().unwrap();
            let made = sample.fact(command).and_then(|fact| render::command(&fact));
            assert_eq!(made, (!command.is_question()).then_some(command));
        }
    }
}
