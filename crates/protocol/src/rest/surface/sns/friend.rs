//! Friends are made, noted of and parted from.

use super::{
    super::{
        Compat, Entry, Example, PLAIN,
        kind::{FLAG, Form, Kind, TEXT, TIME_S, lines, text},
        member::{Member, RESULT_CODE, RESULT_INFO, optional, required, told},
        ok,
        profile::FAIL_ACCOUNT,
        when,
    },
    CUSTOM_TAG, CUSTOM_VALUE, GROUP_NAME, NOT_A_USER, OTHER, RESULTS, UNKNOWN, UNKNOWN_OTHER, WRONG, from,
    others,
};
use crate::{
    code::ErrorCode,
    limits::{
        ADD_WORDING_LEN_MAX, FRIEND_GROUP_NAME_LEN_MAX, FRIEND_GROUPS_MAX, RELATIONS_PER_CALL_MAX,
        REMARK_LEN_MAX,
    },
};

const fn items(name: &'static str, of: &'static Kind, meaning: &'static str) -> Member {
    required(name, Kind::List { of, min: 1, max: Some(RELATIONS_PER_CALL_MAX) }, WRONG, meaning)
}

/// A member of an item that makes only its item fail.
const fn noted(name: &'static str, kind: Kind, left_out: &'static str, meaning: &'static str) -> Member {
    optional(name, kind, &[], left_out, meaning).line(WRONG)
}

const ADD_SOURCE: Member = required(
    "AddSource",
    Kind::Form(Form {
        words: "`AddSource_Type_` and 1 to 8 letters",
        pattern: "^AddSource_Type_[A-Za-z]{1,8}$",
        sample: "AddSource_Type_Web",
    }),
    &[],
    "Where the other was found.",
)
.line(WRONG);

const REMARK: Member =
    noted("Remark", text(0, REMARK_LEN_MAX), "empty", "A name of the user's own for the other.");

const ADD_WORDING: Member =
    noted("AddWording", text(0, ADD_WORDING_LEN_MAX), "empty", "What comes with the friend request.");

pub(in super::super) const FRIEND_ADD: Entry = Entry {
    summary: "Makes friends, or asks to",
    notes: &[
        "`AllowType` in the profile of each decides: they become friends at once, the other is asked (30539), or turns everybody down. Who asks somebody that has asked them agrees by that.",
    ],
    request: &[
        from("Who adds."),
        items(
            "AddFriendItem",
            &Kind::Object(&[
                OTHER,
                ADD_SOURCE,
                REMARK,
                noted(
                    "GroupName",
                    text(0, FRIEND_GROUP_NAME_LEN_MAX),
                    "none",
                    "The friend group to put the other into, which is made if need be. Empty is the same as left out.",
                ),
                ADD_WORDING,
            ]),
            "Who is added.",
        ),
        optional(
            "AddType",
            Kind::Word(&["Add_Type_Both", "Add_Type_Single"]),
            WRONG,
            "`Add_Type_Both`",
            "Whether the other gets the user as a friend too. Empty is the same as left out.",
        ),
        optional("ForceAddFlags", FLAG, WRONG, "0", "1: nobody is asked, and no profile looked at."),
    ],
    answers: &[RESULTS],
    codes: &[UNKNOWN],
    line_codes: &[
        when(
            ErrorCode::FriendRequestPending,
            "No failure: the other was asked, and they are friends as soon as the other agrees.",
        ),
        when(
            ErrorCode::RelationParameter,
            "`Err_SNS_FriendAdd_Friend_Exist`: they are friends already. Or it is the user itself.",
        ),
        UNKNOWN_OTHER,
        when(ErrorCode::FriendRequestsForbidden, "The user's own profile has `AdminForbid_Type_SendOut`."),
        when(ErrorCode::FriendListFull, "The user has 3000 friends."),
        when(ErrorCode::PeerFriendListFull, "The other has 3000 friends."),
        when(ErrorCode::FriendGroupsFull, "The group would be the user's 33rd."),
        when(ErrorCode::FriendRequestsFull, "The other has 100 unanswered requests."),
        when(ErrorCode::PeerIsBlocked, "The user blocks the other."),
        when(ErrorCode::BlockedByPeer, "The other blocks the user."),
        when(ErrorCode::PeerDeniesFriends, "The other takes no requests."),
    ],
    example: Example {
        request: r#"{"From_Account":"ana","AddFriendItem":[{"To_Account":"bo","Remark":"Bo from work","GroupName":"work","AddSource":"AddSource_Type_Web"},{"To_Account":"nobody","AddSource":"AddSource_Type_Web"}]}"#,
        answer: r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","ErrorDisplay":"","ResultItem":[{"To_Account":"bo","ResultCode":0,"ResultInfo":""},{"To_Account":"nobody","ResultCode":30003,"ResultInfo":"the account does not exist"}],"Fail_Account":["nobody"]}"#,
    },
    compat: &[Compat::Open("Whether somebody who was asked is in `Fail_Account`. Here they are.")],
    ..PLAIN
};

pub(in super::super) const FRIEND_IMPORT: Entry = Entry {
    summary: "Puts friends into one list",
    notes: &["Nobody is asked and no callback tells of it. Who is in the list already is overwritten."],
    request: &[
        from("Whose list it is."),
        items(
            "AddFriendItem",
            &Kind::Object(&[
                OTHER,
                ADD_SOURCE,
                REMARK,
                noted("RemarkTime", TIME_S, "none", "Since when the remark is there, in Unix seconds.")
                    .differs("Checked and not kept: nothing shows it."),
                noted(
                    "GroupName",
                    Kind::List { of: &GROUP_NAME, min: 0, max: Some(FRIEND_GROUPS_MAX) },
                    "none",
                    "The friend groups to put the other into, which are made if need be.",
                )
                .line(&[ErrorCode::RelationParameter, ErrorCode::FriendGroupsFull]),
                ADD_WORDING,
                noted(
                    "AddTime",
                    TIME_S,
                    "now",
                    "Since when they are friends, in Unix seconds. 0 is the same as left out.",
                ),
                noted(
                    "CustomItem",
                    Kind::List {
                        of: &Kind::Object(&[
                            required("Tag", Kind::Form(CUSTOM_TAG), &[], "The tag.").line(WRONG),
                            required("Value", CUSTOM_VALUE, &[], "Its value.")
                                .line(WRONG)
                                .differs("A number has at most 32 bits."),
                        ]),
                        min: 0,
                        max: None,
                    },
                    "none",
                    "The app's own notes, at most 20.",
                )
                .more("Custom tags need not be declared first."),
            ]),
            "Who is put into it.",
        ),
    ],
    answers: &[RESULTS],
    codes: &[UNKNOWN],
    line_codes: &[
        when(ErrorCode::RelationParameter, "It is the user itself."),
        UNKNOWN_OTHER,
        when(
            ErrorCode::FriendListFull,
            "`Err_SNS_FriendImport_My_Friend_Num_Exceed_Threshold`: the user has 3000 friends.",
        ),
        when(ErrorCode::FriendGroupsFull, "The user would have more than 32 groups."),
    ],
    example: Example {
        request: r#"{"From_Account":"bo","AddFriendItem":[{"To_Account":"cy","Remark":"Cy","GroupName":["family"],"AddSource":"AddSource_Type_Old","AddTime":1700000000,"CustomItem":[{"Tag":"Tag_SNS_Custom_Dog","Value":"Rex"}]}]}"#,
        answer: r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","ErrorDisplay":"","ResultItem":[{"To_Account":"cy","ResultCode":0,"ResultInfo":""}]}"#,
    },
    compat: &[Compat::Open("What becomes of one who is in the list already. Here they are overwritten.")],
    ..PLAIN
};

pub(in super::super) const FRIEND_UPDATE: Entry = Entry {
    summary: "Changes what is noted of friends",
    notes: &["What is not given stays; of a doubled tag the last value counts. How two became friends does not change."],
    request: &[
        from("Whose friends they are."),
        items(
            "UpdateItem",
            &Kind::Object(&[
                OTHER,
                required(
                    "SnsItem",
                    Kind::List {
                        of: &Kind::Object(&[
                            required(
                                "Tag",
                                Kind::OneOf(&[
                                    Kind::Word(&["Tag_SNS_IM_Remark", "Tag_SNS_IM_Group"]),
                                    Kind::Form(CUSTOM_TAG),
                                ]),
                                &[],
                                "The [tag](#friend-tags).",
                            )
                            .line(WRONG),
                            required("Value", Kind::OneOf(&[CUSTOM_VALUE, Kind::List { of: &GROUP_NAME, min: 0, max: Some(FRIEND_GROUPS_MAX) }]), &[], "Its value: an Array of names for the groups, which are all that the friend is in from now on.")
                                .line(&[ErrorCode::RelationParameter, ErrorCode::FriendGroupsFull]).differs("A number has at most 32 bits."),
                        ]),
                        min: 1,
                        max: None,
                    },
                    &[],
                    "The values.",
                )
                .line(WRONG)
                .more("Custom tags need not be declared first."),
            ]),
            "What changes, for each friend.",
        ),
    ],
    answers: &[RESULTS],
    codes: &[UNKNOWN],
    line_codes: &[
        when(ErrorCode::RelationParameter, "`Err_SNS_FriendUpdate_Friend_Not_Exist`: the other is not a friend. Or there would be more than 20 custom tags."),
        UNKNOWN_OTHER,
        when(ErrorCode::FriendGroupsFull, "`Err_SNS_FriendUpdate_Group_Num_Exceed_Threshold`: the user would have more than 32 groups."),
    ],
    example: Example {
        request: r#"{"From_Account":"ana","UpdateItem":[{"To_Account":"bo","SnsItem":[{"Tag":"Tag_SNS_IM_Remark","Value":"Bo"},{"Tag":"Tag_SNS_IM_Group","Value":["work","choir"]},{"Tag":"Tag_SNS_Custom_Dog","Value":"Rex"}]}]}"#,
        answer: r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","ErrorDisplay":"","ResultItem":[{"To_Account":"bo","ResultCode":0,"ResultInfo":""}]}"#,
    },
    ..PLAIN
};

const DELETE_TYPE: Member = optional(
    "DeleteType",
    Kind::Word(&["Delete_Type_Single", "Delete_Type_Both"]),
    WRONG,
    "`Delete_Type_Single`",
    "`Delete_Type_Single`: the other keeps the user as a friend. `Delete_Type_Both`: neither keeps the other. Empty is the same as left out.",
)
.open("Which of the two is meant when it is left out.");

pub(in super::super) const FRIEND_DELETE: Entry = Entry {
    summary: "Ends friendships",
    request: &[from("Whose friends they are."), others("Who is a friend no longer."), DELETE_TYPE],
    answers: &[RESULTS],
    codes: &[UNKNOWN],
    line_codes: &[
        when(ErrorCode::NotFriendsYet, "The other is not a friend, or has no account."),
        when(ErrorCode::RelationParameter, "It cannot be a UserID, or is the user itself."),
    ],
    example: Example {
        request: r#"{"From_Account":"ana","To_Account":["bo","cy"],"DeleteType":"Delete_Type_Both"}"#,
        answer: r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","ErrorDisplay":"","ResultItem":[{"To_Account":"bo","ResultCode":0,"ResultInfo":""},{"To_Account":"cy","ResultCode":31704,"ResultInfo":"the peer is not a friend"}],"Fail_Account":["cy"]}"#,
    },
    compat: &[Compat::Differs("`ErrorInfo` is empty, where a sample there says `0`.")],
    ..PLAIN
};

pub(in super::super) const FRIEND_DELETE_ALL: Entry = Entry {
    summary: "Ends all friendships of a user",
    request: &[from("Who has no friends any more."), DELETE_TYPE],
    codes: &[UNKNOWN],
    example: Example {
        request: r#"{"From_Account":"bo","DeleteType":"Delete_Type_Both"}"#,
        answer: r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","ErrorDisplay":""}"#,
    },
    ..PLAIN
};

pub(in super::super) const FRIEND_CHECK: Entry = Entry {
    summary: "Says who is whose friend",
    request: &[
        from("A, one of the two."),
        others("Each a B."),
        required(
            "CheckType",
            Kind::Word(&["CheckResult_Type_Single", "CheckResult_Type_Both"]),
            WRONG,
            "Whether A's list alone is looked at, or both.",
        )
        .more("`CheckResult_Type_Singal` is accepted as well, a misspelling that older clients send."),
    ],
    answers: &[ok(&[
        told(
            "InfoItem",
            lines(&Kind::Object(&[
                told("To_Account", TEXT, "B."),
                told(
                    "Relation",
                    Kind::Word(&[
                        "CheckResult_Type_BothWay",
                        "CheckResult_Type_AWithB",
                        "CheckResult_Type_BWithA",
                        "CheckResult_Type_NoRelation",
                    ]),
                    "Each has the other; only A has B; only B has A; neither. If the line failed, the last one.",
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
        request: r#"{"From_Account":"ana","To_Account":["bo","cy"],"CheckType":"CheckResult_Type_Both"}"#,
        answer: r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","ErrorDisplay":"","InfoItem":[{"To_Account":"bo","Relation":"CheckResult_Type_BothWay","ResultCode":0,"ResultInfo":""},{"To_Account":"cy","Relation":"CheckResult_Type_NoRelation","ResultCode":0,"ResultInfo":""}]}"#,
    },
    ..PLAIN
};
