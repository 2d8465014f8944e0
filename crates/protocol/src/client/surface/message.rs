//! Messages: sent, read, and changed afterwards.

use super::{
    Choice, Member, Operation, PLAIN,
    kind::{FLAG, Kind, MSG_KEY, Object, TEXT, TIME_S, U32, U64, USER_ID, lines, list, text},
    member::{WRONG, optional, required, told},
    object::{KEY, KEYS, MESSAGE, PEER},
};
use crate::{
    callback::VETO_CODES,
    code::ErrorCode,
    limits::{DELETED_KEYS_MAX, EXTENSION_KEY_LEN_MAX, EXTENSION_VALUE_LEN_MAX, EXTENSIONS_PER_CALL_MAX},
};

const BODY_CODES: &[ErrorCode] = &[
    ErrorCode::MessageTooLong,
    ErrorCode::BadElement,
    ErrorCode::MsgBodyNotArray,
    ErrorCode::BadFormat,
    ErrorCode::PacketTooLarge,
];

const CUSTOM_DATA_CODES: &[ErrorCode] = &[ErrorCode::MessageTooLong, ErrorCode::BadFormat];

const PUSH_CODES: &[ErrorCode] = &[ErrorCode::BadOfflinePushInfo];

const OFFLINE_PUSH: Object = Object {
    name: "OfflinePushInfo",
    about: "How to push a message to devices that are not connected.",
    members: &[
        optional("PushFlag", Kind::Choice(&[0, 1]), PUSH_CODES, "0", "1: no offline push."),
        optional("Title", TEXT, PUSH_CODES, "none", "The title of the push."),
        optional("Desc", TEXT, PUSH_CODES, "made of the elements", "The text of the push."),
        optional("Ext", TEXT, PUSH_CODES, "none", "Handed through to the app."),
        optional("AndroidInfo", Kind::AnyObject, PUSH_CODES, "none", "Settings for Android."),
        optional("ApnsInfo", Kind::AnyObject, PUSH_CODES, "none", "Settings for Apple's devices."),
    ],
};

const RECEIPT: Object = Object {
    name: "Receipt",
    about: "Whether a message was confirmed.",
    members: &[
        told("key", MSG_KEY, "The key of the message."),
        told("confirmed", FLAG, "Whether its recipient has confirmed to have read it."),
    ],
};

const PAIR: &[Member] = &[
    told("Key", TEXT, "The key."),
    told("Value", TEXT, "The value; empty of a pair that is not there."),
    told("Seq", U64, "The number of the change that made it so."),
];

const EXTENSION: Object =
    Object { name: "Extension", about: "A key-value pair on a message.", members: PAIR };

const EXTENSION_RESULT: Object = Object {
    name: "ExtensionResult",
    about: "What became of a pair, and how it stands now.",
    members: &[PAIR[0], PAIR[1], PAIR[2], told("code", U32, "0, or an error code.")],
};

const PAIR_KEY: Member = required("Key", text(1, EXTENSION_KEY_LEN_MAX), PAIR_CODES, "The key.");
const PAIR_SEQ: Member = optional(
    "Seq",
    U64,
    PAIR_CODES,
    "whatever is there is overwritten",
    "The `Seq` that the pair is known to have, 0 if it is not there: an older one is refused.",
);
const PAIR_CODES: &[ErrorCode] = &[ErrorCode::ExtensionParameter];

const PAIR_TO_SET: Object = Object {
    name: "ExtensionToSet",
    about: "A pair to be set.",
    members: &[
        PAIR_KEY,
        optional("Value", text(0, EXTENSION_VALUE_LEN_MAX), PAIR_CODES, "empty", "The value."),
        PAIR_SEQ,
    ],
};

const PAIR_TO_DELETE: Object =
    Object { name: "ExtensionToDelete", about: "A pair to be deleted.", members: &[PAIR_KEY, PAIR_SEQ] };

pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        name: "send",
        about: "Sends a message.",
        request: &[
            required("to", USER_ID, &[ErrorCode::BadToAccount], "The recipient."),
            required(
                "random",
                U32,
                &[ErrorCode::BadMsgRandom],
                "Chosen anew for each message, and kept when the message is sent again.",
            ),
            required("body", Kind::Elements, BODY_CODES, "What it says."),
            optional(
                "custom_data",
                TEXT,
                CUSTOM_DATA_CODES,
                "empty",
                "Travels with the message, as `CloudCustomData`.",
            ),
            optional("client_time", U64, WRONG, "the server's clock", "The device's clock in Unix seconds."),
            optional("seq", U32, WRONG, "the server numbers the messages of the conversation", "`MsgSeq`."),
            optional(
                "online_only",
                FLAG,
                WRONG,
                "false",
                "Not kept: only for the recipient's connections of this moment.",
            ),
            optional("need_read_receipt", FLAG, WRONG, "false", "Its recipient can confirm to have read it."),
            optional("no_unread", FLAG, WRONG, "false", "It does not count as unread."),
            optional("no_last_msg", FLAG, WRONG, "false", "It does not move the conversation in the list."),
            optional("support_extension", FLAG, WRONG, "false", "Key-value pairs can be put on it."),
            optional(
                "offline_push",
                Kind::Object(&OFFLINE_PUSH),
                PUSH_CODES,
                "none",
                "How to push it to devices that are not connected.",
            ),
        ],
        answer: &[
            told("MsgTime", TIME_S, "Its time, in Unix seconds."),
            told("MsgKey", MSG_KEY, "Its key."),
            told("MsgId", TEXT, "What it is known by among clients."),
        ],
        codes: &[
            ErrorCode::AccountInvalid,
            ErrorCode::RefusedByCallback,
            ErrorCode::BlockedByRecipient,
            ErrorCode::NotFriends,
            ErrorCode::NotInRecipientsFriends,
            ErrorCode::NotInSendersFriends,
            ErrorCode::SenderMuted,
            ErrorCode::TextRefused,
            ErrorCode::CallbackUnavailable,
            ErrorCode::TooFrequent,
        ],
        own_codes: Some(&VETO_CODES),
        ..PLAIN
    },
    Operation {
        name: "history",
        about: "Reads a page of a conversation, as its user sees it.",
        request: &[
            PEER,
            optional(
                "limit",
                Kind::Integer { min: 1, max: u32::MAX as u64 },
                WRONG,
                "20",
                "How many messages at most, up to `limits.history_page_len_max` (100).",
            ),
            optional(
                "before",
                MSG_KEY,
                &[ErrorCode::BadMsgKey],
                "from the newest on",
                "Only messages older than this one.",
            ),
            optional(
                "after",
                MSG_KEY,
                &[ErrorCode::BadMsgKey],
                "from the newest on",
                "Only messages newer than this one; the page runs forwards.",
            ),
            optional(
                "until",
                TIME_S,
                WRONG,
                "from the newest on",
                "Only messages of this Unix second or older ones.",
            ),
            optional(
                "from",
                TIME_S,
                WRONG,
                "from the newest on",
                "Only messages of this Unix second or newer ones; the page runs forwards.",
            ),
        ],
        choice: Choice::AtMostOneOf(&["before", "after", "until", "from"], ErrorCode::FrameNotUnderstood),
        answer: &[
            told("messages", lines(&Kind::Object(&MESSAGE)), "From old to new."),
            told("complete", FLAG, "Whether nothing is left in the direction of the page."),
            told(
                "next",
                Kind::OrNull(&MSG_KEY),
                "What to give as `before`, or as `after` where the page runs forwards, for the next page; `null` when \
                 this is the last one.",
            ),
        ],
        ..PLAIN
    },
    Operation {
        name: "recall",
        about: "Takes back a message of one's own.",
        request: &[PEER, KEY],
        codes: &[
            ErrorCode::TooFrequent,
            ErrorCode::RecallTooLate,
            ErrorCode::MessageNotFound,
            ErrorCode::MessageRecalled,
        ],
        ..PLAIN
    },
    Operation {
        name: "edit",
        about: "Changes what a message says.",
        request: &[
            PEER,
            KEY,
            optional("body", Kind::Elements, BODY_CODES, "stays", "What it says from now on."),
            optional("custom_data", TEXT, CUSTOM_DATA_CODES, "stays", "What travels with it from now on."),
            optional(
                "version",
                U64,
                WRONG,
                "the last edit wins",
                "Edit only if the message still has this `MsgVersion`.",
            ),
        ],
        choice: Choice::AnyOf(&["body", "custom_data"], ErrorCode::BadFormat),
        answer: &[
            told("version", U64, "The `MsgVersion` that the message has now."),
            told("message", Kind::Object(&MESSAGE), "The message as it is now."),
        ],
        codes: &[
            ErrorCode::NotAllowed,
            ErrorCode::AccountInvalid,
            ErrorCode::RefusedByCallback,
            ErrorCode::BlockedByRecipient,
            ErrorCode::NotFriends,
            ErrorCode::NotInRecipientsFriends,
            ErrorCode::NotInSendersFriends,
            ErrorCode::SenderMuted,
            ErrorCode::MessageNotFound,
            ErrorCode::MessageRecalled,
            ErrorCode::MessageVersionConflict,
            ErrorCode::TooFrequent,
            ErrorCode::TextRefused,
            ErrorCode::CallbackUnavailable,
        ],
        own_codes: Some(&VETO_CODES),
    },
    Operation {
        name: "delete",
        about: "Takes messages out of one's own history.",
        request: &[PEER, Member { kind: list(&MSG_KEY, DELETED_KEYS_MAX), ..KEYS }],
        codes: &[ErrorCode::TooFrequent],
        ..PLAIN
    },
    Operation {
        name: "confirm",
        about: "Confirms that received messages were read.",
        request: &[PEER, KEYS],
        codes: &[ErrorCode::TooFrequent, ErrorCode::MessageNotFound, ErrorCode::MessageRecalled],
        ..PLAIN
    },
    Operation {
        name: "receipts",
        about: "Asks which messages were confirmed.",
        request: &[PEER, KEYS],
        answer: &[told(
            "receipts",
            lines(&Kind::Object(&RECEIPT)),
            "In the order of the request, without those that are not there.",
        )],
        ..PLAIN
    },
    Operation {
        name: "extensions",
        about: "Reads the key-value pairs of a message.",
        request: &[PEER, KEY],
        answer: &[told("extensions", lines(&Kind::Object(&EXTENSION)), "The pairs, in the order of `Seq`.")],
        codes: &[ErrorCode::ExtensionsNotSupported, ErrorCode::ExtendedMessageNotFound],
        ..PLAIN
    },
    Operation {
        name: "extend",
        about: "Sets, deletes or clears key-value pairs of a message.",
        request: &[
            PEER,
            KEY,
            optional(
                "set",
                list(&Kind::Object(&PAIR_TO_SET), EXTENSIONS_PER_CALL_MAX),
                PAIR_CODES,
                "nothing is set",
                "Pairs to be set.",
            ),
            optional(
                "delete",
                list(&Kind::Object(&PAIR_TO_DELETE), EXTENSIONS_PER_CALL_MAX),
                PAIR_CODES,
                "nothing is deleted",
                "Pairs to be deleted.",
            ),
            optional("clear", FLAG, PAIR_CODES, "false", "Whether all pairs go."),
        ],
        choice: Choice::OneOf(&["set", "delete", "clear"], ErrorCode::ExtensionParameter),
        answer: &[told(
            "results",
            lines(&Kind::Object(&EXTENSION_RESULT)),
            "One for each pair of the request, in its order; none for `clear`.",
        )],
        codes: &[
            ErrorCode::AccountInvalid,
            ErrorCode::BlockedByRecipient,
            ErrorCode::NotFriends,
            ErrorCode::NotInRecipientsFriends,
            ErrorCode::NotInSendersFriends,
            ErrorCode::SenderMuted,
            ErrorCode::TooFrequent,
            ErrorCode::ExtensionsNotSupported,
            ErrorCode::ExtendedMessageNotFound,
            ErrorCode::TextRefused,
        ],
        ..PLAIN
    },
];
