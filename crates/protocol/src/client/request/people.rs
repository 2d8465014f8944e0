//! What a device asks about profiles, friends and the blocklist.
//!
//! Values mean what they mean to the REST API, are checked as there, and refused with the same codes.

use std::borrow::Cow;

use super::{flag, limit, list, members_of, text, wrong};
use crate::{
    code::{ErrorCode, Failure},
    lenient::{Entry, Slot, slots},
    limits::{
        ADD_WORDING_LEN_MAX, FRIEND_GROUPS_MAX, FRIENDS_PER_REQUEST_MAX, PROFILES_PER_CALL_MAX,
        RELATIONS_PER_CALL_MAX, REMARK_LEN_MAX,
    },
    rest::{
        profile::{self, TagValue},
        sns::{self, Custom, friend},
    },
    user_id::valid_user_id,
};

/// What a device asks about profiles, friends and the blocklist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PeopleRequest<'a> {
    /// `profiles`: reads profiles.
    Profiles {
        /// `users`: 1 to 100.
        users: Vec<Cow<'a, str>>,
    },
    /// `set_profile`: writes to the user's own profile.
    SetProfile {
        /// `profile`: at least one value, and one at most for each tag.
        items: Vec<(profile::Tag<'a>, TagValue<'a>)>,
    },
    /// `friends` without `peers`: a page of the friend list.
    Friends(ListPage<'a>),
    /// `friends` with `peers`: those of them who are friends.
    FriendsAmong {
        /// `peers`: 1 to 100.
        peers: Vec<Cow<'a, str>>,
    },
    /// `befriend`.
    Befriend(Befriend<'a>),
    /// `unfriend`.
    Unfriend {
        /// `peers`: 1 to 100.
        peers: Vec<Cow<'a, str>>,
        /// `mutual`: out of both lists; no when absent.
        mutual: bool,
    },
    /// `check_friends`: who has whom as a friend.
    CheckFriends {
        /// `peers`: 1 to 100.
        peers: Vec<Cow<'a, str>>,
        /// `mutual`: looks at the lists of the others too; no when absent.
        mutual: bool,
    },
    /// `note_friend`.
    NoteFriend(NoteFriend<'a>),
    /// `requests`: a page of those who wait for the user's answer.
    Requests(ListPage<'a>),
    /// `accept`: a friend request.
    Accept {
        /// `peer`: who asked.
        peer: Cow<'a, str>,
        /// `mutual`: puts who asked on the user's own list too; yes when absent.
        mutual: bool,
        /// `remark`: what the user notes of them, at most 96 bytes; empty when absent.
        remark: Cow<'a, str>,
    },
    /// `refuse`: a friend request, which is gone afterwards.
    Refuse {
        /// `peer`: who asked.
        peer: Cow<'a, str>,
    },
    /// `add_groups`: makes friend groups, and puts friends into each of them.
    AddGroups {
        /// `names`: 1 to 32 names of 1 to 30 bytes, each once.
        names: Vec<Cow<'a, str>>,
        /// `peers`: at most 1000; nobody when absent.
        peers: Vec<Cow<'a, str>>,
    },
    /// `delete_groups`: removes friend groups. Friends in them stay friends.
    DeleteGroups {
        /// `names`: 1 to 32 names of 1 to 30 bytes, each once.
        names: Vec<Cow<'a, str>>,
    },
    /// `rename_group`.
    RenameGroup {
        /// `name`.
        name: Cow<'a, str>,
        /// `to`: its name from now on.
        to: Cow<'a, str>,
    },
    /// `join_group`: puts friends into a friend group.
    JoinGroup(Grouped<'a>),
    /// `leave_group`: takes friends out of a friend group.
    LeaveGroup(Grouped<'a>),
    /// `block`.
    Block {
        /// `peers`: 1 to 1000.
        peers: Vec<Cow<'a, str>>,
    },
    /// `unblock`.
    Unblock {
        /// `peers`: 1 to 1000.
        peers: Vec<Cow<'a, str>>,
    },
    /// `blocked`: a page of the blocklist.
    Blocked(ListPage<'a>),
}

/// A page of a list that the user keeps.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListPage<'a> {
    /// `limit`, at least 1; the server bounds it and has a default.
    pub limit: Option<u32>,
    /// `after`: the `next` of the page before.
    pub after: Option<Cow<'a, str>>,
}

/// `befriend`: puts somebody on the friend list, or asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Befriend<'a> {
    /// `peer`.
    pub peer: Cow<'a, str>,
    /// `mutual`: both get the other; yes when absent.
    pub mutual: bool,
    /// `source`: `AddSource_Type_` and 1 to 8 letters.
    pub source: Cow<'a, str>,
    /// `wording`: what the other is told, at most 256 bytes; empty when absent.
    pub wording: Cow<'a, str>,
    /// `remark`: what the user notes of the other, at most 96 bytes; empty when absent.
    pub remark: Cow<'a, str>,
    /// `group`: the one friend group to put the other into, of 1 to 30 bytes.
    pub group: Option<Cow<'a, str>>,
}

/// `note_friend`: changes what the user notes of a friend. At least one of the values is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteFriend<'a> {
    /// `peer`.
    pub peer: Cow<'a, str>,
    /// `remark`: at most 96 bytes.
    pub remark: Option<Cow<'a, str>>,
    /// `groups`: all the friend groups that the friend is in from now on, at most 32.
    pub groups: Option<Vec<Cow<'a, str>>>,
    /// `custom`: at most 20 values; others stay as they are.
    pub custom: Vec<Custom<'a>>,
}

/// Friends who enter or leave a friend group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grouped<'a> {
    /// `name`: of the group.
    pub name: Cow<'a, str>,
    /// `peers`: 1 to 1000.
    pub peers: Vec<Cow<'a, str>>,
}

slots! {
    struct Members {
        users: "users",
        profile: "profile",
        peer: "peer",
        peers: "peers",
        limit: "limit",
        after: "after",
        mutual: "mutual",
        source: "source",
        wording: "wording",
        remark: "remark",
        group: "group",
        groups: "groups",
        custom: "custom",
        name: "name",
        names: "names",
        to: "to",
    }
}

/// Reads the frame if the operation is one of this area.
pub(super) fn parse<'a>(op: &str, text: &'a str) -> Option<Result<PeopleRequest<'a>, Failure>> {
    type Read = for<'m> fn(&Members<'m>) -> Result<PeopleRequest<'m>, Failure>;
    let read: Read = match op {
        "profiles" => profiles,
        "set_profile" => set_profile,
        "friends" => friends,
        "befriend" => befriend,
        "unfriend" => |members| {
            let mutual = flag(members.mutual, "mutual")?;
            Ok(PeopleRequest::Unfriend { peers: friends_named(members)?, mutual })
        },
        "check_friends" => |members| {
            let mutual = flag(members.mutual, "mutual")?;
            Ok(PeopleRequest::CheckFriends { peers: friends_named(members)?, mutual })
        },
        "note_friend" => note_friend,
        "requests" => |members| page(members).map(PeopleRequest::Requests),
        "accept" => accept,
        "refuse" => |members| Ok(PeopleRequest::Refuse { peer: peer(members)? }),
        "add_groups" => add_groups,
        "delete_groups" => delete_groups,
        "rename_group" => rename_group,
        "join_group" => |members| grouped(members).map(PeopleRequest::JoinGroup),
        "leave_group" => |members| grouped(members).map(PeopleRequest::LeaveGroup),
        "block" => |members| Ok(PeopleRequest::Block { peers: peers(members.peers)? }),
        "unblock" => |members| Ok(PeopleRequest::Unblock { peers: peers(members.peers)? }),
        "blocked" => |members| page(members).map(PeopleRequest::Blocked),
        _ => return None,
    };
    Some(members_of(text).and_then(|members| read(&members)))
}

fn profiles<'a>(members: &Members<'a>) -> Result<PeopleRequest<'a>, Failure> {
    let user = |slot: Slot<'a>| user_id(slot, "users", ErrorCode::ProfileParameter);
    Ok(PeopleRequest::Profiles { users: list(members.users, "users", PROFILES_PER_CALL_MAX, user)? })
}

fn set_profile<'a>(members: &Members<'a>) -> Result<PeopleRequest<'a>, Failure> {
    let mut items = Vec::new();
    for (name, value) in entries(members.profile, "profile")? {
        let tag = profile::Tag::parse(name).ok_or(ErrorCode::ProfileTagUnknown)?;
        profile::put_item(&mut items, tag, value)?;
    }
    if items.is_empty() {
        return Err(ErrorCode::ProfileParameter.with("profile must have at least one value"));
    }
    Ok(PeopleRequest::SetProfile { items })
}

fn friends<'a>(members: &Members<'a>) -> Result<PeopleRequest<'a>, Failure> {
    if members.peers.is_absent() {
        return page(members).map(PeopleRequest::Friends);
    }
    Ok(PeopleRequest::FriendsAmong { peers: friends_named(members)? })
}

fn befriend<'a>(members: &Members<'a>) -> Result<PeopleRequest<'a>, Failure> {
    let group = text(members.group, "group")?.filter(|name| !name.is_empty());
    if let Some(name) = &group {
        sns::check_group_name(name, "group")?;
    }
    Ok(PeopleRequest::Befriend(Befriend {
        peer: peer(members)?,
        mutual: mutual_unless_said(members)?,
        source: friend::add_source(members.source, "source")?,
        wording: friend::text(members.wording, "wording", ADD_WORDING_LEN_MAX)?,
        remark: remark(members)?,
        group,
    }))
}

fn note_friend<'a>(members: &Members<'a>) -> Result<PeopleRequest<'a>, Failure> {
    let is_there = |slot: Slot<'a>| (!slot.is_absent()).then_some(slot);
    let groups = |slot: Slot<'a>| {
        let items = slot.array().ok().flatten().ok_or_else(|| wrong("groups"))?;
        sns::group_names(items, "groups", ErrorCode::FriendGroupsFull.into())
    };
    let mut custom = Vec::new();
    for (name, value) in entries(members.custom, "custom")? {
        let Some(sns::Tag::Custom(tag)) = sns::Tag::parse(name) else { return Err(sns::unknown_tag()) };
        sns::put_custom(&mut custom, tag, value)?;
    }
    let note = NoteFriend {
        peer: peer(members)?,
        remark: is_there(members.remark).map(|_| remark(members)).transpose()?,
        groups: is_there(members.groups).map(groups).transpose()?,
        custom,
    };
    if note.remark.is_none() && note.groups.is_none() && note.custom.is_empty() {
        return Err(ErrorCode::RelationParameter.with("there is nothing to note"));
    }
    Ok(PeopleRequest::NoteFriend(note))
}

fn accept<'a>(members: &Members<'a>) -> Result<PeopleRequest<'a>, Failure> {
    Ok(PeopleRequest::Accept {
        peer: peer(members)?,
        mutual: mutual_unless_said(members)?,
        remark: remark(members)?,
    })
}

fn add_groups<'a>(members: &Members<'a>) -> Result<PeopleRequest<'a>, Failure> {
    let nobody = members.peers.array().is_ok_and(|peers| peers.unwrap_or_default().is_empty());
    Ok(PeopleRequest::AddGroups {
        names: names(members, ErrorCode::FriendGroupsFull.into())?,
        peers: if nobody { Vec::new() } else { peers(members.peers)? },
    })
}

fn delete_groups<'a>(members: &Members<'a>) -> Result<PeopleRequest<'a>, Failure> {
    let too_many = ErrorCode::ListTooLong.with(format!("names has more than {FRIEND_GROUPS_MAX} items"));
    Ok(PeopleRequest::DeleteGroups { names: names(members, too_many)? })
}

fn rename_group<'a>(members: &Members<'a>) -> Result<PeopleRequest<'a>, Failure> {
    Ok(PeopleRequest::RenameGroup {
        name: group_name(members.name, "name")?,
        to: group_name(members.to, "to")?,
    })
}

fn grouped<'a>(members: &Members<'a>) -> Result<Grouped<'a>, Failure> {
    Ok(Grouped { name: group_name(members.name, "name")?, peers: peers(members.peers)? })
}

fn page<'a>(members: &Members<'a>) -> Result<ListPage<'a>, Failure> {
    Ok(ListPage { limit: limit(members.limit)?, after: text(members.after, "after")? })
}

fn peer<'a>(members: &Members<'a>) -> Result<Cow<'a, str>, Failure> {
    user_id(members.peer, "peer", ErrorCode::RelationParameter)
}

fn friends_named<'a>(members: &Members<'a>) -> Result<Vec<Cow<'a, str>>, Failure> {
    peers_up_to(members.peers, FRIENDS_PER_REQUEST_MAX)
}

fn peers(slot: Slot<'_>) -> Result<Vec<Cow<'_, str>>, Failure> {
    peers_up_to(slot, RELATIONS_PER_CALL_MAX)
}

fn peers_up_to(slot: Slot<'_>, len_max: usize) -> Result<Vec<Cow<'_, str>>, Failure> {
    list(slot, "peers", len_max, |slot| user_id(slot, "peers", ErrorCode::RelationParameter))
}

fn user_id<'a>(slot: Slot<'a>, name: &str, refusal: ErrorCode) -> Result<Cow<'a, str>, Failure> {
    let user_id = slot.string().ok().flatten().filter(|user_id| valid_user_id(user_id));
    user_id.ok_or_else(|| refusal.with(format!("{name} must be a String of 1 to 32 bytes")))
}

fn remark<'a>(members: &Members<'a>) -> Result<Cow<'a, str>, Failure> {
    friend::text(members.remark, "remark", REMARK_LEN_MAX)
}

/// `mutual`, where both people are meant unless it says otherwise.
fn mutual_unless_said(members: &Members<'_>) -> Result<bool, Failure> {
    if members.mutual.is_absent() { Ok(true) } else { flag(members.mutual, "mutual") }
}

fn names<'a>(members: &Members<'a>, too_many: Failure) -> Result<Vec<Cow<'a, str>>, Failure> {
    let items = members.names.array().ok().flatten().filter(|items| !items.is_empty());
    sns::group_names(items.ok_or_else(|| wrong("names"))?, "names", too_many)
}

fn group_name<'a>(slot: Slot<'a>, member: &str) -> Result<Cow<'a, str>, Failure> {
    let name = text(slot, member)?.unwrap_or_default();
    sns::check_group_name(&name, member)?;
    Ok(name)
}

/// An object of values by tag; none when absent.
fn entries<'a>(slot: Slot<'a>, name: &str) -> Result<Vec<Entry<'a>>, Failure> {
    Ok(slot.entries().map_err(|_| wrong(name))?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rest::{profile::StandardTag, sns::Value};

    fn request(op: &str, members: &str) -> Result<PeopleRequest<'static>, u32> {
        parse(op, format!("{{{members}}}").leak()).expect("one of this area").map_err(|failure| failure.code)
    }

    #[test]
    fn profiles_are_read_and_written() {
        let users = vec!["bo".into(), "cy".into()];
        assert_eq!(request("profiles", r#""users":["bo","cy"]"#), Ok(PeopleRequest::Profiles { users }));
        let items = vec![
            (profile::Tag::Standard(StandardTag::Nick), TagValue::Text("Bo".into())),
            (profile::Tag::Standard(StandardTag::Level), TagValue::Number(3)),
            (profile::Tag::Custom("Tag_Profile_Custom_Vip".into()), TagValue::Text("".into())),
        ];
        assert_eq!(
            request(
                "set_profile",
                r#""profile":{"Tag_Profile_IM_Nick":"B","Tag_Profile_IM_Level":"3","Tag_Profile_Custom_Vip":"","Tag_Profile_IM_Nick":"Bo"}"#
            ),
            Ok(PeopleRequest::SetProfile { items })
        );
    }

    #[test]
    fn friends_are_made_and_noted() {
        let least = Befriend {
            peer: "bo".into(),
            mutual: true,
            source: "AddSource_Type_Web".into(),
            wording: "".into(),
            remark: "".into(),
            group: None,
        };
        let source = r#""peer":"bo","source":"AddSource_Type_Web""#;
        assert_eq!(request("befriend", source), Ok(PeopleRequest::Befriend(least.clone())));
        let most = Befriend {
            mutual: false,
            wording: "it's me".into(),
            remark: "Bo".into(),
            group: Some("work".into()),
            ..least
        };
        assert_eq!(
            request(
                "befriend",
                &format!(r#"{source},"mutual":false,"wording":"it's me","remark":"Bo","group":"work""#)
            ),
            Ok(PeopleRequest::Befriend(most))
        );
        let note = NoteFriend {
            peer: "bo".into(),
            remark: Some("".into()),
            groups: Some(vec!["work".into(), "home".into()]),
            custom: vec![Custom { tag: "Tag_SNS_Custom_Age".into(), value: Value::Number(7) }],
        };
        assert_eq!(
            request(
                "note_friend",
                r#""peer":"bo","remark":"","groups":["work","home","work"],"custom":{"Tag_SNS_Custom_Age":7}"#
            ),
            Ok(PeopleRequest::NoteFriend(note))
        );
        let none = NoteFriend { peer: "bo".into(), remark: None, groups: Some(vec![]), custom: vec![] };
        assert_eq!(request("note_friend", r#""peer":"bo","groups":[]"#), Ok(PeopleRequest::NoteFriend(none)));
    }

    #[test]
    fn lists_and_those_on_them() {
        let page = ListPage { limit: Some(20), after: Some("bo".into()) };
        let peers = || vec!["bo".into(), "cy".into()];
        let named = r#""peers":["bo","cy"]"#;
        let table = [
            ("friends", "", PeopleRequest::Friends(ListPage::default())),
            ("friends", r#""limit":20,"after":"bo""#, PeopleRequest::Friends(page.clone())),
            ("friends", named, PeopleRequest::FriendsAmong { peers: peers() }),
            ("requests", r#""limit":20,"after":"bo""#, PeopleRequest::Requests(page.clone())),
            ("blocked", r#""limit":20,"after":"bo""#, PeopleRequest::Blocked(page)),
            ("unfriend", named, PeopleRequest::Unfriend { peers: peers(), mutual: false }),
            (
                "unfriend",
                r#""peers":["bo","cy"],"mutual":true"#,
                PeopleRequest::Unfriend { peers: peers(), mutual: true },
            ),
            (
                "check_friends",
                r#""peers":["bo","cy"],"mutual":1"#,
                PeopleRequest::CheckFriends { peers: peers(), mutual: true },
            ),
            ("block", named, PeopleRequest::Block { peers: peers() }),
            ("unblock", named, PeopleRequest::Unblock { peers: peers() }),
        ];
        for (op, members, expected) in table {
            assert_eq!(request(op, members), Ok(expected), "{op} {members}");
        }
    }

    #[test]
    fn requests_and_groups() {
        let names = || vec!["work".into()];
        let grouped = Grouped { name: "work".into(), peers: vec!["bo".into()] };
        let table = [
            (
                "accept",
                r#""peer":"bo""#,
                PeopleRequest::Accept { peer: "bo".into(), mutual: true, remark: "".into() },
            ),
            (
                "accept",
                r#""peer":"bo","mutual":false,"remark":"Bo""#,
                PeopleRequest::Accept { peer: "bo".into(), mutual: false, remark: "Bo".into() },
            ),
            ("refuse", r#""peer":"bo""#, PeopleRequest::Refuse { peer: "bo".into() }),
            (
                "add_groups",
                r#""names":["work","work"]"#,
                PeopleRequest::AddGroups { names: names(), peers: vec![] },
            ),
            (
                "add_groups",
                r#""names":["work"],"peers":["bo"]"#,
                PeopleRequest::AddGroups { names: names(), peers: vec!["bo".into()] },
            ),
            ("delete_groups", r#""names":["work"]"#, PeopleRequest::DeleteGroups { names: names() }),
            (
                "rename_group",
                r#""name":"work","to":"job""#,
                PeopleRequest::RenameGroup { name: "work".into(), to: "job".into() },
            ),
            ("join_group", r#""name":"work","peers":["bo"]"#, PeopleRequest::JoinGroup(grouped.clone())),
            ("leave_group", r#""name":"work","peers":["bo"]"#, PeopleRequest::LeaveGroup(grouped)),
        ];
        for (op, members, expected) in table {
            assert_eq!(request(op, members), Ok(expected), "{op} {members}");
        }
    }

    #[test]
    fn refusals() {
        let many = |count: usize| format!(r#""peers":[{}]"#, vec![r#""bo""#; count].join(","));
        let groups =
            |count: usize| (0..count).map(|index| format!(r#""g{index}""#)).collect::<Vec<_>>().join(",");
        let custom = |count: u8| {
            let pairs =
                (b'a'..b'a' + count).map(|letter| format!(r#""Tag_SNS_Custom_{}":1"#, letter as char));
            pairs.collect::<Vec<_>>().join(",")
        };
        let source = r#""source":"AddSource_Type_Web""#;
        let long = "x".repeat(257);
        let users = many(101).replace("peers", "users");
        let table = [
            ("profiles", "", 11002),
            ("profiles", r#""users":[]"#, 11002),
            ("profiles", r#""users":[""]"#, 40001),
            ("profiles", r#""users":[7]"#, 40001),
            ("profiles", &users, 11005),
            ("set_profile", "", 40001),
            ("set_profile", r#""profile":{}"#, 40001),
            ("set_profile", r#""profile":[]"#, 11002),
            ("set_profile", r#""profile":{"Tag_Profile_IM_Nick":null}"#, 40001),
            ("set_profile", r#""profile":{"Tag_Profile_IM_Nick":7}"#, 40610),
            ("set_profile", r#""profile":{"Tag_Profile_IM_Gender":"x"}"#, 40605),
            ("set_profile", &format!(r#""profile":{{"Tag_Profile_IM_Location":"{long}"}}"#), 40601),
            ("set_profile", r#""profile":{"Tag_Profile_IM_Shoe":"x"}"#, 40009),
            ("set_profile", r#""profile":{"Tag_SNS_Custom_a":"x"}"#, 40009),
            ("friends", r#""limit":0"#, 11002),
            ("friends", r#""after":7"#, 11002),
            ("friends", r#""peers":[]"#, 11002),
            ("friends", &many(101), 11005),
            ("befriend", source, 30001),
            ("befriend", r#""peer":"bo""#, 30001),
            ("befriend", r#""peer":"bo","source":"Web""#, 30001),
            ("befriend", &format!(r#""peer":"bo",{source},"wording":"{long}""#), 30001),
            ("befriend", &format!(r#""peer":"bo",{source},"remark":"{long}""#), 30001),
            ("befriend", &format!(r#""peer":"bo",{source},"group":"{long}""#), 30001),
            ("befriend", &format!(r#""peer":"bo",{source},"mutual":2"#), 11002),
            ("unfriend", "", 11002),
            ("unfriend", &many(101), 11005),
            ("check_friends", &many(101), 11005),
            ("note_friend", r#""remark":"x""#, 30001),
            ("note_friend", r#""peer":"bo""#, 30001),
            ("note_friend", r#""peer":"bo","custom":{}"#, 30001),
            ("note_friend", r#""peer":"bo","custom":[]"#, 11002),
            ("note_friend", r#""peer":"bo","custom":{"Tag_SNS_IM_Remark":"x"}"#, 30001),
            ("note_friend", r#""peer":"bo","custom":{"Tag_SNS_Custom_a":[]}"#, 30001),
            ("note_friend", &format!(r#""peer":"bo","custom":{{{}}}"#, custom(21)), 30001),
            ("note_friend", r#""peer":"bo","groups":"work""#, 11002),
            ("note_friend", r#""peer":"bo","groups":[""]"#, 30001),
            ("note_friend", &format!(r#""peer":"bo","groups":[{}]"#, groups(33)), 30011),
            ("accept", "", 30001),
            ("refuse", r#""peer":"123456789012345678901234567890123""#, 30001),
            ("add_groups", "", 11002),
            ("add_groups", r#""names":[]"#, 11002),
            ("add_groups", r#""names":[""]"#, 30001),
            ("add_groups", r#""names":["work"],"peers":"bo""#, 11002),
            ("add_groups", &format!(r#""names":[{}]"#, groups(33)), 30011),
            ("delete_groups", &format!(r#""names":[{}]"#, groups(33)), 11005),
            ("rename_group", r#""name":"work""#, 30001),
            ("rename_group", r#""to":"work""#, 30001),
            ("rename_group", r#""name":7,"to":"work""#, 11002),
            ("join_group", r#""name":"work""#, 11002),
            ("leave_group", r#""peers":["bo"]"#, 30001),
            ("block", &many(1001), 11005),
            ("unblock", r#""peers":["bo",7]"#, 30001),
            ("blocked", r#""limit":"x""#, 11002),
        ];
        for (op, members, code) in table {
            assert_eq!(request(op, members).map(|_| ()), Err(code), "{op} {members}");
        }
        for (op, members) in [
            ("unfriend", many(100)),
            ("block", many(1000)),
            ("add_groups", format!(r#""names":[{}]"#, groups(32))),
            ("note_friend", format!(r#""peer":"bo","custom":{{{}}}"#, custom(20))),
        ] {
            assert!(request(op, &members).is_ok(), "{op}");
        }
        assert!(parse("befriended", "{}").is_none());
    }
}
