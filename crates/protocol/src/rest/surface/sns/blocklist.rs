//! Blocklists.

use super::{
    super::{
        Compat, Entry, Example, PLAIN, absent_in_request,
        kind::{Kind, TEXT, TIME_S, U32, U64, lines},
        member::{RESULT_CODE, RESULT_INFO, optional, required, told},
        ok,
        profile::FAIL_ACCOUNT,
        when,
    },
    NOT_A_USER, RESULTS, UNKNOWN, UNKNOWN_OTHER, WRONG, from, others,
};
use crate::code::ErrorCode;

pub(in super::super) const BLOCKLIST_ADD: Entry = Entry {
    summary: "Blocks users",
    notes: &[
        "Who is blocked cannot send to the user from devices, nor ask to be a friend. A friendship of the two ends, on both sides, and what one asked the other is dropped.",
    ],
    request: &[from("Whose blocklist it is."), others("Who is blocked.")],
    answers: &[RESULTS],
    codes: &[UNKNOWN],
    line_codes: &[
        when(
            ErrorCode::RelationParameter,
            "`Err_SNS_BlackListAdd_Already_Exist`: the other is blocked already. Or it cannot be a UserID, or is the user itself.",
        ),
        UNKNOWN_OTHER,
        when(ErrorCode::BlocklistFull, "The user blocks 1000 others."),
    ],
    example: Example {
        request: r#"{"From_Account":"bo","To_Account":["cy"]}"#,
        answer: r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","ErrorDisplay":"","ResultItem":[{"To_Account":"cy","ResultCode":0,"ResultInfo":""}]}"#,
    },
    compat: &[
        Compat::Differs("There is no option to stay friends."),
        Compat::More("The end of the friendship is told as an event of its own."),
    ],
    ..PLAIN
};

pub(in super::super) const BLOCKLIST_DELETE: Entry = Entry {
    summary: "Unblocks users",
    request: &[from("Whose blocklist it is."), others("Who is unblocked.")],
    answers: &[RESULTS],
    codes: &[UNKNOWN],
    line_codes: &[when(
        ErrorCode::RelationParameter,
        "The other is not blocked. Or it cannot be a UserID, or is the user itself.",
    )],
    example: Example {
        request: r#"{"From_Account":"bo","To_Account":["cy","ana"]}"#,
        answer: r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","ErrorDisplay":"","ResultItem":[{"To_Account":"cy","ResultCode":0,"ResultInfo":""},{"To_Account":"ana","ResultCode":30001,"ResultInfo":"the user is not on the blocklist"}],"Fail_Account":["ana"]}"#,
    },
    ..PLAIN
};

pub(in super::super) const BLOCKLIST_GET: Entry = Entry {
    summary: "Reads a page of a blocklist",
    notes: &["In the order of UserIDs. If `StartIndex` of the answer is not 0, repeat the call with it."],
    request: &[
        from("Whose blocklist it is."),
        required(
            "MaxLimited",
            Kind::Integer { min: 1, max: u64::MAX },
            WRONG,
            "How many entries at most; more than 1000 is the same as 1000.",
        ),
        optional("StartIndex", U32, WRONG, "0", "How many entries come before the page.")
            .more("May be left out."),
    ],
    answers: &[ok(&[
        told(
            "BlackListItem",
            lines(&Kind::Object(&[
                told("To_Account", TEXT, "Who is blocked."),
                told("AddBlackTimeStamp", TIME_S, "Since when, in Unix seconds."),
            ])),
            "The entries.",
        ),
        told("StartIndex", U32, "Where the next page starts; 0 after the last one."),
        told(
            "CurruentSequence",
            U64,
            "The number of changes to the blocklist. The spelling is the original's.",
        ),
        told("CurrentSequence", U64, "The same.")
            .added("Spelt as it should be: the documentation has both, and so do clients."),
    ])],
    codes: &[UNKNOWN],
    example: Example {
        request: r#"{"From_Account":"bo","StartIndex":0,"MaxLimited":100}"#,
        answer: r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","ErrorDisplay":"","BlackListItem":[{"To_Account":"cy","AddBlackTimeStamp":1795441092}],"StartIndex":0,"CurruentSequence":1,"CurrentSequence":1}"#,
    },
    absent: &[absent_in_request("LastSequence", "Over REST it is always 0.")],
    ..PLAIN
};

pub(in super::super) const BLOCKLIST_CHECK: Entry = Entry {
    summary: "Says who blocks whom",
    request: &[
        from("A, one of the two."),
        others("Each a B."),
        required(
            "CheckType",
            Kind::Word(&["BlackCheckResult_Type_Single", "BlackCheckResult_Type_Both"]),
            WRONG,
            "Whether A's list alone is looked at, or both.",
        )
        .more("`BlackCheckResult_Type_Singal` is accepted as well, a misspelling that older clients send."),
    ],
    answers: &[ok(&[
        told(
            "BlackListCheckItem",
            lines(&Kind::Object(&[
                told("To_Account", TEXT, "B."),
                told(
                    "Relation",
                    Kind::Word(&[
                        "BlackCheckResult_Type_BothWay",
                        "BlackCheckResult_Type_AWithB",
                        "BlackCheckResult_Type_BWithA",
                        "BlackCheckResult_Type_NO",
                    ]),
                    "Each blocks the other; only A blocks B; only B blocks A; neither. If the line failed, the last one.",
                ),
                RESULT_CODE,
                RESULT_INFO,
            ])),
            "One line for each of the others, in the order of the request.",
        ),
        FAIL_ACCOUNT,
    ])],
    codes: &[UNKNOWN],
    line_codes: &[UNKNOWN_OTHER, NOT_A_USER],
    example: Example {
        request: r#"{"From_Account":"bo","To_Account":["ana","cy"],"CheckType":"BlackCheckResult_Type_Both"}"#,
        answer: r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","ErrorDisplay":"","BlackListCheckItem":[{"To_Account":"ana","Relation":"BlackCheckResult_Type_NO","ResultCode":0,"ResultInfo":""},{"To_Account":"cy","Relation":"BlackCheckResult_Type_AWithB","ResultCode":0,"ResultInfo":""}]}"#,
    },
    ..PLAIN
};
