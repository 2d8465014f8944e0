//! Messages that were sent are read, taken back, changed and taken out of a history.

use super::{
    super::{
        Compat, Entry, Example, PLAIN,
        kind::{FLAG, Kind, MSG_KEY, NAMES, TEXT, TIME_S, U32, U64, USER_ID, lines, list},
        member::{optional, required, told, told_if},
        ok, when,
    },
    KEY, NOBODY, RECIPIENT, SENDER,
};
use crate::{code::ErrorCode, limits::MSG_KEYS_PER_CALL_MAX};

const SHOWN_MESSAGE: Kind = Kind::Object(&[
    told("From_Account", TEXT, "Who sent it."),
    told("To_Account", TEXT, "Who got it."),
    told("MsgSeq", U32, "Orders messages of the same second."),
    told("MsgRandom", U32, "As it was sent."),
    told("MsgTimeStamp", TIME_S, "Its time, in Unix seconds."),
    told("MsgFlagBits", Kind::Choice(&[0, 8]), "8: it was recalled."),
    told("IsPeerRead", FLAG, "1: its recipient has [confirmed](#c2c_msg_read_receipt) to have read it."),
    told("MsgKey", MSG_KEY, "Its key."),
    told("MsgId", TEXT, "What client SDKs know it by.")
        .added("Other answers and callbacks name it, so history does too."),
    told(
        "MsgBody",
        Kind::StoredElements,
        "What it says, to the byte as it was sent; empty when it was recalled.",
    )
    .open("Whether a recalled message keeps its content. Here it has none."),
    told("CloudCustomData", TEXT, "As it was sent."),
    told("MsgClientTime", TIME_S, "The sender's own clock, in Unix seconds."),
    told("MsgVersion", U64, "Rises with every [edit](#modify_c2c_msg).")
        .added("For edits that must not overwrite one another."),
    told("IsNeedReadReceipt", FLAG, "As it was sent.").added("So that a reader knows whether to confirm."),
    told("SupportMessageExtension", FLAG, "As it was sent.")
        .added("So that a reader knows whether it can have pairs."),
    told_if(
        "HasRiskContent",
        Kind::Choice(&[1]),
        "it is so",
        "1: a word list with the action `mark` fits it.",
    )
    .added("The original has it in callbacks only."),
]);

pub(in super::super) const GET_ROAM_MSG: Entry = Entry {
    summary: "Reads a page of a conversation",
    notes: &[
        "As one of its two people sees it. The first page is the newest one; within a page, messages stand from old to new.",
        "If `Complete` is 0, repeat the call with `MaxTime` and `LastMsgKey` set to `LastMsgTime` and `LastMsgKey` of the answer.",
    ],
    request: &[
        required("Operator_Account", USER_ID, &[ErrorCode::BadFromAccount], "Whose view is read.")
            .older(&["From_Account"]),
        required("Peer_Account", USER_ID, &[ErrorCode::BadToAccount], "The other party.")
            .older(&["To_Account"]),
        required(
            "MaxCnt",
            Kind::Integer { min: 1, max: u32::MAX as u64 },
            &[ErrorCode::BadFormat],
            "How many messages at most; a page has at most 100, and about 13 KiB of content.",
        )
        .open(
            "The largest number. Here a larger one than `limits.history_page_len_max` is the same as that.",
        ),
        required("MinTime", TIME_S, &[ErrorCode::BadFormat], "From this Unix second on."),
        required("MaxTime", TIME_S, &[ErrorCode::BadFormat], "Up to this Unix second, which belongs to it."),
        optional(
            "LastMsgKey",
            MSG_KEY,
            &[ErrorCode::BadMsgKey],
            "from the newest on",
            "Go on behind this message. Empty is the same as left out.",
        )
        .more("Empty is accepted, which clients in languages with zero values send."),
    ],
    answers: &[ok(&[
        told("Complete", FLAG, "1: there is nothing older within the times."),
        told("MsgCnt", U32, "How many messages the page has."),
        told("LastMsgTime", TIME_S, "The time of the oldest message of the page; 0 without one."),
        told("LastMsgKey", TEXT, "The key of that message; empty without one."),
        told("MsgList", lines(&SHOWN_MESSAGE), "The messages."),
    ])],
    codes: &[
        when(ErrorCode::BadFromAccount, "The one whose view it is has no account."),
        when(ErrorCode::BadToAccount, "The other has no account, and there are no messages."),
    ],
    example: Example {
        request: r#"{"Operator_Account":"bo","Peer_Account":"ana","MaxCnt":10,"MinTime":1795000000,"MaxTime":1900000000}"#,
        answer: r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","Complete":1,"MsgCnt":1,"LastMsgTime":1795441092,"LastMsgKey":"1_287657_1795441092","MsgList":[{"From_Account":"ana","To_Account":"bo","MsgSeq":1,"MsgRandom":287657,"MsgTimeStamp":1795441092,"MsgFlagBits":0,"IsPeerRead":0,"MsgKey":"1_287657_1795441092","MsgId":"151114495335132915-1795441092-287657","MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"hello"}},{"MsgType":"TIMCustomElem","MsgContent":{"Data":"{\"order\":7}"}}],"CloudCustomData":"{\"theme\":\"dark\"}","MsgClientTime":1795441092,"MsgVersion":0,"IsNeedReadReceipt":0,"SupportMessageExtension":1}]}"#,
    },
    compat: &[Compat::Differs(
        "History goes back for as long as messages are kept, which is for ever unless the app says otherwise; there it is seven days unless more is paid for.",
    )],
    ..PLAIN
};

pub(in super::super) const RECALL_MSG: Entry = Entry {
    summary: "Takes a message back",
    notes: &[
        "However old it is, and whoever sent it. It keeps its place with `MsgFlagBits` 8, and loses its content, its push settings and its pairs, for both. If it was unread, its recipient has one unread message less.",
        "A message to many is taken back from one recipient at a time.",
    ],
    request: &[SENDER, RECIPIENT, KEY],
    codes: &[
        when(ErrorCode::MessageNotFound, "There is no such message from the one to the other."),
        when(ErrorCode::MessageRecalled, "It was taken back before."),
        when(ErrorCode::BadFromAccount, NOBODY),
        when(ErrorCode::BadToAccount, NOBODY),
    ],
    example: Example {
        request: r#"{"From_Account":"ana","To_Account":"bo","MsgKey":"1_287657_1795441092"}"#,
        answer: r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":""}"#,
    },
    compat: &[Compat::Open(
        "What becomes of the unread count. Here an unread message that is taken back no longer counts.",
    )],
    ..PLAIN
};

pub(in super::super) const EDIT_MSG: Entry = Entry {
    summary: "Changes what a message says",
    notes: &[
        "For both people, and for good. What is not given stays, and `MsgVersion` rises by one.",
        "Word lists do not look at the new content: the backend decided it.",
    ],
    request: &[
        SENDER,
        RECIPIENT,
        KEY,
        optional(
            "MsgBody",
            Kind::Elements,
            &[
                ErrorCode::MessageTooLong,
                ErrorCode::BadElement,
                ErrorCode::MsgBodyNotArray,
                ErrorCode::BadFormat,
                ErrorCode::PacketTooLarge,
            ],
            "stays",
            "What it says from now on: [elements](#message-elements).",
        ),
        optional(
            "CloudCustomData",
            TEXT,
            &[ErrorCode::MessageTooLong, ErrorCode::BadFormat],
            "stays",
            "What travels with it from now on. Empty empties it.",
        ),
        optional(
            "MsgVersion",
            U64,
            &[ErrorCode::BadFormat],
            "the last edit wins",
            "Edit only if the message still has this version, else 20027.",
        )
        .added("So that two edits do not overwrite one another unseen."),
    ],
    any_of: &["MsgBody", "CloudCustomData"],
    codes: &[
        when(ErrorCode::MessageNotFound, "There is no such message from the one to the other."),
        when(ErrorCode::MessageRecalled, "It was taken back."),
        when(ErrorCode::MessageVersionConflict, "It has another version than `MsgVersion`."),
        when(ErrorCode::BadFormat, "There is nothing to change."),
        when(ErrorCode::BadFromAccount, NOBODY),
        when(ErrorCode::BadToAccount, NOBODY),
    ],
    example: Example {
        request: r#"{"From_Account":"ana","To_Account":"bo","MsgKey":"1_287657_1795441092","MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"hello, Bo"}}],"MsgVersion":0}"#,
        answer: r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":""}"#,
    },
    compat: &[
        Compat::Differs(
            "20027 is answered only to a call with `MsgVersion`; edits never meet half-way, so 20028 does not occur.",
        ),
        Compat::Differs("`ErrorInfo` is empty, where a sample there says `succeed`."),
    ],
    ..PLAIN
};

pub(in super::super) const DELETE_MSG: Entry = Entry {
    summary: "Takes messages out of one person's history",
    notes: &[
        "The other person keeps them. One that is not there is as good as deleted; an unread one is no longer counted.",
    ],
    request: &[
        required("Operator_Account", USER_ID, &[ErrorCode::BadFromAccount], "Whose history it is."),
        required("Peer_Account", USER_ID, &[ErrorCode::BadToAccount], "The other party."),
        required(
            "MsgKeyList",
            list(&TEXT, 1, MSG_KEYS_PER_CALL_MAX),
            &[ErrorCode::BadFormat],
            "The keys of the messages, whoever of the two sent them.",
        ),
    ],
    answers: &[ok(&[told("InvalidMsgKeyList", NAMES, "What in `MsgKeyList` is no key.")
        .more("Always there, and empty when all are keys.")])],
    codes: &[when(ErrorCode::BadFromAccount, NOBODY), when(ErrorCode::BadToAccount, NOBODY)],
    example: Example {
        request: r#"{"Operator_Account":"bo","Peer_Account":"ana","MsgKeyList":["3_31_1790000000","no key"]}"#,
        answer: r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","InvalidMsgKeyList":["no key"]}"#,
    },
    compat: &[Compat::Open(
        "What is answered about messages that are not there. Here they are as good as deleted.",
    )],
    ..PLAIN
};
