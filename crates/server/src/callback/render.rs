//! Events and questions as the bodies that backends know.

use super::call::Callback;
use crate::translate;
use bytes::Bytes;
use chat::event::{AfterRead, AfterSend, Event, Fact, Outcome};
use chat::port::Question;
use protocol::MsgKey;
use protocol::callback::{
    AfterMsgReport, AfterSendMsg, BeforeSendMsg, CallbackCommand, MessageFacts, SEND_MSG_SUCCEED,
};

pub(super) fn command(fact: &Fact) -> CallbackCommand {
    match fact {
        Fact::AfterSend(_) => CallbackCommand::C2cAfterSendMsg,
        Fact::AfterRead(_) => CallbackCommand::C2cAfterMsgReport,
    }
}

pub(super) fn event(event: &Event) -> Callback {
    let mut body = Vec::new();
    match &event.fact {
        Fact::AfterSend(fact) => after_send(event, fact, &mut body),
        Fact::AfterRead(fact) => after_read(event, fact, &mut body),
    }
    Callback {
        command: command(&event.fact),
        origin: event.origin,
        body: Bytes::from(body),
        id: Some(event.id.to_string()),
    }
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
    AfterSendMsg { message, send_msg_result, error_info, unread }.write(body);
}

fn after_read(event: &Event, fact: &AfterRead, body: &mut Vec<u8>) {
    AfterMsgReport {
        reader: fact.reader.as_str(),
        peer: fact.peer.as_str(),
        last_read_s: fact.last_read_s,
        unread: u64::from(fact.unread),
        event_time_ms: event.recorded_ms,
    }
    .write(body);
}

pub(super) fn before_send(question: &Question<'_>, now_ms: u64) -> Callback {
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
    BeforeSendMsg { message }.write(&mut body);
    Callback {
        command: CallbackCommand::C2cBeforeSendMsg,
        origin: question.origin,
        body: Bytes::from(body),
        id: None,
    }
}
