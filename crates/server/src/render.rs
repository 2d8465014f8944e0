//! Events and questions as the bodies that backends know.

use crate::translate;
use bytes::Bytes;
use chat::event::{
    AfterEdit, AfterExtension, AfterRead, AfterRecall, AfterSend, Event, Fact, MessageName, MissedMessage,
    Outcome, ProfileChange, ProfileValue, Relation, RelationChange, StateChange,
};
use chat::event::{ExtensionChange, Origin, StateAction};
use chat::port::{FriendQuestion, FriendStep, Question};
use protocol::MsgKey;
use protocol::callback::{
    AddType, AfterModifyMsg, AfterMsgExtension, AfterMsgReport, AfterMsgWithDraw, AfterSendMsg,
    BeforeSendMsg, CallbackCommand, ExtensionEntry, FriendAdd, FriendItem, FriendPair, MessageFacts,
    MsgOffline, PortraitSet, PortraitValue, PrevFriendAdd, PrevFriendResponse, RelationPairs, ResponseAction,
    ResponseFriendItem, SEND_MSG_SUCCEED,
};

/// What an endpoint is sent, but for what every attempt makes anew.
#[derive(Debug, Clone)]
pub struct Callback {
    pub command: CallbackCommand,
    pub origin: Origin,
    pub body: Bytes,
    /// The event's id, the same in every attempt, or the question's.
    pub id: String,
}

/// `None`: the backend is not told.
pub fn command(fact: &Fact) -> Option<CallbackCommand> {
    Some(match fact {
        Fact::Stored(_) => return None,
        Fact::Missed(_) => CallbackCommand::CoupletMsgOffline,
        Fact::AfterSend(fact) if fact.to.is_bot() => CallbackCommand::BotOnC2cMessage,
        Fact::AfterSend(_) => CallbackCommand::C2cAfterSendMsg,
        Fact::AfterRead(_) => CallbackCommand::C2cAfterMsgReport,
        Fact::AfterRecall(_) => CallbackCommand::C2cAfterMsgWithDraw,
        Fact::AfterEdit(_) => CallbackCommand::C2cAfterModifyMsg,
        Fact::AfterExtension(_) => CallbackCommand::C2cAfterMsgExtension,
        Fact::State(_) => CallbackCommand::StateChange,
        Fact::Profile(_) => CallbackCommand::ProfilePortraitSet,
        Fact::Relation(RelationChange { relation, .. }) => match relation {
            Relation::Befriended(_) => CallbackCommand::SnsFriendAdd,
            Relation::Unfriended { .. } => CallbackCommand::SnsFriendDelete,
            Relation::Blocked => CallbackCommand::SnsBlackListAdd,
            Relation::Unblocked => CallbackCommand::SnsBlackListDelete,
        },
    })
}

/// Of an event that the backend can be told.
pub fn event(event: &Event) -> Callback {
    let command = command(&event.fact).expect("nobody asks for the body of what only this server is told");
    let mut body = Vec::new();
    let at_ms = event.recorded_ms;
    match &event.fact {
        Fact::AfterSend(fact) => after_send(event, fact, &mut body),
        Fact::AfterRead(fact) => after_read(fact, at_ms, &mut body),
        Fact::AfterRecall(fact) => after_recall(fact, at_ms, &mut body),
        Fact::AfterEdit(fact) => after_edit(fact, at_ms, &mut body),
        Fact::AfterExtension(fact) => after_extension(fact, at_ms, &mut body),
        Fact::State(fact) => state(fact, at_ms, &mut body),
        Fact::Relation(fact) => relation(fact, at_ms, &mut body),
        Fact::Profile(fact) => profile(fact, at_ms, &mut body),
        Fact::Missed(fact) => missed(event, fact, &mut body),
        Fact::Stored(_) => unreachable!("it has no command"),
    }
    Callback { command, origin: event.origin, body: Bytes::from(body), id: event.id.to_string() }
}

fn after_send(event: &Event, fact: &AfterSend, body: &mut Vec<u8>) {
    let (send_msg_result, error_info, unread) = match fact.outcome {
        Outcome::Delivered { unread } => (0, SEND_MSG_SUCCEED, i64::from(unread)),
        Outcome::Refused(refusal) => {
            let code = translate::refusal_code(refusal);
            (code.number(), code.text(), -1)
        }
    };
    let msg_id = translate::msg_id(event.conversation.app, &fact.from, fact.client_time_s, fact.random);
    let message = MessageFacts {
        from: fact.from.as_str(),
        to: fact.to.as_str(),
        key: MsgKey { seq: fact.wire_seq, random: fact.random, time_s: fact.time_s },
        msg_id: &msg_id,
        online_only: fact.online_only,
        body: &fact.body,
        custom_data: translate::text(&fact.custom_data),
        event_time_ms: event.recorded_ms,
        has_risk_content: fact.marked,
    };
    AfterSendMsg { message, send_msg_result, error_info, unread, to_bot: fact.to.is_bot() }.write(body);
}

fn missed(event: &Event, fact: &MissedMessage, body: &mut Vec<u8>) {
    let MessageName { from, to, .. } = &fact.message;
    let message = MessageFacts {
        from: from.as_str(),
        to: to.as_str(),
        key: translate::named_key(&fact.message),
        msg_id: "",
        online_only: false,
        body: &fact.body,
        custom_data: translate::text(&fact.custom_data),
        event_time_ms: event.recorded_ms,
        has_risk_content: false,
    };
    MsgOffline { message, unread: u64::from(fact.unread) }.write(body);
}

fn after_read(fact: &AfterRead, event_time_ms: u64, body: &mut Vec<u8>) {
    AfterMsgReport {
        reader: fact.reader.as_str(),
        peer: fact.peer.as_str(),
        last_read_s: fact.last_read_s,
        unread: u64::from(fact.unread),
        event_time_ms,
    }
    .write(body);
}

fn after_recall(fact: &AfterRecall, event_time_ms: u64, body: &mut Vec<u8>) {
    let MessageName { from, to, .. } = &fact.message;
    let unread = u64::from(fact.unread);
    AfterMsgWithDraw {
        from: from.as_str(),
        to: to.as_str(),
        key: translate::named_key(&fact.message),
        unread,
        event_time_ms,
    }
    .write(body);
}

fn after_edit(fact: &AfterEdit, event_time_ms: u64, body: &mut Vec<u8>) {
    AfterModifyMsg {
        operator: fact.operator.as_str(),
        from: fact.message.from.as_str(),
        to: fact.message.to.as_str(),
        key: translate::named_key(&fact.message),
        body: &fact.body,
        custom_data: translate::text(&fact.custom_data),
        event_time_ms,
    }
    .write(body);
}

fn after_extension(fact: &AfterExtension, event_time_ms: u64, body: &mut Vec<u8>) {
    let items: Vec<ExtensionEntry<'_>> = fact
        .items
        .iter()
        .map(|item| ExtensionEntry { key: &item.key, value: &item.value, seq: item.version })
        .collect();
    AfterMsgExtension {
        from: fact.message.from.as_str(),
        to: fact.message.to.as_str(),
        key: translate::named_key(&fact.message),
        operate_type: match fact.change {
            ExtensionChange::Set => 1,
            ExtensionChange::Delete => 2,
            ExtensionChange::Clear => 3,
        },
        items: &items,
        seq: fact.version,
        event_time_ms,
    }
    .write(body);
}

fn state(fact: &StateChange, event_time_ms: u64, body: &mut Vec<u8>) {
    use protocol::callback::StateAction as Wire;
    let action = match fact.action {
        StateAction::Login => Wire::Login,
        StateAction::Logout => Wire::Logout,
        StateAction::LinkClosed => Wire::LinkClose,
        StateAction::TimedOut => Wire::TimeOut,
    };
    let kicked: Vec<_> = fact.kicked.iter().copied().map(translate::opt_platform).collect();
    protocol::callback::StateChange { user: fact.user.as_str(), action, kicked: &kicked, event_time_ms }
        .write(body);
}

fn relation(fact: &RelationChange, event_time_ms: u64, body: &mut Vec<u8>) {
    let (from, to) = (fact.from.as_str(), fact.to.as_str());
    let pairs = |mutual: bool| if mutual { vec![(from, to), (to, from)] } else { vec![(from, to)] };
    let (command, pairs) = match &fact.relation {
        Relation::Befriended(befriended) => {
            let initiator = befriended.initiator.as_str();
            let pair = |(from, to)| FriendPair { from, to, initiator };
            FriendAdd {
                pairs: &pairs(befriended.mutual).into_iter().map(pair).collect::<Vec<_>>(),
                client_cmd: if befriended.accepted { "friend_response" } else { "friend_add" },
                admin: befriended.admin.as_ref().map_or("", |admin| admin.as_str()),
                forced: befriended.forced,
                event_time_ms,
            }
            .write(body);
            return;
        }
        Relation::Unfriended { mutual } => (CallbackCommand::SnsFriendDelete, pairs(*mutual)),
        Relation::Blocked => (CallbackCommand::SnsBlackListAdd, pairs(false)),
        Relation::Unblocked => (CallbackCommand::SnsBlackListDelete, pairs(false)),
    };
    RelationPairs { command, pairs: &pairs, event_time_ms }.write(body);
}

fn profile(fact: &ProfileChange, event_time_ms: u64, body: &mut Vec<u8>) {
    let value = |value| match value {
        &ProfileValue::Number(number) => PortraitValue::Number(number),
        ProfileValue::Text(text) => PortraitValue::Text(text),
    };
    let items: Vec<(&str, PortraitValue<'_>)> =
        fact.items.iter().map(|(tag, written)| (tag.as_str(), value(written))).collect();
    PortraitSet { operator: fact.operator.as_str(), user: fact.user.as_str(), items: &items, event_time_ms }
        .write(body);
}

pub fn before_send(question: &Question<'_>, id: String, now_ms: u64) -> Callback {
    let msg_id = translate::msg_id(question.app, &question.from, question.client_time_s, question.random);
    let message = MessageFacts {
        from: question.from.as_str(),
        to: question.to.as_str(),
        key: MsgKey { seq: question.wire_seq, random: question.random, time_s: question.time_s },
        msg_id: &msg_id,
        online_only: question.online_only,
        body: &question.content.body,
        custom_data: translate::text(&question.content.custom_data),
        event_time_ms: now_ms,
        has_risk_content: question.marked,
    };
    let mut body = Vec::new();
    let operator = question.operator.as_ref().map(chat::UserId::as_str);
    BeforeSendMsg { message, operator }.write(&mut body);
    Callback {
        command: CallbackCommand::C2cBeforeSendMsg,
        origin: question.origin,
        body: Bytes::from(body),
        id,
    }
}

/// Which question it is.
pub fn friend_command(step: &FriendStep<'_>) -> CallbackCommand {
    match step {
        FriendStep::Add { .. } => CallbackCommand::SnsPrevFriendAdd,
        FriendStep::Accept { .. } | FriendStep::Refuse => CallbackCommand::SnsPrevFriendResponse,
    }
}

pub fn friend_question(question: &FriendQuestion<'_>, id: String, now_ms: u64) -> Callback {
    let (from, to) = (question.from.as_str(), question.to.as_str());
    let mut body = Vec::new();
    let mut response = |remark, action| {
        let items = [ResponseFriendItem { to, remark, tag_name: "", action }];
        PrevFriendResponse { requester: from, from, items: &items, event_time_ms: now_ms }.write(&mut body);
    };
    match question.step {
        FriendStep::Accept { mutual: true, remark } => response(remark, ResponseAction::AgreeAndAdd),
        FriendStep::Accept { mutual: false, remark } => response(remark, ResponseAction::Agree),
        FriendStep::Refuse => response("", ResponseAction::Reject),
        FriendStep::Add { mutual, remark, group, source, wording } => {
            let group_name = group.unwrap_or_default();
            let item = FriendItem { to, remark, group_name, add_source: source, add_wording: wording };
            PrevFriendAdd {
                requester: from,
                from,
                items: &[item],
                add_type: if mutual { AddType::Both } else { AddType::Single },
                // Only administrators force, and they are not asked about.
                forced: false,
                event_time_ms: now_ms,
            }
            .write(&mut body);
        }
    }
    let command = friend_command(&question.step);
    Callback { command, origin: question.origin, body: Bytes::from(body), id }
}
