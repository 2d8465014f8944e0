//! Friends: the list, requests, and groups.

use super::{
    Choice, Member, Operation, PLAIN, Presence,
    kind::{FLAG, FRIEND_TAGS, Kind, Object, PROFILE_TAGS, TEXT, TIME_S, USER_ID, Words, lines, list, text},
    member::{WRONG, optional, required, told},
    object::{AFTER, LIMIT, NEXT, RELATIONS_CODES, RESULTS, peers},
};
use crate::{
    callback::FRIEND_VETO_CODES,
    code::ErrorCode,
    limits::{
        ADD_WORDING_LEN_MAX, FRIEND_GROUP_NAME_LEN_MAX, FRIEND_GROUPS_MAX, FRIENDS_PER_REQUEST_MAX,
        RELATIONS_PER_CALL_MAX, REMARK_LEN_MAX,
    },
    rest::surface::Form,
};

const FRIEND: Object = Object {
    name: "Friend",
    about: "Somebody on the user's friend list.",
    members: &[
        told("peer", TEXT, "Who."),
        told("time", TIME_S, "Since when, in Unix seconds."),
        told("remark", TEXT, "The user's own name for them, or empty."),
        told("groups", lines(&TEXT), "The friend groups that they are in."),
        told("source", TEXT, "Where they were found."),
        told("wording", TEXT, "What came with the friend request."),
        told("custom", FRIEND_TAGS, "Values of the app's own."),
        told("profile", PROFILE_TAGS, "The values of their profile."),
    ],
};

const FRIEND_REQUEST: Object = Object {
    name: "FriendRequest",
    about: "A friend request that waits for the user's answer.",
    members: &[
        told("peer", TEXT, "Who asks."),
        told("time", TIME_S, "Since when, in Unix seconds."),
        told(
            "mutual",
            FLAG,
            "Whether both are to be friends, or only the user the friend of the one who asks.",
        ),
        told("source", TEXT, "Where the user was found."),
        told("wording", TEXT, "What came with it."),
        told("profile", PROFILE_TAGS, "The values of the profile of the one who asks."),
    ],
};

const RELATION_WORDS: Words = Words {
    name: "CheckResult",
    about: "Who has whom on the friend list.",
    words: &[
        "CheckResult_Type_NoRelation",
        "CheckResult_Type_AWithB",
        "CheckResult_Type_BWithA",
        "CheckResult_Type_BothWay",
    ],
};

const FRIEND_CHECK: Object = Object {
    name: "FriendCheck",
    about: "What one of several is to the user.",
    members: &[
        told("peer", TEXT, "Who."),
        told("relation", Kind::Word(&RELATION_WORDS), "Who has whom on the friend list."),
    ],
};

const ADD_SOURCE: Form = Form {
    words: "`AddSource_Type_` and 1 to 8 letters",
    pattern: "^AddSource_Type_[A-Za-z]{1,8}$",
    sample: "AddSource_Type_Web",
};

const NOTE_CODES: &[ErrorCode] = &[ErrorCode::RelationParameter];

const NAME_CODES: &[ErrorCode] = &[ErrorCode::FrameNotUnderstood, ErrorCode::RelationParameter];

const GROUPS_CODES: &[ErrorCode] =
    &[ErrorCode::FrameNotUnderstood, ErrorCode::FriendGroupsFull, ErrorCode::RelationParameter];

const PEER: Member = required("peer", USER_ID, NOTE_CODES, "Who.");
const PEERS: Member = required("peers", peers(FRIENDS_PER_REQUEST_MAX), RELATIONS_CODES, "Who.");
const GROUPED: Member = required("peers", peers(RELATIONS_PER_CALL_MAX), RELATIONS_CODES, "Which friends.");
const REMARK: Member =
    optional("remark", text(0, REMARK_LEN_MAX), NOTE_CODES, "none", "The user's own name for them.");
const GROUP_NAME: Kind = text(1, FRIEND_GROUP_NAME_LEN_MAX);
const NAMES: Member =
    required("names", list(&GROUP_NAME, FRIEND_GROUPS_MAX), GROUPS_CODES, "The names of the groups.");
const NAME: Member = required("name", GROUP_NAME, NAME_CODES, "The name of the group.");

const fn mutual(left_out: &'static str, meaning: &'static str) -> Member {
    optional("mutual", FLAG, WRONG, left_out, meaning)
}

pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        name: "friends",
        about: "Reads a page of the friend list, or some friends.",
        request: &[LIMIT, AFTER, Member { presence: Presence::Sometimes("a page of the list"), ..PEERS }],
        choice: Choice::InPlaceOfOthers("peers"),
        answer: &[
            told("friends", lines(&Kind::Object(&FRIEND)), "The friends, or those of `peers` who are."),
            NEXT,
            told("groups", lines(&TEXT), "The names of all friend groups of the user."),
        ],
        codes: &[ErrorCode::RelationAccountNotFound],
        ..PLAIN
    },
    Operation {
        name: "befriend",
        about: "Makes a friend, or asks to.",
        request: &[
            PEER,
            mutual("true", "Whether both get the other on their list."),
            required("source", Kind::Form(&ADD_SOURCE), NOTE_CODES, "Where they were found."),
            optional("wording", text(0, ADD_WORDING_LEN_MAX), NOTE_CODES, "none", "What they are told."),
            REMARK,
            optional(
                "group",
                text(0, FRIEND_GROUP_NAME_LEN_MAX),
                NAME_CODES,
                "none",
                "The friend group that they come into.",
            ),
        ],
        answer: &[told("pending", FLAG, "Whether they have to agree first.")],
        codes: &[
            ErrorCode::TooFrequent,
            ErrorCode::RefusedByCallback,
            ErrorCode::RelationAccountNotFound,
            ErrorCode::FriendRequestsForbidden,
            ErrorCode::FriendListFull,
            ErrorCode::FriendGroupsFull,
            ErrorCode::FriendRequestsFull,
            ErrorCode::PeerFriendListFull,
            ErrorCode::PeerIsBlocked,
            ErrorCode::PeerDeniesFriends,
            ErrorCode::BlockedByPeer,
            ErrorCode::CallbackUnavailable,
        ],
        own_codes: Some(&FRIEND_VETO_CODES),
        ..PLAIN
    },
    Operation {
        name: "unfriend",
        about: "Ends friendships.",
        request: &[PEERS, mutual("false", "Whether the user goes from their lists too.")],
        answer: &[RESULTS],
        codes: &[ErrorCode::TooFrequent],
        ..PLAIN
    },
    Operation {
        name: "check_friends",
        about: "Asks who has whom on the friend list.",
        request: &[PEERS, mutual("false", "Whether to look at their lists too.")],
        answer: &[told(
            "results",
            lines(&Kind::Object(&FRIEND_CHECK)),
            "One for each, in the order of the request.",
        )],
        ..PLAIN
    },
    Operation {
        name: "note_friend",
        about: "Changes what the user notes of a friend.",
        request: &[
            PEER,
            Member { presence: Presence::Sometimes("stays"), ..REMARK },
            optional(
                "groups",
                Kind::List { of: &GROUP_NAME, min: 0, max: Some(FRIEND_GROUPS_MAX) },
                GROUPS_CODES,
                "stay",
                "All the friend groups that they are in.",
            ),
            optional("custom", FRIEND_TAGS, NAME_CODES, "stay", "Values of the app's own."),
        ],
        choice: Choice::AnyOf(&["remark", "groups", "custom"], ErrorCode::RelationParameter),
        codes: &[ErrorCode::TooFrequent, ErrorCode::RelationAccountNotFound, ErrorCode::FriendGroupsFull],
        ..PLAIN
    },
    Operation {
        name: "requests",
        about: "Reads a page of the friend requests that wait for the user's answer.",
        request: &[LIMIT, AFTER],
        answer: &[told("requests", lines(&Kind::Object(&FRIEND_REQUEST)), "The requests."), NEXT],
        codes: &[ErrorCode::RelationAccountNotFound],
        ..PLAIN
    },
    Operation {
        name: "accept",
        about: "Agrees to a friend request.",
        request: &[PEER, mutual("true", "Whether who asked comes on the user's own list too."), REMARK],
        codes: &[
            ErrorCode::TooFrequent,
            ErrorCode::RefusedByCallback,
            ErrorCode::RelationAccountNotFound,
            ErrorCode::FriendListFull,
            ErrorCode::PeerFriendListFull,
            ErrorCode::FriendRequestNotFound,
            ErrorCode::CallbackUnavailable,
        ],
        own_codes: Some(&FRIEND_VETO_CODES),
        ..PLAIN
    },
    Operation {
        name: "refuse",
        about: "Drops a friend request.",
        request: &[PEER],
        codes: &[
            ErrorCode::TooFrequent,
            ErrorCode::RefusedByCallback,
            ErrorCode::FriendRequestNotFound,
            ErrorCode::CallbackUnavailable,
        ],
        own_codes: Some(&FRIEND_VETO_CODES),
        ..PLAIN
    },
    Operation {
        name: "add_groups",
        about: "Makes friend groups.",
        request: &[
            NAMES,
            optional(
                "peers",
                Kind::List { of: &USER_ID, min: 0, max: Some(RELATIONS_PER_CALL_MAX) },
                RELATIONS_CODES,
                "nobody",
                "Friends who come into each of them.",
            ),
        ],
        answer: &[RESULTS],
        codes: &[ErrorCode::TooFrequent, ErrorCode::RelationAccountNotFound],
        ..PLAIN
    },
    Operation {
        name: "delete_groups",
        about: "Deletes friend groups. The friends stay.",
        request: &[Member { codes: RELATIONS_CODES, ..NAMES }],
        codes: &[ErrorCode::TooFrequent, ErrorCode::RelationAccountNotFound],
        ..PLAIN
    },
    Operation {
        name: "rename_group",
        about: "Gives a friend group another name.",
        request: &[NAME, required("to", GROUP_NAME, NAME_CODES, "Its new name.")],
        codes: &[ErrorCode::TooFrequent, ErrorCode::RelationAccountNotFound],
        ..PLAIN
    },
    Operation {
        name: "join_group",
        about: "Puts friends into a friend group.",
        request: &[NAME, GROUPED],
        answer: &[RESULTS],
        codes: &[ErrorCode::TooFrequent],
        ..PLAIN
    },
    Operation {
        name: "leave_group",
        about: "Takes friends out of a friend group.",
        request: &[NAME, GROUPED],
        answer: &[RESULTS],
        codes: &[ErrorCode::TooFrequent],
        ..PLAIN
    },
];
