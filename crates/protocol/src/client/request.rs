//! What a device asks.
//!
//! Here are the frame, `connect` and `send`. Everything else is read by the file of its area, which goes over the frame
//! once more, for the members that it knows.

mod conversation;
mod media;
mod message;
mod people;
mod presence;
mod token;

pub use conversation::{ConversationRequest, ListPlace, Notify};
pub use media::{MediaKind, MediaRequest, Upload};
pub use message::{
    Edit, Extend, ExtendOperation, History, HistoryPlace, MessageRequest, Named, NamedMany, SeenPair, SetPair,
};
pub use people::{Befriend, Grouped, ListPage, NoteFriend, PeopleRequest};
pub use presence::PresenceRequest;
pub use token::{Carrier, SetPushToken, TokenRequest};

use std::{borrow::Cow, fmt};

use serde::Deserialize;
use serde_json::value::RawValue;

use super::Position;
use crate::{
    callback::OptPlatform,
    code::{ErrorCode, Failure},
    element::Inspected,
    lenient::{self, Slot, WrongType, slots},
    limits::{DEVICE_ID_LEN_MAX, EPOCH_LEN_MAX},
    rest::sendmsg::{custom_data, inspected, offline_push},
    user_id::valid_user_id,
};

/// One frame from a device.
#[derive(Debug, Clone)]
pub struct ClientFrame<'a> {
    /// Chosen by the device; its answer carries the same.
    pub id: u64,
    /// What is asked.
    pub request: Request<'a>,
}

/// What a device can ask.
#[derive(Debug, Clone)]
pub enum Request<'a> {
    /// `connect`: log in; the first frame of every connection.
    Connect(Connect<'a>),
    /// `send`: send a message.
    Send(SendRequest<'a>),
    /// `ping`: is anybody there?
    Ping,
    /// What is done with messages.
    Message(MessageRequest<'a>),
    /// What is done with conversations.
    Conversation(ConversationRequest<'a>),
    /// Profiles, friends, blocklist.
    People(PeopleRequest<'a>),
    /// Who is online.
    Presence(PresenceRequest<'a>),
    /// Push to the device when it is not connected.
    Token(TokenRequest<'a>),
    /// Files.
    Media(MediaRequest<'a>),
}

/// `connect`.
#[derive(Clone)]
pub struct Connect<'a> {
    /// `sdkappid`.
    pub sdkappid: u32,
    /// `user_id`.
    pub user_id: Cow<'a, str>,
    /// `usersig`, not yet verified; may be empty.
    pub usersig: Cow<'a, str>,
    /// `platform`: one of the words of [`OptPlatform`] except `RESTAPI`; anything else is `Unknown`.
    pub platform: OptPlatform,
    /// `device_id`: 1 to 64 bytes that stay the same from login to login.
    pub device_id: Option<Cow<'a, str>>,
    /// `position`: the last one that the device has seen.
    pub position: Option<Position<'a>>,
}

impl fmt::Debug for Connect<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connect")
            .field("sdkappid", &self.sdkappid)
            .field("user_id", &self.user_id)
            .field("platform", &self.platform)
            .field("device_id", &self.device_id)
            .field("position", &self.position)
            .finish_non_exhaustive()
    }
}

/// `send`.
#[derive(Debug, Clone)]
pub struct SendRequest<'a> {
    /// `to`: the recipient.
    pub to: Cow<'a, str>,
    /// `random`: chosen anew for each message and kept when it is sent again.
    pub random: u32,
    /// `seq`: the server chooses when absent.
    pub seq: Option<u32>,
    /// `body`: a `MsgBody`, as it was sent.
    pub body: &'a RawValue,
    /// What a look at the body showed.
    pub inspected: Inspected<'a>,
    /// `custom_data`, empty when absent.
    pub custom_data: Cow<'a, str>,
    /// `client_time`: the device's clock in Unix seconds.
    pub client_time_s: Option<u64>,
    /// `online_only`: not stored, only for devices that are online now.
    pub online_only: bool,
    /// `need_read_receipt`.
    pub needs_read_receipt: bool,
    /// `support_extension`: key-value pairs may be put on it.
    pub supports_extension: bool,
    /// `no_unread`: does not count as unread.
    pub no_unread: bool,
    /// `no_last_msg`: does not touch the list of conversations.
    pub no_last_msg: bool,
    /// `offline_push`: an `OfflinePushInfo`, as it was sent.
    pub offline_push: Option<&'a RawValue>,
}

/// A frame that cannot be obeyed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FrameError {
    /// The frame's id, as far as it could be read.
    pub id: Option<u64>,
    /// What to answer.
    pub failure: Failure,
}

slots! {
    struct Members {
        id: "id",
        op: "op",
        sdkappid: "sdkappid",
        user_id: "user_id",
        usersig: "usersig",
        platform: "platform",
        device_id: "device_id",
        position: "position",
        to: "to",
        random: "random",
        seq: "seq",
        body: "body",
        custom_data: "custom_data",
        client_time: "client_time",
        online_only: "online_only",
        needs_read_receipt: "need_read_receipt",
        supports_extension: "support_extension",
        no_unread: "no_unread",
        no_last_msg: "no_last_msg",
        offline_push: "offline_push",
    }
}

slots! {
    struct PositionMembers {
        epoch: "epoch",
        offset: "offset",
    }
}

impl<'a> ClientFrame<'a> {
    /// Parses a text frame. Unknown members are ignored, `null` is the same as absent.
    pub fn parse(text: &'a str) -> Result<ClientFrame<'a>, FrameError> {
        let not_understood = || FrameError { id: None, failure: ErrorCode::FrameNotUnderstood.into() };
        let members: Members<'a> = lenient::body(text.as_bytes()).map_err(|_| not_understood())?;
        let id = members.id.u64().ok().flatten().ok_or_else(not_understood)?;
        let request =
            Request::from_members(&members, text).map_err(|failure| FrameError { id: Some(id), failure })?;
        Ok(ClientFrame { id, request })
    }
}

impl<'a> Request<'a> {
    fn from_members(members: &Members<'a>, text: &'a str) -> Result<Request<'a>, Failure> {
        match required_text(members.op, "op")?.as_ref() {
            "connect" => connect(members).map(Request::Connect),
            "send" => send(members).map(Request::Send),
            "ping" => Ok(Request::Ping),
            op => Request::of_area(op, text),
        }
    }

    fn of_area(op: &str, text: &'a str) -> Result<Request<'a>, Failure> {
        if let Some(request) = message::parse(op, text) {
            return request.map(Request::Message);
        }
        if let Some(request) = conversation::parse(op, text) {
            return request.map(Request::Conversation);
        }
        if let Some(request) = people::parse(op, text) {
            return request.map(Request::People);
        }
        if let Some(request) = presence::parse(op, text) {
            return request.map(Request::Presence);
        }
        if let Some(request) = token::parse(op, text) {
            return request.map(Request::Token);
        }
        if let Some(request) = media::parse(op, text) {
            return request.map(Request::Media);
        }
        Err(ErrorCode::UnknownOperation.into())
    }
}

fn connect<'a>(members: &Members<'a>) -> Result<Connect<'a>, Failure> {
    let sdkappid = members.sdkappid.u32().map_err(|_| ErrorCode::BadUrlParameter)?;
    let user_id = members.user_id.string().ok().flatten().unwrap_or_default();
    if !valid_user_id(&user_id) {
        return Err(ErrorCode::BadUrlParameter.with("user_id must be a String of 1 to 32 bytes"));
    }
    let platform = text(members.platform, "platform")?;
    let platform = platform.and_then(|word| OptPlatform::parse(&word)).unwrap_or(OptPlatform::Unknown);
    Ok(Connect {
        sdkappid: sdkappid.ok_or(ErrorCode::SdkAppIdMissing)?,
        user_id,
        usersig: text(members.usersig, "usersig")?.unwrap_or_default(),
        // A device cannot pass for the REST API.
        platform: if platform == OptPlatform::RestApi { OptPlatform::Unknown } else { platform },
        device_id: device_of(members.device_id, "device_id")?,
        position: position(members.position).map_err(|_| wrong("position"))?,
    })
}

fn send<'a>(members: &Members<'a>) -> Result<SendRequest<'a>, Failure> {
    let custom_data = custom_data(members.custom_data)?;
    Ok(SendRequest {
        to: recipient(members.to, "to")?,
        random: members
            .random
            .u32()
            .ok()
            .flatten()
            .ok_or_else(|| ErrorCode::BadMsgRandom.with("random must be an unsigned 32-bit integer"))?,
        seq: members.seq.u32().map_err(|_| wrong("seq"))?,
        client_time_s: members.client_time.u64().map_err(|_| wrong("client_time"))?,
        online_only: flag(members.online_only, "online_only")?,
        needs_read_receipt: flag(members.needs_read_receipt, "need_read_receipt")?,
        supports_extension: flag(members.supports_extension, "support_extension")?,
        no_unread: flag(members.no_unread, "no_unread")?,
        no_last_msg: flag(members.no_last_msg, "no_last_msg")?,
        offline_push: offline_push(members.offline_push)?,
        inspected: inspected(members.body, &custom_data)?,
        body: members.body.raw().ok_or(ErrorCode::BadElement)?,
        custom_data,
    })
}

fn position(slot: Slot<'_>) -> Result<Option<Position<'_>>, WrongType> {
    let Some(members) = slot.object::<PositionMembers<'_>>()? else { return Ok(None) };
    let epoch = members.epoch.string()?.filter(|epoch| epoch.len() <= EPOCH_LEN_MAX).ok_or(WrongType)?;
    Ok(Some(Position { epoch, offset: members.offset.u64()?.ok_or(WrongType)? }))
}

fn device_of<'a>(slot: Slot<'a>, name: &str) -> Result<Option<Cow<'a, str>>, Failure> {
    let device_id = text(slot, name)?;
    if device_id.as_ref().is_some_and(|id| !(1..=DEVICE_ID_LEN_MAX).contains(&id.len())) {
        return Err(wrong(name));
    }
    Ok(device_id)
}

fn recipient<'a>(slot: Slot<'a>, name: &str) -> Result<Cow<'a, str>, Failure> {
    let user_id = slot.string().ok().flatten().filter(|user_id| valid_user_id(user_id));
    user_id.ok_or_else(|| ErrorCode::BadToAccount.with(format!("{name} must be a String of 1 to 32 bytes")))
}

fn required_text<'a>(slot: Slot<'a>, name: &str) -> Result<Cow<'a, str>, Failure> {
    text(slot, name)?.ok_or_else(|| wrong(name))
}

fn text<'a>(slot: Slot<'a>, name: &str) -> Result<Option<Cow<'a, str>>, Failure> {
    slot.string().map_err(|_| wrong(name))
}

fn wrong(name: &str) -> Failure {
    ErrorCode::FrameNotUnderstood.with(format!("{name} is missing or not valid"))
}

/// The members of an area, of a frame that was read once already.
fn members_of<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Failure> {
    lenient::body(text.as_bytes()).map_err(|_| ErrorCode::FrameNotUnderstood.into())
}

/// A list that must be there, of 1 to `len_max` items.
fn list<'a, T>(
    slot: Slot<'a>,
    name: &str,
    len_max: usize,
    item: impl FnMut(Slot<'a>) -> Result<T, Failure>,
) -> Result<Vec<T>, Failure> {
    let items = slot.array().ok().flatten().filter(|items| !items.is_empty()).ok_or_else(|| wrong(name))?;
    if items.len() > len_max {
        return Err(ErrorCode::ListTooLong.with(format!("{name} has more than {len_max} items")));
    }
    items.into_iter().map(item).collect()
}

/// A list of users, as above.
fn users<'a>(slot: Slot<'a>, name: &str, len_max: usize) -> Result<Vec<Cow<'a, str>>, Failure> {
    list(slot, name, len_max, |slot| recipient(slot, name))
}

/// A flag that is off when it is left out.
fn flag(slot: Slot<'_>, name: &str) -> Result<bool, Failure> {
    slot.flag().map_err(|_| wrong(name))
}

/// How many items of a list are wanted, at least 1; the server bounds it and has a default.
fn limit(slot: Slot<'_>) -> Result<Option<u32>, Failure> {
    slot.u32().ok().filter(|limit| *limit != Some(0)).ok_or_else(|| wrong("limit"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = r#"[{"MsgType":"TIMTextElem","MsgContent":{"Text":"hi"}}]"#;

    fn request(members: &str) -> Request<'static> {
        let text = format!(r#"{{"id":18446744073709551615,{members}}}"#).leak();
        let frame = ClientFrame::parse(text).unwrap();
        assert_eq!(frame.id, u64::MAX);
        frame.request
    }

    #[test]
    fn connects() {
        let Request::Connect(connect) = request(
            r#""op":"connect","sdkappid":14,"user_id":"ana","usersig":"s","platform":"Web","device_id":"d",
            "position":{"epoch":"e","offset":41}"#,
        ) else {
            panic!("a connect");
        };
        assert_eq!((connect.sdkappid, &*connect.user_id, &*connect.usersig), (14, "ana", "s"));
        assert_eq!((connect.platform, connect.device_id.as_deref()), (OptPlatform::Web, Some("d")));
        assert_eq!(connect.position, Some(Position { epoch: "e".into(), offset: 41 }));
        assert!(!format!("{connect:?}").contains("usersig"));

        let Request::Connect(least) =
            request(r#""op":"connect","sdkappid":14,"user_id":"ana","platform":"RESTAPI""#)
        else {
            panic!("a connect");
        };
        assert_eq!((&*least.usersig, least.platform), ("", OptPlatform::Unknown));
        assert!(least.device_id.is_none() && least.position.is_none());
    }

    #[test]
    fn sends() {
        let Request::Send(send) = request(&format!(
            r#""op":"send","to":"bo","random":123,"seq":7,"body":{BODY},"custom_data":"c","client_time":9,"online_only":true,"need_read_receipt":true"#
        )) else {
            panic!("a send");
        };
        assert_eq!((&*send.to, send.random, send.seq, &*send.custom_data), ("bo", 123, Some(7), "c"));
        assert_eq!((send.client_time_s, send.online_only, send.needs_read_receipt), (Some(9), true, true));
        assert_eq!((send.body.get(), send.inspected.texts[0].as_ref()), (BODY, "hi"));

        let Request::Send(least) = request(&format!(r#""op":"send","to":"bo","random":0,"body":{BODY}"#))
        else {
            panic!("a send");
        };
        assert_eq!((least.seq, least.client_time_s, least.online_only), (None, None, false));
    }

    #[test]
    fn other_requests() {
        assert!(matches!(request(r#""op":"ping""#), Request::Ping));
    }

    #[test]
    fn refusals() {
        let long = "d".repeat(65);
        let table = [
            ("", None, 11002),
            ("[]", None, 11002),
            (r#"{"op":"ping"}"#, None, 11002),
            (r#"{"id":-1,"op":"ping"}"#, None, 11002),
            (r#"{"id":1}"#, Some(1), 11002),
            (r#"{"id":1,"op":7}"#, Some(1), 11002),
            (r#"{"id":"1","op":"dance"}"#, Some(1), 11004),
            (r#"{"id":1,"op":"connect","user_id":"ana"}"#, Some(1), 60012),
            (r#"{"id":1,"op":"connect","user_id":"ana","sdkappid":"x"}"#, Some(1), 60025),
            (r#"{"id":1,"op":"connect","user_id":"","sdkappid":1}"#, Some(1), 60025),
            (r#"{"id":1,"op":"connect","user_id":"ana","sdkappid":1,"usersig":1}"#, Some(1), 11002),
            (r#"{"id":1,"op":"connect","user_id":"ana","sdkappid":1,"device_id":""}"#, Some(1), 11002),
            (
                &format!(r#"{{"id":1,"op":"connect","user_id":"ana","sdkappid":1,"device_id":"{long}"}}"#),
                Some(1),
                11002,
            ),
            (
                r#"{"id":1,"op":"connect","user_id":"ana","sdkappid":1,"position":{"epoch":"e"}}"#,
                Some(1),
                11002,
            ),
            (r#"{"id":1,"op":"connect","user_id":"ana","sdkappid":1,"position":41}"#, Some(1), 11002),
            (&format!(r#"{{"id":1,"op":"send","random":1,"body":{BODY}}}"#), Some(1), 90003),
            (&format!(r#"{{"id":1,"op":"send","to":"bo","body":{BODY}}}"#), Some(1), 90005),
            (r#"{"id":1,"op":"send","to":"bo","random":1}"#, Some(1), 90002),
            (r#"{"id":1,"op":"send","to":"bo","random":1,"body":{}}"#, Some(1), 90007),
            (
                &format!(r#"{{"id":1,"op":"send","to":"bo","random":1,"body":{BODY},"custom_data":1}}"#),
                Some(1),
                90010,
            ),
        ];
        for (text, id, code) in table {
            let error = ClientFrame::parse(text).unwrap_err();
            assert_eq!((error.id, error.failure.code), (id, code), "{text}");
        }
    }
}
