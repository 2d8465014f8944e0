//! Callbacks: how an app's backend is asked before a message is sent and told afterwards, over HTTP.
//!
//! A callback is a POST to the configured URL with a few parameters added ([`CallbackQuery`]) and a JSON body
//! ([`BeforeSendMsg`], [`AfterSendMsg`]); what comes back is an [`Answer`]. Two signatures prove where it came from: the
//! compatible one over the time ([`sign`]) and one over the body ([`WebhookSigner`]).
//!
//! The receiving half is here as well, for backends and test tools: [`ReceivedQuery`], [`ReceivedAfterSendMsg`].

mod answer;
mod body;
mod command;
mod query;
mod signature;

pub use answer::{Answer, BeforeVerdict, NotJson, accept};
pub use body::{
    AfterMsgReport, AfterSendMsg, BeforeSendMsg, Malformed, MessageFacts, ReceivedAfterSendMsg,
    SEND_MSG_SUCCEED,
};
pub use command::{CallbackCommand, OptPlatform};
pub use query::{CallbackQuery, ReceivedQuery, ReceivedSign, Sign, sign};
pub use signature::{BadSecret, WebhookHeaders, WebhookSigner};
