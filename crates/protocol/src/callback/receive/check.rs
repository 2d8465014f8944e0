//! Whether a POST is a callback of this app, and of whom it comes.

use std::{borrow::Cow, fmt};

use serde_json::value::RawValue;

use super::{Callback, Malformed, member::Members};
use crate::{
    callback::{CallbackCommand, OptPlatform, ReceivedQuery, WebhookHeaders, WebhookSigner},
    limits::{SIGN_AGE_SECS_MAX, WEBHOOK_AGE_SECS_MAX},
};

/// What a receiver insists on; made once, from what it shares with the server.
#[derive(Clone)]
pub struct Checker {
    sdkappid: u32,
    token: String,
    signer: Option<WebhookSigner>,
}

/// A POST, as an HTTP library has it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Incoming<'a> {
    /// What stands behind the `?` of the URL.
    pub query: &'a str,
    /// The header [`WebhookHeaders::ID`].
    pub webhook_id: Option<&'a str>,
    /// The header [`WebhookHeaders::TIMESTAMP`].
    pub webhook_timestamp: Option<&'a str>,
    /// The header [`WebhookHeaders::SIGNATURE`].
    pub webhook_signature: Option<&'a str>,
    /// The body, byte for byte.
    pub body: &'a [u8],
}

/// A callback that passed the checks.
#[derive(Debug, Clone)]
pub struct Received<'a> {
    /// By which a repetition is known: the same in every attempt. Nobody vouches for it unless the checker has a signer.
    pub id: Option<&'a str>,
    /// Which callback it is.
    pub command: ReceivedCommand<'a>,
    /// The address of the client that caused it, if a client did.
    pub client_ip: Option<Cow<'a, str>>,
    /// The platform of that client; a word that this crate does not know is [`OptPlatform::Unknown`].
    pub platform: Option<OptPlatform>,
    /// What it says.
    pub callback: Callback,
}

/// The name of a callback.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReceivedCommand<'a> {
    /// One that this crate knows.
    Known(CallbackCommand),
    /// Any other.
    Other(Cow<'a, str>),
}

/// Why a POST is not taken for a callback of this app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rejected {
    /// `SdkAppid` is another one, or missing.
    OtherApp {
        /// What it says.
        received: Option<u32>,
    },
    /// There is no `Sign` with a `RequestTime`, and a token is set.
    NoSign,
    /// `RequestTime` is further from now than [`SIGN_AGE_SECS_MAX`].
    OldSign {
        /// How far, in seconds.
        apart_secs: u64,
    },
    /// `Sign` was not made with the token.
    WrongSign,
    /// A header of the signature over the body is missing, and a signer is set.
    NoHeader {
        /// Which one.
        name: &'static str,
    },
    /// `webhook-timestamp` is not a number.
    BadTimestamp,
    /// `webhook-timestamp` is further from now than [`WEBHOOK_AGE_SECS_MAX`].
    OldTimestamp {
        /// How far, in seconds.
        apart_secs: u64,
    },
    /// No signature in `webhook-signature` was made with a secret of the signer over this id, time and body.
    WrongSignature,
    /// The body is not JSON.
    NotJson,
    /// Neither the body nor the query has a `CallbackCommand`.
    NoCommand,
    /// The body and the query name different callbacks. The query is not signed.
    CommandsDiffer,
    /// The body lacks what callbacks of this name have.
    Malformed(Malformed),
}

impl Checker {
    /// A checker of one app's callbacks. With an empty token, `Sign` is not looked at; without a signer, neither are
    /// the `webhook-` headers, and then nothing vouches for the body.
    pub fn new(sdkappid: u32, token: impl Into<String>, signer: Option<WebhookSigner>) -> Checker {
        Checker { sdkappid, token: token.into(), signer }
    }

    /// Takes a POST apart. Nothing of the body is looked at before the signatures are found right.
    pub fn check<'a>(&self, incoming: Incoming<'a>, now_s: u64) -> Result<Received<'a>, Rejected> {
        let query = ReceivedQuery::parse(incoming.query);
        if query.sdkappid != Some(self.sdkappid) {
            return Err(Rejected::OtherApp { received: query.sdkappid });
        }
        self.check_sign(&query, now_s)?;
        self.check_signature(&incoming, now_s)?;
        let (command, callback) = read_body(query.command, incoming.body)?;
        Ok(Received {
            id: incoming.webhook_id,
            command,
            client_ip: query.client_ip,
            platform: query.platform.as_deref().map(platform),
            callback,
        })
    }

    fn check_sign(&self, query: &ReceivedQuery<'_>, now_s: u64) -> Result<(), Rejected> {
        if self.token.is_empty() {
            return Ok(());
        }
        let sign = query.sign.ok_or(Rejected::NoSign)?;
        let apart_secs = now_s.abs_diff(sign.request_time_s);
        if apart_secs > SIGN_AGE_SECS_MAX {
            return Err(Rejected::OldSign { apart_secs });
        }
        if sign.made_with(&self.token, now_s) { Ok(()) } else { Err(Rejected::WrongSign) }
    }

    fn check_signature(&self, incoming: &Incoming<'_>, now_s: u64) -> Result<(), Rejected> {
        let Some(signer) = &self.signer else { return Ok(()) };
        let header = |value: Option<_>, name| value.ok_or(Rejected::NoHeader { name });
        let id = header(incoming.webhook_id, WebhookHeaders::ID)?;
        let timestamp = header(incoming.webhook_timestamp, WebhookHeaders::TIMESTAMP)?;
        let signature = header(incoming.webhook_signature, WebhookHeaders::SIGNATURE)?;
        let timestamp_s = timestamp.parse().map_err(|_| Rejected::BadTimestamp)?;
        let apart_secs = now_s.abs_diff(timestamp_s);
        if apart_secs > WEBHOOK_AGE_SECS_MAX {
            return Err(Rejected::OldTimestamp { apart_secs });
        }
        let headers = WebhookHeaders { id, timestamp_s, signature: signature.to_owned() };
        if signer.verify(&headers, incoming.body) { Ok(()) } else { Err(Rejected::WrongSignature) }
    }
}

fn read_body<'a>(
    in_query: Cow<'a, str>,
    body: &'a [u8],
) -> Result<(ReceivedCommand<'a>, Callback), Rejected> {
    let raw: &RawValue = serde_json::from_slice(body).map_err(|_| Rejected::NotJson)?;
    // JSON that is not an object has no members, and may still be a callback without a form of its own.
    let members = Members::parse(body).unwrap_or_default();
    let in_body = members.callback_command().slot.string().ok().flatten();
    // Not every callback has its name in the body.
    let name = match in_body {
        Some(in_body) if !in_query.is_empty() && in_body != in_query => return Err(Rejected::CommandsDiffer),
        Some(in_body) => in_body,
        None => in_query,
    };
    if name.is_empty() {
        return Err(Rejected::NoCommand);
    }
    let Some(command) = CallbackCommand::parse(&name) else {
        return Ok((ReceivedCommand::Other(name), Callback::Other(raw.to_owned())));
    };
    let callback = Callback::read(command, &members).map_err(Rejected::Malformed)?;
    let callback = callback.unwrap_or_else(|| Callback::Other(raw.to_owned()));
    Ok((ReceivedCommand::Known(command), callback))
}

/// One callback spells one platform unlike all others.
fn platform(word: &str) -> OptPlatform {
    let spelt_otherwise = OptPlatform::Ios.as_str_for(CallbackCommand::StateChange);
    let known = if word == spelt_otherwise { Some(OptPlatform::Ios) } else { OptPlatform::parse(word) };
    known.unwrap_or(OptPlatform::Unknown)
}

impl ReceivedCommand<'_> {
    /// The word on the wire.
    pub fn as_str(&self) -> &str {
        match self {
            ReceivedCommand::Known(command) => command.as_str(),
            ReceivedCommand::Other(name) => name,
        }
    }
}

impl Rejected {
    /// The HTTP status to answer with: 403 when it may come from somebody else, 400 when it cannot be read.
    pub const fn status(&self) -> u16 {
        match self {
            Rejected::OtherApp { .. }
            | Rejected::NoSign
            | Rejected::OldSign { .. }
            | Rejected::WrongSign
            | Rejected::NoHeader { .. }
            | Rejected::OldTimestamp { .. }
            | Rejected::WrongSignature => 403,
            Rejected::BadTimestamp
            | Rejected::NotJson
            | Rejected::NoCommand
            | Rejected::CommandsDiffer
            | Rejected::Malformed(_) => 400,
        }
    }
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Rejected::OtherApp { received: Some(received) } => {
                write!(f, "SdkAppid is {received}, which is not the app expected here")
            }
            Rejected::OtherApp { received: None } => f.write_str("SdkAppid is missing from the URL"),
            Rejected::NoSign => {
                f.write_str("Sign or RequestTime is missing from the URL, and a token is expected")
            }
            Rejected::OldSign { apart_secs } => write!(
                f,
                "RequestTime is {apart_secs} s away from this receiver's clock, at most {SIGN_AGE_SECS_MAX} are allowed"
            ),
            Rejected::WrongSign => f.write_str("Sign was not made with the token expected here"),
            Rejected::NoHeader { name } => {
                write!(f, "the header {name} is missing, and a signed body is expected")
            }
            Rejected::BadTimestamp => write!(f, "{} is not a number of seconds", WebhookHeaders::TIMESTAMP),
            Rejected::OldTimestamp { apart_secs } => write!(
                f,
                "{} is {apart_secs} s away from this receiver's clock, at most {WEBHOOK_AGE_SECS_MAX} are allowed",
                WebhookHeaders::TIMESTAMP
            ),
            Rejected::WrongSignature => write!(
                f,
                "{} was not made over this id, time and body with the secret expected here",
                WebhookHeaders::SIGNATURE
            ),
            Rejected::NotJson => f.write_str("the body is not JSON"),
            Rejected::NoCommand => f.write_str("CallbackCommand is missing from the URL and from the body"),
            Rejected::CommandsDiffer => f.write_str("CallbackCommand in the URL is not the one in the body"),
            Rejected::Malformed(malformed) => malformed.fmt(f),
        }
    }
}

impl std::error::Error for Rejected {}

impl fmt::Debug for Checker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Checker").field("sdkappid", &self.sdkappid).finish_non_exhaustive()
    }
}
