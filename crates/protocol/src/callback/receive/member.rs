//! Members of a callback's body, read the way senders are known to vary.

use serde_json::value::RawValue;

use super::Malformed;
use crate::lenient::{self, Slot, WrongType};

/// One member, with the name by which it is missed.
pub(super) struct Member<'a> {
    pub(super) slot: Slot<'a>,
    pub(super) name: &'static str,
}

type ReadItem<'a, T> = fn(&Members<'a>) -> Result<T, Malformed>;

/// One struct for the members of all bodies and of the objects in them. Few are there at a time, but the body is
/// parsed once, before it is known which callback it is.
macro_rules! members {
    ($( $field:ident: $name:literal, )+) => {
        lenient::slots! { struct Slots { $( $field: $name, )+ } }

        #[derive(Default)]
        pub(super) struct Members<'a>(Slots<'a>);

        impl<'a> Members<'a> {
            $(
                pub(super) fn $field(&self) -> Member<'a> {
                    Member { slot: self.0.$field, name: $name }
                }
            )+
        }
    };
}

members! {
    callback_command: "CallbackCommand",
    from: "From_Account",
    to: "To_Account",
    operator: "Operator_Account",
    requester: "Requester_Account",
    initiator: "Initiator_Account",
    admin: "Admin_Account",
    reader: "Report_Account",
    peer: "Peer_Account",
    msg_seq: "MsgSeq",
    random: "MsgRandom",
    time: "MsgTime",
    msg_key: "MsgKey",
    msg_id: "MsgId",
    online_only: "OnlineOnlyFlag",
    risk_content: "HasRiskContent",
    result: "SendMsgResult",
    error_info: "ErrorInfo",
    unread: "UnreadMsgNum",
    body: "MsgBody",
    custom_data: "CloudCustomData",
    event_time: "EventTime",
    last_read_time: "LastReadTime",
    operate_type: "OperateType",
    extensions: "ExtensionList",
    key: "Key",
    value: "Value",
    seq: "Seq",
    data: "Data",
    info: "Info",
    action: "Action",
    reason: "Reason",
    kicked: "KickedDevice",
    platform: "Platform",
    profile_items: "ProfileItem",
    tag: "Tag",
    friend_items: "FriendItem",
    remark: "Remark",
    group_name: "GroupName",
    add_source: "AddSource",
    add_wording: "AddWording",
    add_type: "AddType",
    force_add_flags: "ForceAddFlags",
    response_items: "ResponseFriendItem",
    tag_name: "TagName",
    response_action: "ResponseAction",
    pairs: "PairList",
    client_cmd: "ClientCmd",
    force_flag: "ForceFlag",
}

impl<'a> Members<'a> {
    pub(super) fn parse(body: &'a [u8]) -> Result<Members<'a>, Malformed> {
        lenient::body(body).map(Members).map_err(|_| Malformed { member: "" })
    }
}

impl<'a> Member<'a> {
    /// A string that must be there.
    pub(super) fn text(&self) -> Result<String, Malformed> {
        self.required(self.slot.string()).map(|text| text.into_owned())
    }

    /// A string; absent is empty.
    pub(super) fn text_or_empty(&self) -> Result<String, Malformed> {
        Ok(self.right(self.slot.string())?.unwrap_or_default().into_owned())
    }

    pub(super) fn u32(&self) -> Result<u32, Malformed> {
        self.required(self.slot.u32())
    }

    pub(super) fn u64(&self) -> Result<u64, Malformed> {
        self.required(self.slot.u64())
    }

    pub(super) fn i64(&self) -> Result<i64, Malformed> {
        self.required(self.slot.i64())
    }

    pub(super) fn optional_u64(&self) -> Result<Option<u64>, Malformed> {
        self.right(self.slot.u64())
    }

    /// A flag; absent is `false`.
    pub(super) fn flag(&self) -> Result<bool, Malformed> {
        self.right(self.slot.flag())
    }

    /// Any JSON that must be there, as it was sent.
    pub(super) fn json(&self) -> Result<Box<RawValue>, Malformed> {
        self.slot.raw().map(RawValue::to_owned).ok_or(self.malformed())
    }

    /// An object that must be there.
    pub(super) fn object(&self) -> Result<Members<'a>, Malformed> {
        self.required(self.slot.object()).map(Members)
    }

    /// What each object of an array means. The array must be there.
    pub(super) fn items<T>(&self, read: ReadItem<'a, T>) -> Result<Vec<T>, Malformed> {
        let items = self.required(self.slot.array())?;
        items.into_iter().map(|slot| read(&Member { slot, name: self.name }.object()?)).collect()
    }

    /// The same; absent is empty.
    pub(super) fn items_or_none<T>(&self, read: ReadItem<'a, T>) -> Result<Vec<T>, Malformed> {
        if self.slot.is_absent() { Ok(Vec::new()) } else { self.items(read) }
    }

    pub(super) fn malformed(&self) -> Malformed {
        Malformed { member: self.name }
    }

    fn required<T>(&self, value: Result<Option<T>, WrongType>) -> Result<T, Malformed> {
        self.right(value)?.ok_or(self.malformed())
    }

    fn right<T>(&self, value: Result<T, WrongType>) -> Result<T, Malformed> {
        value.map_err(|WrongType| self.malformed())
    }
}
