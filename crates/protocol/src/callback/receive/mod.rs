//! The receiving half of callbacks, for the backend of an app.
//!
//! A [`Checker`] is made once from what the app's settings say. It takes the query, three headers and the body of each
//! POST, whatever HTTP library they come from, and hands back a [`Received`] with one typed [`Callback`], or says with
//! which status to refuse the POST and why.
//!
//! Reading is tolerant, because servers of several ages and makers send callbacks: numbers may come as strings, members
//! that some of them leave out may be missing, and unknown members are passed over.
//!
//! Not here: remembering which ids were seen. A callback is sent again until it is answered, so that every receiver has
//! to pass over an id that it has already kept. `examples/receiver` does, and is the whole of a receiver.

mod check;
mod message;
mod user;
mod member;

use std::fmt;

use serde_json::value::RawValue;

use super::CallbackCommand;
use member::Members;

pub use check::{Checker, Incoming, Received, ReceivedCommand, Rejected};
pub use message::{
    AfterModifyMsg, AfterMsgExtension, AfterMsgReport, AfterMsgWithDraw, AfterSendMsg, BeforeSendMsg,
    BotSignal, ExtensionEntry, MsgOffline,
};
pub use user::{
    FriendAdd, FriendItem, FriendPair, PortraitSet, PortraitValue, PrevFriendAdd, PrevFriendResponse,
    RelationPairs, ResponseFriendItem, StateChange,
};

/// What a callback says.
#[derive(Debug, Clone)]
pub enum Callback {
    /// A question; [`accept`](super::accept), [`veto`](super::veto), [`drop_silently`](super::drop_silently) and
    /// [`replace`](super::replace) answer it.
    BeforeSendMsg(BeforeSendMsg),
    /// A message was sent, or failed after it was accepted.
    AfterSendMsg(AfterSendMsg),
    /// The same, of a message to a bot.
    BotMessage(AfterSendMsg),
    /// A signal was sent to a bot.
    BotSignal(BotSignal),
    /// A user has read a conversation.
    AfterMsgReport(AfterMsgReport),
    /// A message was recalled.
    AfterMsgWithDraw(AfterMsgWithDraw),
    /// A message was edited.
    AfterModifyMsg(AfterModifyMsg),
    /// The extensions of a message changed.
    AfterMsgExtension(AfterMsgExtension),
    /// A message found no device of its recipient.
    MsgOffline(MsgOffline),
    /// A user came online or went offline.
    StateChange(StateChange),
    /// A profile was changed.
    PortraitSet(PortraitSet),
    /// A question; [`friend_verdicts`](super::friend_verdicts()) answers it.
    PrevFriendAdd(PrevFriendAdd),
    /// A question; [`friend_verdicts`](super::friend_verdicts()) answers it.
    PrevFriendResponse(PrevFriendResponse),
    /// Friends were added.
    FriendAdd(FriendAdd),
    /// Friends were removed.
    FriendDelete(RelationPairs),
    /// Users were blocked.
    BlackListAdd(RelationPairs),
    /// Users were unblocked.
    BlackListDelete(RelationPairs),
    /// A callback of which the documentation gives no single form, or one that this crate does not know.
    Other(Box<RawValue>),
}

/// A callback body that is not JSON, or lacks a member that every sender writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed {
    /// The member at fault; empty when it is the body as a whole.
    pub member: &'static str,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.member {
            "" => f.write_str("the callback is not a JSON object"),
            member => write!(f, "{member} is missing from the callback or has the wrong type"),
        }
    }
}

impl std::error::Error for Malformed {}

impl Callback {
    /// What the members say; `None` when they have no form of their own here.
    fn read(command: CallbackCommand, members: &Members<'_>) -> Result<Option<Callback>, Malformed> {
        Ok(Some(match command {
            CallbackCommand::C2cBeforeSendMsg => Callback::BeforeSendMsg(BeforeSendMsg::read(members)?),
            CallbackCommand::C2cAfterSendMsg => Callback::AfterSendMsg(AfterSendMsg::read(members)?),
            CallbackCommand::BotOnC2cMessage => Callback::BotMessage(AfterSendMsg::read(members)?),
            CallbackCommand::ChatbotOnC2cSignalMessage => Callback::BotSignal(BotSignal::read(members)?),
            CallbackCommand::C2cAfterMsgReport => Callback::AfterMsgReport(AfterMsgReport::read(members)?),
            CallbackCommand::C2cAfterMsgWithDraw => {
                Callback::AfterMsgWithDraw(AfterMsgWithDraw::read(members)?)
            }
            CallbackCommand::C2cAfterModifyMsg => Callback::AfterModifyMsg(AfterModifyMsg::read(members)?),
            CallbackCommand::C2cAfterMsgExtension => {
                Callback::AfterMsgExtension(AfterMsgExtension::read(members)?)
            }
            CallbackCommand::CoupletMsgOffline => Callback::MsgOffline(MsgOffline::read(members)?),
            CallbackCommand::StateChange => Callback::StateChange(StateChange::read(members)?),
            CallbackCommand::ProfilePortraitSet => Callback::PortraitSet(PortraitSet::read(members)?),
            CallbackCommand::SnsPrevFriendAdd => Callback::PrevFriendAdd(PrevFriendAdd::read(members)?),
            CallbackCommand::SnsPrevFriendResponse => {
                Callback::PrevFriendResponse(PrevFriendResponse::read(members)?)
            }
            CallbackCommand::SnsFriendAdd => Callback::FriendAdd(FriendAdd::read(members)?),
            CallbackCommand::SnsFriendDelete => Callback::FriendDelete(RelationPairs::read(members)?),
            CallbackCommand::SnsBlackListAdd => Callback::BlackListAdd(RelationPairs::read(members)?),
            CallbackCommand::SnsBlackListDelete => Callback::BlackListDelete(RelationPairs::read(members)?),
            CallbackCommand::C2cAfterMsgReadReceipt
            | CallbackCommand::PushOfflinePush
            | CallbackCommand::ContentResultNotify
            | CallbackCommand::AlertRequestOverLimit => return Ok(None),
        }))
    }
}

#[cfg(test)]
mod tests;
