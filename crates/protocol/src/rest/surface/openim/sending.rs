//! Messages are sent, to one and to many, and put into the history.

use super::super::{
    Answer, Compat, Entry, Example, PLAIN, Status,
    kind::{FLAG, Kind, MSG_KEY, TEXT, TIME_S, U32, USER_ID, lines},
    member::{Member, optional, required, told},
    ok, when,
};
use crate::{code::ErrorCode, limits::TARGETS_PER_CALL_MAX};

const RANDOM: Member = required(
    "MsgRandom",
    U32,
    &[ErrorCode::BadMsgRandom],
    "Chosen anew for each message, and kept when it is sent again.",
);

const BODY_CODES: &[ErrorCode] = &[
    ErrorCode::MessageTooLong,
    ErrorCode::BadElement,
    ErrorCode::MsgBodyNotArray,
    ErrorCode::BadFormat,
    ErrorCode::PacketTooLarge,
];

const BODY: Member =
    required("MsgBody", Kind::Elements, BODY_CODES, "What it says: [elements](#message-elements).")
        .more("The `UUID` of a `TIMFileElem` may be left out, as one widely used server SDK does.");

const OPTIONAL_SENDER: Member =
    optional("From_Account", USER_ID, &[ErrorCode::BadFromAccount], "the calling admin", "Who sends it.");

const CUSTOM_DATA: Member = optional(
    "CloudCustomData",
    TEXT,
    &[ErrorCode::MessageTooLong, ErrorCode::BadFormat],
    "empty",
    "Travels with the message, and counts towards its size.",
);

const SYNC_OTHER_MACHINE: Member = optional(
    "SyncOtherMachine",
    Kind::Choice(&[0, 1, 2]),
    &[ErrorCode::BadSyncOtherMachine],
    "the sender's history has the message",
    "1: the sender's devices are told of it at once as well. 2: the sender's side does not have it. 0 is the same as left out.",
)
.more("0 is accepted as well, which clients in languages with zero values send.");

const ONLINE_ONLY: Member = optional(
    "OnlineOnlyFlag",
    FLAG,
    &[ErrorCode::BadFormat],
    "0",
    "1: only for devices that are connected at this moment; not kept.",
);

const LIFE_TIME: Member = optional(
    "MsgLifeTime",
    U32,
    &[ErrorCode::BadLifeTime],
    "kept",
    "0 is the same as `OnlineOnlyFlag` 1. Other values are checked and change nothing: messages are kept.",
)
.differs("There it is the time for which a message waits for a device, and one beyond seven days is shortened or refused with 90026. Here messages wait for as long as they are kept, and 90026 does not occur.");

const CONTROL_WORDS: &[&str] = &["NoUnread", "NoLastMsg", "WithMuteNotifications", "NoMsgCheck"];

const CONTROL: Member = optional(
    "SendMsgControl",
    Kind::List { of: &Kind::Word(CONTROL_WORDS), min: 0, max: None },
    &[ErrorCode::BadFormat],
    "none",
    "`NoUnread`: does not count as unread. `NoLastMsg`: does not move the conversation in the list. `WithMuteNotifications`: heeds a recipient who takes no messages. `NoMsgCheck`: word lists do not look at it. Other words are ignored.",
)
.differs("`WithMuteNotifications` heeds `Tag_Profile_IM_MsgSettings`, bit 0: there is no muting of single senders.");

const SUPPORTS_EXTENSION: Member = optional(
    "SupportMessageExtension",
    FLAG,
    &[ErrorCode::BadFormat],
    "0",
    "1: [pairs](#set_key_values) can be put on it.",
);

const NEEDS_RECEIPT: Member = optional(
    "IsNeedReadReceipt",
    FLAG,
    &[ErrorCode::BadFormat],
    "0",
    "1: its recipient can [confirm](#c2c_msg_read_receipt) to have read it.",
);

const PUSH_CODES: &[ErrorCode] = &[ErrorCode::BadOfflinePushInfo];

const OFFLINE_PUSH: Member = optional(
    "OfflinePushInfo",
    Kind::Object(&[
        optional("PushFlag", FLAG, PUSH_CODES, "0", "1: no offline push."),
        optional("Title", TEXT, PUSH_CODES, "none", "The title of the push."),
        optional("Desc", TEXT, PUSH_CODES, "made of the elements", "The text of the push."),
        optional("Ext", TEXT, PUSH_CODES, "none", "Handed through to the app."),
        optional("AndroidInfo", Kind::AnyObject, PUSH_CODES, "none", "Settings for Android, kept as they are."),
        optional("ApnsInfo", Kind::AnyObject, PUSH_CODES, "none", "Settings for Apple's devices, kept as they are."),
    ]),
    PUSH_CODES,
    "none",
    "How to push it to devices that are not connected. Kept with the message.",
)
.differs("Only kept: this server does not push to devices that are not connected. Members of `AndroidInfo` and `ApnsInfo` are not checked.");

const SEQ: Member = optional(
    "MsgSeq",
    U32,
    &[ErrorCode::BadFormat],
    "the number of the message in its conversation",
    "Orders messages of the same second. A 0 is a 0.",
)
.differs("There the server fills in a random number, so that order within a second is by chance. With a before-send callback, sends that were asked about at the same time may share a number.");

const MSG_ID: Member = told("MsgId", TEXT, "What client SDKs know the message by.");

pub(in super::super) const SEND_MSG: Entry = Entry {
    summary: "Sends a message as any user to any other",
    notes: &[
        "Mutes, blocklists and friendships are not looked at: they bind devices, and not the backend.",
        "Sent again: the same sender, recipient, `MsgRandom`, `MsgSeq` if given, `MsgBody` and `CloudCustomData`, both to the byte, within 120 seconds. The answer is that of the first send, and nothing happens twice.",
        "A message to oneself is allowed, and is never unread.",
    ],
    request: &[
        required("To_Account", USER_ID, &[ErrorCode::BadToAccount], "Who gets it."),
        RANDOM,
        BODY,
        OPTIONAL_SENDER,
        SEQ,
        SYNC_OTHER_MACHINE,
        ONLINE_ONLY,
        LIFE_TIME,
        optional(
            "MsgTimeStamp",
            Kind::Integer { min: 0, max: i64::MAX as u64 },
            &[ErrorCode::BadMsgTimeStamp],
            "now",
            "Checked to be an integer and not used: the server's clock decides.",
        )
        .open("Older pages have it, newer ones have not. Here it is checked and ignored."),
        CUSTOM_DATA,
        CONTROL,
        optional(
            "ForbidCallbackControl",
            Kind::List { of: &Kind::Word(FORBID_WORDS), min: 0, max: None },
            &[ErrorCode::BadFormat],
            "none",
            "This message does without that callback. Other words are ignored.",
        ),
        NEEDS_RECEIPT,
        SUPPORTS_EXTENSION,
        OFFLINE_PUSH,
    ],
    answers: &[ok(&[
        told("MsgTime", TIME_S, "The time of the message in Unix seconds, by the server's clock. Within a conversation it never goes back.")
            .more("Never goes back within a conversation, so that `MsgTime` and `MsgSeq` sort as messages were committed."),
        told("MsgKey", MSG_KEY, "`<MsgSeq>_<MsgRandom>_<MsgTime>`, by which the message is named from now on."),
        MSG_ID,
    ])],
    codes: &[
        when(ErrorCode::AccountInvalid, "The sender or the recipient has no account."),
        when(ErrorCode::TextRefused, "A word list blocks it."),
        when(ErrorCode::RefusedByCallback, "The backend, asked before the send, refused it."),
        when(ErrorCode::CallbackUnavailable, "The backend was to be asked, did not answer, and `before_failure` is `reject`."),
    ],
    has_own_codes: true,
    example: Example {
        request: r#"{"From_Account":"ana","To_Account":"bo","MsgRandom":287657,"MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"hello"}},{"MsgType":"TIMCustomElem","MsgContent":{"Data":"{\"order\":7}"}}],"CloudCustomData":"{\"theme\":\"dark\"}","SupportMessageExtension":1}"#,
        answer: r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","MsgTime":1795441092,"MsgKey":"1_287657_1795441092","MsgId":"151114495335132915-1795441092-287657"}"#,
    },
    compat: &[Compat::Open("What a repeated send is answered. Here it is what the first one was, and the recipient belongs to what makes two sends the same."), Compat::Open("The code for an account that does not exist, for which there are three. Here it is 20003."), Compat::Open("What the sender is told of a message that the backend drops in silence. Here it is OK, with a `MsgKey` under which nothing is found.")],
    ..PLAIN
};

const FORBID_WORDS: &[&str] = &["ForbidBeforeSendMsgCallback", "ForbidAfterSendMsgCallback"];

const SENT_TO_MANY: [Member; 2] =
    [told("MsgKey", MSG_KEY, "The key of the message, the same for all who get it."), MSG_ID];

const FAILED_RECIPIENTS: Member = told(
    "ErrorList",
    lines(&Kind::Object(&[
        told("To_Account", TEXT, "Who does not get it."),
        told("ErrorCode", Kind::FailedLineCode, "Why."),
    ])),
    "Those who do not get it. Empty when all do.",
)
.more("Always there, since strict clients fail without it.");

pub(in super::super) const BATCH_SEND_MSG: Entry = Entry {
    summary: "Sends a message to up to 500 users",
    notes: &[
        "All recipients get it under one `MsgKey` and one `MsgId`. Who is listed twice gets it once.",
        "No callback asks about it. None tells of it either, unless the app has `callback_on_batch`.",
        "A repeated call changes nothing for those who have the message.",
    ],
    request: &[
        required(
            "To_Account",
            Kind::List { of: &TEXT, min: 1, max: Some(TARGETS_PER_CALL_MAX) },
            &[
                ErrorCode::BadToAccount,
                ErrorCode::TooManyTargets,
                ErrorCode::TargetsNotArray,
                ErrorCode::NoTargets,
            ],
            "Who gets it. What cannot be a UserID is like an account that does not exist.",
        ),
        RANDOM,
        Member {
            codes: &[
                ErrorCode::BadElement,
                ErrorCode::MsgBodyNotArray,
                ErrorCode::BadFormat,
                ErrorCode::BatchMessageTooLong,
                ErrorCode::PacketTooLarge,
            ],
            ..BODY
        },
        OPTIONAL_SENDER,
        optional(
            "MsgSeq",
            U32,
            &[ErrorCode::BadFormat],
            "made of `MsgRandom` and the content",
            "Orders messages of the same second. A 0 is a 0.",
        )
        .differs("Left out, it is the same for all recipients and in a repeated call; there it is random."),
        SYNC_OTHER_MACHINE,
        ONLINE_ONLY,
        LIFE_TIME,
        Member { codes: &[ErrorCode::BadFormat, ErrorCode::BatchMessageTooLong], ..CUSTOM_DATA },
        CONTROL,
        NEEDS_RECEIPT,
        SUPPORTS_EXTENSION.more("Only clients have it, and the documentation of the call has not."),
        OFFLINE_PUSH,
    ],
    answers: &[
        Answer {
            status: Status::Ok,
            when: "Everybody gets it.",
            members: &[SENT_TO_MANY[0], SENT_TO_MANY[1], FAILED_RECIPIENTS],
        },
        Answer {
            status: Status::SomeError,
            when: "Some do.",
            members: &[SENT_TO_MANY[0], SENT_TO_MANY[1], FAILED_RECIPIENTS],
        },
        Answer {
            status: Status::Fail(ErrorCode::RecipientNotFound),
            when: "Nobody does.",
            members: &[FAILED_RECIPIENTS],
        },
    ],
    codes: &[
        when(ErrorCode::BadFromAccount, "The sender has no account."),
        when(ErrorCode::TextRefused, "A word list blocks it, for everybody."),
        when(
            ErrorCode::BatchRateLimited,
            "The app sent more messages in the minute than `rates.batch_messages_per_min`.",
        ),
    ],
    line_codes: &[when(ErrorCode::AccountNotFound, "There is no such account.")],
    example: Example {
        request: r#"{"From_Account":"ana","To_Account":["cy","nobody"],"MsgRandom":287658,"MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"to all"}}]}"#,
        answer: r#"{"ActionStatus":"SomeError","ErrorCode":0,"ErrorInfo":"","MsgKey":"2123462245_287658_1795441092","MsgId":"151114495335132915-1795441092-287658","ErrorList":[{"To_Account":"nobody","ErrorCode":70107}]}"#,
    },
    compat: &[
        Compat::Differs(
            "Messages are kept like any other; there, those of this call count as unread for a day.",
        ),
        Compat::Differs("Word lists apply, and refuse the call as a whole."),
        Compat::Differs("The rate of messages per minute is off unless the app sets one."),
    ],
    ..PLAIN
};

pub(in super::super) const IMPORT_MSG: Entry = Entry {
    summary: "Puts an older message into the history",
    notes: &[
        "It stands at its own time. What is there already, with the same `MsgSeq`, `MsgRandom` and `MsgTimeStamp` between the same two, in either direction, stays as it is, and the answer is OK.",
        "No callback asks about it or tells of it, and word lists do not look at it.",
    ],
    request: &[
        required(
            "SyncFromOldSystem",
            Kind::Choice(&[1, 2, 5]),
            &[ErrorCode::BadSyncFromOldSystem],
            "2: history, which does not count as unread and is not told to devices. 5: sent just now, while the app moves; counts, and is told. 1 is the same as 5.",
        )
        .more("1 is accepted in place of 5, as older pages have it."),
        required("From_Account", USER_ID, &[ErrorCode::BadFromAccount], "Who sent it."),
        required("To_Account", USER_ID, &[ErrorCode::BadToAccount], "Who got it."),
        RANDOM,
        required(
            "MsgTimeStamp",
            Kind::Integer { min: 1, max: u32::MAX as u64 },
            &[ErrorCode::BadMsgTimeStamp],
            "When, in Unix seconds; at most a minute from now.",
        )
        .differs("One in the future is refused: later messages would have to stand behind it."),
        BODY,
        optional("MsgSeq", U32, &[ErrorCode::BadFormat], "made of `MsgRandom` and the content", "Orders messages of the same second. A 0 is a 0.")
            .differs("Left out, it is the same in a repeated call, which is known by it; there it is random."),
        CUSTOM_DATA,
    ],
    codes: &[when(ErrorCode::AccountUnknown, "The sender or the recipient has no account.")],
    example: Example {
        request: r#"{"SyncFromOldSystem":2,"From_Account":"bo","To_Account":"ana","MsgSeq":3,"MsgRandom":31,"MsgTimeStamp":1790000000,"MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"hello from before"}}]}"#,
        answer: r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":""}"#,
    },
    ..PLAIN
};
