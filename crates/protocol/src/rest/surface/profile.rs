//! `profile`: what users say about themselves.

use super::{
    Compat, Entry, Example, PLAIN,
    kind::{Form, Kind, NAMES, TEXT, USER_ID, lines, list, text},
    member::{Member, RESULT_INFO, required, told, told_if},
    ok, when,
};
use crate::{
    code::ErrorCode,
    limits::{PROFILE_VALUE_LEN_MAX, PROFILES_PER_CALL_MAX},
    rest::profile::StandardTag,
};

const WRONG: &[ErrorCode] = &[ErrorCode::ProfileParameter];

/// The tags that every profile has, and those that an app makes up.
pub(super) const TAG: Kind = Kind::OneOf(&[
    Kind::Word(&STANDARD_TAGS),
    Kind::Form(Form {
        words: "`Tag_Profile_Custom_` and 1 to 8 letters",
        pattern: "^Tag_Profile_Custom_[A-Za-z]{1,8}$",
        sample: "Tag_Profile_Custom_Vip",
    }),
]);

const STANDARD_TAGS: [&str; StandardTag::ALL.len()] = {
    let mut names = [""; StandardTag::ALL.len()];
    let mut at = 0;
    while at < names.len() {
        names[at] = StandardTag::ALL[at].as_str();
        at += 1;
    }
    names
};

const VALUE: Kind =
    Kind::OneOf(&[text(0, PROFILE_VALUE_LEN_MAX), Kind::Integer { min: 0, max: u32::MAX as u64 }]);

const VALUE_CODES: &[ErrorCode] = &[
    ErrorCode::ProfileParameter,
    ErrorCode::ValueTooLong,
    ErrorCode::ProfileValueInvalid,
    ErrorCode::ProfileValueWrongType,
];

const TAG_CODES: &[ErrorCode] = &[ErrorCode::ProfileParameter, ErrorCode::ProfileTagUnknown];

pub(super) const PORTRAIT_SET: Entry = Entry {
    summary: "Writes to a profile",
    notes: &[
        "The [tags](#profile-tags) that are given are written, the others stay; of a doubled one the last value counts. The call is refused as a whole, with the code of the first tag or value at fault.",
    ],
    request: &[
        required("From_Account", USER_ID, WRONG, "Whose profile it is."),
        required(
            "ProfileItem",
            Kind::List {
                of: &Kind::Object(&[
                    required("Tag", TAG, TAG_CODES, "The tag."),
                    required(
                        "Value",
                        VALUE,
                        VALUE_CODES,
                        "Its value: a String or an Integer, as the tag wants it.",
                    )
                    .differs("There, custom values may also be bytes."),
                ]),
                min: 1,
                max: None,
            },
            WRONG,
            "The values.",
        ),
    ],
    codes: &[
        when(ErrorCode::ProfileAccountNotFound, "There is no such account."),
        when(ErrorCode::ProfileTagUnknown, "The profile would have more than 20 custom tags."),
    ],
    example: Example {
        request: r#"{"From_Account":"ana","ProfileItem":[{"Tag":"Tag_Profile_IM_Nick","Value":"Ana"},{"Tag":"Tag_Profile_IM_Level","Value":3},{"Tag":"Tag_Profile_Custom_Vip","Value":"yes"}]}"#,
        answer: r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","ErrorDisplay":""}"#,
    },
    compat: &[Compat::More("Custom tags need not be declared first.")],
    ..PLAIN
};

const ITEMS: Member = told_if(
    "ProfileItem",
    lines(&Kind::Object(&[
        told("Tag", TAG, "The tag."),
        told("Value", VALUE, "Its value.").open("Whether a tag that was never set is left out. Here a standard one has its default, and a custom one is left out."),
    ])),
    "the account exists",
    "The values.",
);

pub(super) const PORTRAIT_GET: Entry = Entry {
    summary: "Reads profiles",
    notes: &["A user who has no account does not make the call fail."],
    request: &[
        required(
            "To_Account",
            list(&USER_ID, 1, PROFILES_PER_CALL_MAX),
            &[ErrorCode::ProfileParameter, ErrorCode::ProfileToAccountMissing],
            "Whose profiles are read.",
        ),
        required(
            "TagList",
            Kind::List { of: &TAG, min: 1, max: None },
            TAG_CODES,
            "What is read; no more than 20 custom tags.",
        ),
    ],
    answers: &[ok(&[
        told(
            "UserProfileItem",
            lines(&Kind::Object(&[
                told("To_Account", TEXT, "The user."),
                ITEMS,
                told("ResultCode", Kind::LineCode, "0, or why there is no profile."),
                RESULT_INFO,
            ])),
            "One line for each, in the order of the request.",
        ),
        FAIL_ACCOUNT,
    ])],
    line_codes: &[when(ErrorCode::ProfileAccountNotFound, "There is no such account.")],
    example: Example {
        request: r#"{"To_Account":["ana","nobody"],"TagList":["Tag_Profile_IM_Nick","Tag_Profile_IM_Gender","Tag_Profile_Custom_Vip"]}"#,
        answer: r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","ErrorDisplay":"","UserProfileItem":[{"To_Account":"ana","ProfileItem":[{"Tag":"Tag_Profile_IM_Nick","Value":"Ana"},{"Tag":"Tag_Profile_IM_Gender","Value":"Gender_Type_Unknown"},{"Tag":"Tag_Profile_Custom_Vip","Value":"yes"}],"ResultCode":0,"ResultInfo":""},{"To_Account":"nobody","ResultCode":40003,"ResultInfo":"the account does not exist"}],"Fail_Account":["nobody"]}"#,
    },
    ..PLAIN
};

pub(super) const FAIL_ACCOUNT: Member =
    told_if("Fail_Account", NAMES, "somebody failed", "Those whose line has another code than 0.");
