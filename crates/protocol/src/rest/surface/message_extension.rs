//! `openim_msg_ext_http_svc`: key-value pairs on messages.

use super::{
    Compat, Entry, Example, PLAIN, absent_in_request,
    kind::{FLAG, Kind, MSG_KEY, TEXT, U64, USER_ID, lines, text},
    member::{Member, optional, required, told},
    ok, when,
};
use crate::{
    code::ErrorCode,
    limits::{EXTENSION_KEY_LEN_MAX, EXTENSION_VALUE_LEN_MAX, EXTENSIONS_PER_CALL_MAX},
};

const WRONG: &[ErrorCode] = &[ErrorCode::ExtensionParameter];

const FROM: Member = optional("From_Account", USER_ID, WRONG, "the calling admin", "Who sent the message.")
    .more("The two people may be named in either order.");
const TO: Member = required("To_Account", USER_ID, WRONG, "Who got it.");
const KEY: Member = required("MsgKey", MSG_KEY, WRONG, "Its key.");

const PAIR: Kind = Kind::Object(&[
    told("Key", TEXT, "The key."),
    told("Value", TEXT, "The value; empty of a pair that was deleted."),
    told(
        "Seq",
        U64,
        "The number of the change that made it so; 0 of a pair that was to be deleted and was not there.",
    ),
]);

const CODES: [super::When; 2] = [
    when(ErrorCode::ExtensionsNotSupported, "The message was sent without `SupportMessageExtension`."),
    when(ErrorCode::ExtendedMessageNotFound, "There is no such message, or it was recalled."),
];

pub(super) const SET_EXTENSIONS: Entry = Entry {
    summary: "Sets, deletes or clears the pairs of a message",
    notes: &[
        "The message has to be sent with `SupportMessageExtension`, and has at most 300 pairs. Every change takes the next number of the message as its `Seq`.",
        "A defect refuses the whole call; of a key that is given twice the last counts.",
    ],
    request: &[
        TO,
        KEY,
        required(
            "OperateType",
            Kind::Choice(&[1, 2, 3]),
            WRONG,
            "1: set pairs. 2: delete pairs. 3: clear all.",
        ),
        FROM,
        optional(
            "ExtensionList",
            Kind::List {
                of: &Kind::Object(&[
                    required("Key", text(1, EXTENSION_KEY_LEN_MAX), WRONG, "The key."),
                    optional(
                        "Value",
                        text(0, EXTENSION_VALUE_LEN_MAX),
                        WRONG,
                        "empty",
                        "The value, to set a pair.",
                    ),
                ]),
                min: 1,
                max: Some(EXTENSIONS_PER_CALL_MAX),
            },
            WRONG,
            "refused, unless `OperateType` is 3",
            "The pairs.",
        ),
    ],
    answers: &[ok(&[told(
        "ExtensionList",
        lines(&Kind::Object(&[
            told("ErrorCode", Kind::LineCode, "Always 0: a defect refuses the whole call.")
                .differs("There it can be 23001, when somebody who is no admin comes too late."),
            told("Extension", PAIR, "The pair as it is now."),
        ])),
        "One line for each pair of the request, in its order.",
    )])],
    codes: &[
        when(ErrorCode::ExtensionParameter, "The message would have more than 300 pairs."),
        CODES[0],
        CODES[1],
    ],
    example: Example {
        request: r#"{"From_Account":"ana","To_Account":"bo","MsgKey":"1_287657_1795441092","OperateType":1,"ExtensionList":[{"Key":"vote:bo","Value":"yes"}]}"#,
        answer: r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","ExtensionList":[{"ErrorCode":0,"Extension":{"Key":"vote:bo","Value":"yes","Seq":1}}]}"#,
    },
    compat: &[Compat::Differs(
        "There is no limit to how often a message is changed (23003), and nothing to switch on first (10008).",
    )],
    absent: &[absent_in_request(
        "ExtensionList.Seq",
        "Only admins call here, and admins overwrite whatever is there, as in the original.",
    )],
    ..PLAIN
};

pub(super) const GET_EXTENSIONS: Entry = Entry {
    summary: "Reads the pairs of a message",
    notes: &[
        "A page has at most 200 pairs. If `CompleteFlag` is 0, repeat the call with a `StartSeq` one above the last `Seq`.",
    ],
    request: &[
        TO,
        KEY,
        FROM,
        optional("StartSeq", U64, WRONG, "0", "Only pairs with this `Seq` or a higher one."),
    ],
    answers: &[ok(&[
        told("CompleteFlag", FLAG, "1: there are no more."),
        told("LatestSeq", U64, "The highest `Seq` that the message has given."),
        told("ClearSeq", U64, "Pairs up to this `Seq` were cleared; a reader drops its copies of them."),
        told("ExtensionList", lines(&PAIR), "The pairs, in the order of `Seq`."),
    ])],
    codes: &CODES,
    example: Example {
        request: r#"{"From_Account":"ana","To_Account":"bo","MsgKey":"1_287657_1795441092"}"#,
        answer: r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","CompleteFlag":1,"LatestSeq":1,"ClearSeq":0,"ExtensionList":[{"Key":"vote:bo","Value":"yes","Seq":1}]}"#,
    },
    ..PLAIN
};
