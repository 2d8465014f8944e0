//! Friend lists are read.

use super::{
    super::{
        Compat, Entry, Example, PLAIN,
        kind::{FLAG, Kind, NAMES, TEXT, TIME_S, U32, U64, lines, text},
        member::{RESULT_CODE, RESULT_INFO, optional, required, told, told_if},
        ok,
        profile::{FAIL_ACCOUNT, TAG as PROFILE_TAG},
        when,
    },
    CUSTOM_TAG, NOT_A_USER, UNKNOWN, UNKNOWN_OTHER, WRONG, from, others,
};
use crate::{code::ErrorCode, limits::PROFILE_VALUE_LEN_MAX, rest::sns::StandardTag};

const STANDARD_TAGS: [&str; StandardTag::ALL.len()] = {
    let mut names = [""; StandardTag::ALL.len()];
    let mut at = 0;
    while at < names.len() {
        names[at] = StandardTag::ALL[at].as_str();
        at += 1;
    }
    names
};

const STANDARD_TAG: Kind = Kind::Word(&STANDARD_TAGS);
const TAG: Kind = Kind::OneOf(&[STANDARD_TAG, Kind::Form(CUSTOM_TAG)]);
const ANY_TAG: Kind = Kind::OneOf(&[STANDARD_TAG, Kind::Form(CUSTOM_TAG), PROFILE_TAG]);

const VALUE: Kind = Kind::OneOf(&[text(0, PROFILE_VALUE_LEN_MAX), TIME_S, NAMES]);

const SEQUENCE: &str = "The number of changes to the list.";

pub(in super::super) const FRIEND_GET: Entry = Entry {
    summary: "Reads a page of a friend list",
    notes: &[
        "A page has at most 500 friends, in the order of their UserIDs, each with the [tags](#friend-tags) that were ever set. If `CompleteFlag` is 0, repeat the call with `StartIndex` set to `NextStartIndex`.",
        "On the first page, tags are left out whose sequence the caller has already; if it has both, no friend is listed.",
    ],
    request: &[
        from("Whose friends they are."),
        optional("StartIndex", U32, WRONG, "0", "How many friends come before the page."),
        optional(
            "StandardSequence",
            U64,
            WRONG,
            "everything is listed",
            "`StandardSequence` of an earlier answer. 0 is the same as left out.",
        ),
        optional("CustomSequence", U64, WRONG, "everything is listed", "The same for custom tags."),
    ],
    answers: &[ok(&[
        told(
            "UserDataItem",
            lines(&Kind::Object(&[
                told("To_Account", TEXT, "The friend."),
                told(
                    "ValueItem",
                    lines(&Kind::Object(&[told("Tag", TAG, "The tag."), told("Value", VALUE, "Its value.")])),
                    "What is noted of them.",
                ),
            ])),
            "The friends.",
        ),
        told("StandardSequence", U64, SEQUENCE).differs("Both sequences are the same number."),
        told("CustomSequence", U64, SEQUENCE).differs("Both sequences are the same number."),
        told("FriendNum", U32, "How many friends there are on all pages."),
        told("CompleteFlag", FLAG, "1: there are no more."),
        told("NextStartIndex", U32, "Where the next page starts; 0 after the last one."),
    ])],
    codes: &[UNKNOWN],
    example: Example {
        request: r#"{"From_Account":"ana","StartIndex":0}"#,
        answer: r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","ErrorDisplay":"","UserDataItem":[{"To_Account":"bo","ValueItem":[{"Tag":"Tag_SNS_IM_AddSource","Value":"AddSource_Type_Web"},{"Tag":"Tag_SNS_IM_Remark","Value":"Bo"},{"Tag":"Tag_SNS_IM_Group","Value":["work","choir","neighbours"]},{"Tag":"Tag_SNS_IM_AddTime","Value":1795441092},{"Tag":"Tag_SNS_Custom_Dog","Value":"Rex"}]}],"StandardSequence":4,"CustomSequence":4,"FriendNum":1,"CompleteFlag":1,"NextStartIndex":0}"#,
    },
    compat: &[Compat::Open("The size and the order of a page.")],
    ..PLAIN
};

pub(in super::super) const FRIEND_GET_LIST: Entry = Entry {
    summary: "Reads some entries of a friend list",
    notes: &["Standard tags that were never set have an empty value; custom ones are left out."],
    request: &[
        from("Whose friends they are."),
        others("The friends."),
        required(
            "TagList",
            Kind::List { of: &ANY_TAG, min: 1, max: None },
            WRONG,
            "What is read: [tags](#friend-tags) of the entry, and [tags](#profile-tags) of the friend's profile; no more than 20 custom ones of each.",
        ),
    ],
    answers: &[ok(&[
        told(
            "InfoItem",
            lines(&Kind::Object(&[
                told("To_Account", TEXT, "The friend."),
                told_if(
                    "SnsProfileItem",
                    lines(&Kind::Object(&[
                        told("Tag", ANY_TAG, "The tag."),
                        told("Value", VALUE, "Its value."),
                    ])),
                    "the line did not fail",
                    "The values.",
                ),
                RESULT_CODE,
                RESULT_INFO,
            ])),
            "One line for each of the others, in the order of the request.",
        ),
        FAIL_ACCOUNT,
    ])],
    codes: &[UNKNOWN],
    line_codes: &[
        when(
            ErrorCode::RelationParameter,
            "`Err_SNS_FriendGetList_Friend_Not_Exist`: the other is not a friend.",
        ),
        UNKNOWN_OTHER,
        NOT_A_USER,
    ],
    example: Example {
        request: r#"{"From_Account":"ana","To_Account":["bo","cy"],"TagList":["Tag_Profile_IM_Nick","Tag_SNS_IM_Remark","Tag_SNS_IM_Group"]}"#,
        answer: r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","ErrorDisplay":"","InfoItem":[{"To_Account":"bo","SnsProfileItem":[{"Tag":"Tag_Profile_IM_Nick","Value":"Bo"},{"Tag":"Tag_SNS_IM_Remark","Value":"Bo"},{"Tag":"Tag_SNS_IM_Group","Value":["work","choir","neighbours"]}],"ResultCode":0,"ResultInfo":""},{"To_Account":"cy","ResultCode":30001,"ResultInfo":"Err_SNS_FriendGetList_Friend_Not_Exist"}],"Fail_Account":["cy"]}"#,
    },
    compat: &[Compat::More("Up to 1000 friends in a call; there, 100 are advised.")],
    ..PLAIN
};
