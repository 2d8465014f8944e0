//! Callbacks: how an app's backend is asked before something happens and told afterwards, over HTTP.
//!
//! A callback is a POST to the configured URL with a few parameters added ([`CallbackQuery`]) and a JSON body, such as
//! [`AfterSendMsg`]; what comes back is an [`Answer`], or [`FriendVerdicts`]. Two signatures prove where it came from:
//! the compatible one over the time ([`sign`]) and one over the body ([`WebhookSigner`]).
//!
//! The other half, for backends and test tools, is [`receive`], and the answers to give: [`accept`], [`veto`],
//! [`drop_silently`], [`replace`], [`friend_verdicts()`].

mod command;
mod query;
mod body;
mod signature;
mod answer;
mod friend_verdicts;
pub mod receive;

pub use crate::limits::WEBHOOK_AGE_SECS_MAX;
pub use answer::{Answer, BeforeVerdict, NotJson, VETO_CODES, accept, drop_silently, replace, veto};
pub use body::{
    AddType, AfterModifyMsg, AfterMsgExtension, AfterMsgReport, AfterMsgWithDraw, AfterSendMsg,
    BeforeSendMsg, ExtensionEntry, FriendAdd, FriendItem, FriendPair, MessageFacts, MsgOffline, PortraitSet,
    PortraitValue, PrevFriendAdd, PrevFriendResponse, RelationPairs, ResponseAction, ResponseFriendItem,
    SEND_MSG_SUCCEED, StateAction, StateChange,
};
pub(crate) use command::words;
pub use command::{CallbackCommand, OptPlatform};
pub use friend_verdicts::{FRIEND_VETO_CODES, FriendVerdict, FriendVerdicts, friend_verdicts};
pub use query::{CallbackQuery, ReceivedQuery, ReceivedSign, Sign, sign};
pub use receive::{AfterSendMsg as ReceivedAfterSendMsg, Malformed};
pub use signature::{BadSecret, WebhookHeaders, WebhookSigner};
