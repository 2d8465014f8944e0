//! `recentcontact`: a user's list of conversations.

use super::{
    Absent, Compat, Entry, Example, PLAIN, absent_in_answer, absent_in_request,
    kind::{FLAG, Kind, TEXT, TIME_S, U64, USER_ID, lines, list},
    member::{Member, optional, required, told},
    ok, when,
};
use crate::{code::ErrorCode, limits::PINS_PER_CALL_MAX};

const WRONG: &[ErrorCode] = &[ErrorCode::ContactParameter];

const OWNER: Member = required("From_Account", USER_ID, WRONG, "Whose list it is.");
const KIND: Member = required("Type", Kind::Choice(&[1]), WRONG, "1: a conversation with a user.")
    .differs("2, a group, is refused: there are no groups.");
const PEER: Member = required("To_Account", USER_ID, WRONG, "The other party.");

const NO_GROUPS: &str = "There are no groups.";
const NO_MARKS: &str = "There are no marks and no groups of conversations.";

const UNKNOWN: super::When =
    when(ErrorCode::ContactAccountNotFound, "The owner of the list, or the other party, has no account.");

const CURSOR_OF_PAGE: &str = "0 for the first page; then from the answer before.";

pub(super) const GET_CONTACTS: Entry = Entry {
    summary: "Lists conversations",
    notes: &[
        "The newest first, and pinned ones before all others. A page has at most 100, and more only for its pinned ones.",
        "If `CompleteFlag` is 0, repeat the call with the four numbers of the answer.",
    ],
    request: &[
        OWNER,
        optional("TimeStamp", U64, WRONG, "0", CURSOR_OF_PAGE).more("May be left out."),
        optional("StartIndex", U64, WRONG, "0", CURSOR_OF_PAGE).more("May be left out."),
        optional("TopTimeStamp", U64, WRONG, "0", CURSOR_OF_PAGE).more("May be left out."),
        optional("TopStartIndex", U64, WRONG, "0", CURSOR_OF_PAGE).more("May be left out."),
        optional(
            "AssistFlags",
            U64,
            WRONG,
            "0",
            "Bit 0: pinned ones come first, with `TopFlag`. Bit 1: with conversations that have no messages. Bit 2: pinned ones are read in pages too; without it, all of them come on the first page.",
        )
        .more("May be left out. Other bits, which are about marks and groups, are ignored."),
    ],
    answers: &[ok(&[
        told(
            "SessionItem",
            lines(&Kind::Object(&[
                told("Type", Kind::Choice(&[1]), "1: with a user."),
                told("To_Account", TEXT, "The other party."),
                told("MsgTime", TIME_S, "When it last changed, in Unix seconds."),
                told("TopFlag", FLAG, "1: it is pinned."),
            ])),
            "The conversations.",
        ),
        told("CompleteFlag", FLAG, "1: there are no more."),
        told("TimeStamp", U64, "For the next page."),
        told("StartIndex", U64, "For the next page."),
        told("TopTimeStamp", U64, "For the next page."),
        told("TopStartIndex", U64, "For the next page."),
    ])],
    codes: &[when(ErrorCode::ContactAccountNotFound, "The owner of the list has no account.")],
    example: Example {
        request: r#"{"From_Account":"bo","TimeStamp":0,"StartIndex":0,"TopTimeStamp":0,"TopStartIndex":0,"AssistFlags":7}"#,
        answer: r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","ErrorDisplay":"","SessionItem":[{"Type":1,"To_Account":"ana","MsgTime":1795441092,"TopFlag":1}],"CompleteFlag":1,"TimeStamp":0,"StartIndex":0,"TopTimeStamp":1795441092,"TopStartIndex":1}"#,
    },
    compat: &[Compat::Differs("All conversations are in the list; there it has a hundred, or a few hundred."), Compat::Open("The size and the order of a page.")],
    absent: &[
        absent_in_answer("SessionItem.GroupId", NO_GROUPS),
        absent_in_answer("SessionItem.StandardMark", NO_MARKS),
        absent_in_answer("SessionItem.CustomMark", NO_MARKS),
        absent_in_answer("SessionItem.ContactGroupId", NO_MARKS),
    ],
    ..PLAIN
};

pub(super) const DELETE_CONTACT: Entry = Entry {
    summary: "Takes a conversation out of the list",
    notes: &[
        "The other party's list stays as it is. The conversation counts nothing as unread afterwards and is not pinned; a new message brings it back.",
    ],
    request: &[
        OWNER,
        KIND,
        PEER,
        optional("ClearRamble", FLAG, WRONG, "0", "1: the owner's history of it goes too."),
    ],
    codes: &[UNKNOWN],
    example: Example {
        request: r#"{"From_Account":"bo","Type":1,"To_Account":"ana","ClearRamble":1}"#,
        answer: r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","ErrorDisplay":""}"#,
    },
    absent: &[absent_in_request("ToGroupid", NO_GROUPS)],
    ..PLAIN
};

pub(super) const PIN_CONTACT: Entry = Entry {
    summary: "Pins conversations, or unpins them",
    notes: &["Item by item: the first that fails is the answer, and those before it are done."],
    request: &[
        OWNER,
        required("OperationType", Kind::Choice(&[1, 2]), WRONG, "1: pin. 2: unpin."),
        required(
            "RecentContactItem",
            list(&Kind::Object(&[KIND, PEER]), 1, PINS_PER_CALL_MAX),
            WRONG,
            "The conversations.",
        ),
    ],
    codes: &[UNKNOWN, when(ErrorCode::TooManyPinned, "The owner would have more than 50 pinned ones.")],
    example: Example {
        request: r#"{"From_Account":"bo","OperationType":1,"RecentContactItem":[{"Type":1,"To_Account":"ana"}]}"#,
        answer: r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","ErrorDisplay":""}"#,
    },
    compat: &[Compat::Open(
        "Whether some are pinned when others fail. Here those before the first that fails are.",
    )],
    absent: &[ABSENT_GROUP],
    ..PLAIN
};

const ABSENT_GROUP: Absent = absent_in_request("RecentContactItem.GroupId", NO_GROUPS);
