//! What has been read: marked, confirmed and counted.

use super::{
    super::{
        Answer, Compat, Entry, Example, PLAIN, Status,
        kind::{Kind, MSG_KEY, TEXT, TIME_S, U64, USER_ID, lines, list},
        member::{optional, required, told},
        when,
    },
    NOBODY,
};
use crate::{
    code::ErrorCode,
    limits::{MSG_KEYS_PER_CALL_MAX, UNREAD_PEERS_PER_CALL_MAX},
};

pub(in super::super) const SET_MSG_READ: Entry = Entry {
    summary: "Marks a conversation as read",
    notes: &["It counts nothing as unread afterwards, or only what came later than `MsgReadTime`. No message counts as [confirmed](#c2c_msg_read_receipt) by it."],
    request: &[
        required("Report_Account", USER_ID, &[ErrorCode::BadFromAccount], "Who has read."),
        required("Peer_Account", USER_ID, &[ErrorCode::BadToAccount], "The other party."),
        optional("MsgReadTime", TIME_S, &[ErrorCode::BadFormat], "everything is read", "Everything up to and including this Unix second is read. 0 and empty are the same as left out.")
            .open("Whether it is a String or an Integer: here it may be either. And whether the second itself belongs to it: here it does."),
    ],
    codes: &[when(ErrorCode::BadFromAccount, NOBODY), when(ErrorCode::BadToAccount, NOBODY)],
    example: Example {
        request: r#"{"Report_Account":"bo","Peer_Account":"ana"}"#,
        answer: r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":""}"#,
    },
    ..PLAIN
};

pub(in super::super) const CONFIRM_MSG_READ: Entry = Entry {
    summary: "Confirms that single messages were read",
    notes: &[
        "`IsPeerRead` of the messages is 1 afterwards, if they were sent with `IsNeedReadReceipt`; for others nothing changes. The unread messages stay as many as they were.",
    ],
    request: &[
        required("Operator_Account", USER_ID, &[ErrorCode::BadFromAccount], "Who has read."),
        required("Peer_Account", USER_ID, &[ErrorCode::BadToAccount], "Who sent the messages."),
        required(
            "C2CMsgInfo",
            list(
                &Kind::Object(&[
                    required("From_Account", USER_ID, &[ErrorCode::BadFormat], "The `Peer_Account`."),
                    required("To_Account", USER_ID, &[ErrorCode::BadFormat], "The `Operator_Account`."),
                    required("MsgKey", MSG_KEY, &[ErrorCode::BadMsgKey], "The key of the message."),
                ]),
                1,
                MSG_KEYS_PER_CALL_MAX,
            ),
            &[ErrorCode::BadFormat],
            "The messages.",
        )
        .open("The largest number of messages."),
    ],
    codes: &[
        when(
            ErrorCode::MessageNotFound,
            "One of the messages is not there; `ErrorInfo` names the first. The others are confirmed all the same.",
        ),
        when(ErrorCode::BadFromAccount, NOBODY),
        when(ErrorCode::BadToAccount, NOBODY),
    ],
    example: Example {
        request: r#"{"Operator_Account":"bo","Peer_Account":"ana","C2CMsgInfo":[{"From_Account":"ana","To_Account":"bo","MsgKey":"1_287657_1795441092"}]}"#,
        answer: r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":""}"#,
    },
    compat: &[
        Compat::Open(
            "What becomes of a message that did not ask for a receipt. Here nothing does, and the call is fine.",
        ),
        Compat::Open("Most codes. Here they are those of the other commands."),
    ],
    ..PLAIN
};

pub(in super::super) const GET_UNREAD_NUM: Entry = Entry {
    summary: "Counts unread messages",
    notes: &[
        "In all conversations together, or in those with some. The counts are exact. Who is gone still counts for as long as something of theirs is unread.",
    ],
    request: &[
        required("To_Account", USER_ID, &[ErrorCode::BadToAccount], "Whose messages are counted."),
        optional(
            "Peer_Account",
            list(&TEXT, 0, UNREAD_PEERS_PER_CALL_MAX),
            &[ErrorCode::BadToAccount, ErrorCode::BadFormat],
            "in all conversations",
            "Count in the conversations with these. Empty is the same as left out.",
        ),
    ],
    answers: &[
        Answer {
            status: Status::Ok,
            when: "Without `Peer_Account`.",
            members: &[told("AllC2CUnreadMsgNum", U64, "In all conversations together.")],
        },
        Answer {
            status: Status::Ok,
            when: "With `Peer_Account`.",
            members: &[
                told(
                    "C2CUnreadMsgNumList",
                    lines(&Kind::Object(&[
                        told("Peer_Account", TEXT, "The other party."),
                        told("C2CUnreadMsgNum", U64, "In the conversation with them."),
                    ])),
                    "The counts.",
                ),
                told(
                    "ErrorList",
                    lines(&Kind::Object(&[
                        told("Peer_Account", TEXT, "Who could not be looked up."),
                        told("ErrorCode", Kind::FailedLineCode, "Why."),
                    ])),
                    "Those who could not be looked up.",
                )
                .more("Always there with the list, since strict clients fail without it."),
            ],
        },
    ],
    codes: &[when(ErrorCode::BadToAccount, "The one whose messages are counted has no account.")],
    line_codes: &[when(ErrorCode::AccountNotFound, "There is no such account.")],
    example: Example {
        request: r#"{"To_Account":"bo","Peer_Account":["ana","nobody"]}"#,
        answer: r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","C2CUnreadMsgNumList":[{"Peer_Account":"ana","C2CUnreadMsgNum":1}],"ErrorList":[{"Peer_Account":"nobody","ErrorCode":70107}]}"#,
    },
    compat: &[Compat::Differs(
        "Counts have no upper limit; there, a hundred or a few hundred conversations and messages count.",
    )],
    ..PLAIN
};
