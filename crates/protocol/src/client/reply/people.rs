//! Answers to what a device asks about profiles, friends and the blocklist.

use super::write_next;
use crate::{
    code::Failure,
    json::{self, write_json},
    rest::{
        profile::TagValue,
        sns::{Relation, friend},
    },
};

/// What is answered about profiles, friends and the blocklist.
#[derive(Debug, Clone, Copy)]
pub enum PeopleReply<'a> {
    /// To `profiles`: of those who have an account.
    Profiles(&'a [UserProfile<'a>]),
    /// To `friends`.
    Friends(FriendList<'a>),
    /// To `befriend`: whether the other has to agree.
    Befriended {
        /// `pending`.
        pending: bool,
    },
    /// What became of each peer, in the order of the request.
    Results(&'a [PeerResult<'a>]),
    /// To `check_friends`: each peer with the relation. A is the user, B the peer.
    Relations(&'a [(&'a str, Relation)]),
    /// To `requests`.
    Requests {
        /// `requests`.
        requests: &'a [Asking<'a>],
        /// `next`: where the next page goes on; `null` when there is none.
        next: Option<&'a str>,
    },
    /// To `blocked`.
    Blocked {
        /// `blocked`: who, and since when, in Unix seconds.
        blocked: &'a [(&'a str, u64)],
        /// `next`: where the next page goes on; `null` when there is none.
        next: Option<&'a str>,
    },
}

/// Values by tag.
pub type Values<'a> = [(&'a str, TagValue<'a>)];

/// One user's profile.
#[derive(Debug, Clone, Copy)]
pub struct UserProfile<'a> {
    /// `user_id`.
    pub user: &'a str,
    /// `profile`: what was ever set.
    pub profile: &'a Values<'a>,
}

/// Friends, and the names of the user's friend groups.
#[derive(Debug, Clone, Copy)]
pub struct FriendList<'a> {
    /// `friends`.
    pub friends: &'a [Friend<'a>],
    /// `next`: where the next page goes on; `null` when there is none.
    pub next: Option<&'a str>,
    /// `groups`, in the order in which they were made.
    pub groups: &'a [&'a str],
}

/// An entry of the friend list.
#[derive(Debug, Clone, Copy)]
pub struct Friend<'a> {
    /// `peer`.
    pub peer: &'a str,
    /// `time`: since when, in Unix seconds.
    pub time_s: u64,
    /// `remark`.
    pub remark: &'a str,
    /// `groups`: the names of those that the friend is in.
    pub groups: &'a [&'a str],
    /// `source`.
    pub source: &'a str,
    /// `wording`.
    pub wording: &'a str,
    /// `custom`.
    pub custom: &'a Values<'a>,
    /// `profile`: what was ever set.
    pub profile: &'a Values<'a>,
}

/// Somebody who wants to be friends.
#[derive(Debug, Clone, Copy)]
pub struct Asking<'a> {
    /// `peer`.
    pub peer: &'a str,
    /// `time`: of the request, in Unix seconds.
    pub time_s: u64,
    /// `mutual`: whether both are to have the other on their list.
    pub mutual: bool,
    /// `source`.
    pub source: &'a str,
    /// `wording`.
    pub wording: &'a str,
    /// `profile`: what was ever set.
    pub profile: &'a Values<'a>,
}

/// What became of one peer.
#[derive(Debug, Clone, Copy)]
pub struct PeerResult<'a> {
    /// `peer`.
    pub peer: &'a str,
    /// `code` and `text`; a `code` of 0 alone when it worked.
    pub failure: Option<&'a Failure>,
}

impl PeopleReply<'_> {
    pub(super) fn write_members(&self, out: &mut Vec<u8>) {
        match self {
            PeopleReply::Profiles(profiles) => {
                json::raw(out, br#""profiles":"#);
                json::array(out, profiles, |out, profile| profile.write(out));
            }
            PeopleReply::Friends(list) => {
                json::raw(out, br#""friends":"#);
                json::array(out, list.friends, |out, friend| friend.write(out));
                write_next(out, list.next);
                json::raw(out, br#","groups":"#);
                write_names(out, list.groups);
            }
            PeopleReply::Befriended { pending } => write_json!(out, r#""pending":"#, boolean(*pending)),
            PeopleReply::Results(results) => {
                json::raw(out, br#""results":"#);
                json::array(out, results, |out, result| result.write(out));
            }
            PeopleReply::Relations(relations) => {
                json::raw(out, br#""results":"#);
                json::array(out, relations, |out, (peer, relation)| {
                    write_json!(out, r#"{"peer":"#, string(peer), r#","relation":"#);
                    friend::WORDS.write(out, Some(*relation));
                    out.push(b'}');
                });
            }
            PeopleReply::Requests { requests, next } => {
                json::raw(out, br#""requests":"#);
                json::array(out, requests, |out, asking| asking.write(out));
                write_next(out, *next);
            }
            PeopleReply::Blocked { blocked, next } => {
                json::raw(out, br#""blocked":"#);
                json::array(out, blocked, |out, (peer, since_s)| {
                    write_json!(out, r#"{"peer":"#, string(peer), r#","time":"#, number(*since_s), "}");
                });
                write_next(out, *next);
            }
        }
    }
}

impl UserProfile<'_> {
    fn write(&self, out: &mut Vec<u8>) {
        write_json!(out, r#"{"user_id":"#, string(self.user), r#","profile":"#);
        write_values(out, self.profile);
        out.push(b'}');
    }
}

impl Friend<'_> {
    fn write(&self, out: &mut Vec<u8>) {
        write_json!(
            out,
            r#"{"peer":"#,
            string(self.peer),
            r#","time":"#,
            number(self.time_s),
            r#","remark":"#,
            string(self.remark),
            r#","groups":"#,
        );
        write_names(out, self.groups);
        write_json!(
            out,
            r#","source":"#,
            string(self.source),
            r#","wording":"#,
            string(self.wording),
            r#","custom":"#,
        );
        write_values(out, self.custom);
        json::raw(out, br#","profile":"#);
        write_values(out, self.profile);
        out.push(b'}');
    }
}

impl Asking<'_> {
    fn write(&self, out: &mut Vec<u8>) {
        write_json!(
            out,
            r#"{"peer":"#,
            string(self.peer),
            r#","time":"#,
            number(self.time_s),
            r#","mutual":"#,
            boolean(self.mutual),
            r#","source":"#,
            string(self.source),
            r#","wording":"#,
            string(self.wording),
            r#","profile":"#,
        );
        write_values(out, self.profile);
        out.push(b'}');
    }
}

impl PeerResult<'_> {
    fn write(&self, out: &mut Vec<u8>) {
        let code = self.failure.map_or(0, |failure| failure.code);
        write_json!(out, r#"{"peer":"#, string(self.peer), r#","code":"#, number(u64::from(code)));
        if let Some(failure) = self.failure {
            write_json!(out, r#","text":"#, string(&failure.info));
        }
        out.push(b'}');
    }
}

fn write_values(out: &mut Vec<u8>, values: &Values<'_>) {
    out.push(b'{');
    for (index, (tag, value)) in values.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_json!(out, string(tag), ":");
        value.write(out);
    }
    out.push(b'}');
}

fn write_names(out: &mut Vec<u8>, names: &[&str]) {
    json::array(out, names, |out, name| json::string(out, name));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{client::Reply, code::ErrorCode};

    fn frame(reply: PeopleReply<'_>) -> String {
        let mut out = Vec::new();
        Reply::People(reply).write(2, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn answers_to_the_letter() {
        let profile = [
            ("Tag_Profile_IM_Nick", TagValue::Text("\"Bo\"".into())),
            ("Tag_Profile_IM_Level", TagValue::Number(3)),
        ];
        let bo = Friend {
            peer: "bo",
            time_s: 1_760_000_000,
            remark: "B",
            groups: &["work", "home"],
            source: "AddSource_Type_Web",
            wording: "hi",
            custom: &[("Tag_SNS_Custom_Age", TagValue::Number(7))],
            profile: &profile,
        };
        let cy = Asking {
            peer: "cy",
            time_s: 1_760_000_000,
            mutual: true,
            source: "AddSource_Type_Web",
            wording: "",
            profile: &[],
        };
        let blocked = ErrorCode::BlocklistFull.into();
        let table = [
            (
                PeopleReply::Profiles(&[
                    UserProfile { user: "bo", profile: &profile },
                    UserProfile { user: "cy", profile: &[] },
                ]),
                r#""profiles":[{"user_id":"bo","profile":{"Tag_Profile_IM_Nick":"\"Bo\"","Tag_Profile_IM_Level":3}},{"user_id":"cy","profile":{}}]"#,
            ),
            (
                PeopleReply::Friends(FriendList {
                    friends: &[bo],
                    next: Some("bo"),
                    groups: &["work", "home"],
                }),
                r#""friends":[{"peer":"bo","time":1760000000,"remark":"B","groups":["work","home"],"source":"AddSource_Type_Web","wording":"hi","custom":{"Tag_SNS_Custom_Age":7},"profile":{"Tag_Profile_IM_Nick":"\"Bo\"","Tag_Profile_IM_Level":3}}],"next":"bo","groups":["work","home"]"#,
            ),
            (
                PeopleReply::Friends(FriendList { friends: &[], next: None, groups: &[] }),
                r#""friends":[],"next":null,"groups":[]"#,
            ),
            (PeopleReply::Befriended { pending: true }, r#""pending":true"#),
            (
                PeopleReply::Results(&[
                    PeerResult { peer: "bo", failure: None },
                    PeerResult { peer: "cy", failure: Some(&blocked) },
                ]),
                r#""results":[{"peer":"bo","code":0},{"peer":"cy","code":30013,"text":"the blocklist is full"}]"#,
            ),
            (
                PeopleReply::Relations(&[
                    ("bo", Relation::BothWay),
                    ("cy", Relation::AWithB),
                    ("di", Relation::BWithA),
                    ("ed", Relation::None),
                ]),
                r#""results":[{"peer":"bo","relation":"CheckResult_Type_BothWay"},{"peer":"cy","relation":"CheckResult_Type_AWithB"},{"peer":"di","relation":"CheckResult_Type_BWithA"},{"peer":"ed","relation":"CheckResult_Type_NoRelation"}]"#,
            ),
            (
                PeopleReply::Requests { requests: &[cy], next: None },
                r#""requests":[{"peer":"cy","time":1760000000,"mutual":true,"source":"AddSource_Type_Web","wording":"","profile":{}}],"next":null"#,
            ),
            (
                PeopleReply::Blocked { blocked: &[("bo", 1_760_000_000)], next: Some("bo") },
                r#""blocked":[{"peer":"bo","time":1760000000}],"next":"bo""#,
            ),
        ];
        for (reply, expected) in table {
            assert_eq!(frame(reply), format!(r#"{{"id":2,"ok":{{{expected}}}}}"#));
        }
    }
}
