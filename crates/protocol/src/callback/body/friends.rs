//! Before and after users become friends, and after they stop being friends or block one another.

use crate::{
    callback::{CallbackCommand, command::words},
    json::{self, write_json},
};

/// The body of `Sns.CallbackPrevFriendAdd`: may these users be added?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PrevFriendAdd<'a> {
    /// `Requester_Account`: who sent the request.
    pub requester: &'a str,
    /// `From_Account`: whose friends they would be.
    pub from: &'a str,
    /// `FriendItem`: each user who would be added.
    pub items: &'a [FriendItem<'a>],
    /// `AddType`.
    pub add_type: AddType,
    /// `ForceAddFlags`: without asking the user who is added.
    pub forced: bool,
    /// `EventTime`, in Unix milliseconds.
    pub event_time_ms: u64,
}

/// A user whom someone wants to add.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FriendItem<'a> {
    /// `To_Account`.
    pub to: &'a str,
    /// `Remark`: the name that the user has among the friends.
    pub remark: &'a str,
    /// `GroupName`: the list that the user is put into.
    pub group_name: &'a str,
    /// `AddSource`: where the user was found.
    pub add_source: &'a str,
    /// `AddWording`: what the user is told.
    pub add_wording: &'a str,
}

/// The body of `Sns.CallbackPrevFriendResponse`: may these requests be answered like this?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PrevFriendResponse<'a> {
    /// `Requester_Account`: who sent the answers.
    pub requester: &'a str,
    /// `From_Account`: whose answers they are.
    pub from: &'a str,
    /// `ResponseFriendItem`: each user who would be answered.
    pub items: &'a [ResponseFriendItem<'a>],
    /// `EventTime`, in Unix milliseconds.
    pub event_time_ms: u64,
}

/// A user who has asked to be a friend, and the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResponseFriendItem<'a> {
    /// `To_Account`.
    pub to: &'a str,
    /// `Remark`: the name that the user would have among the friends.
    pub remark: &'a str,
    /// `TagName`: the list that the user would be put into. The question above calls it `GroupName`.
    pub tag_name: &'a str,
    /// `ResponseAction`.
    pub action: ResponseAction,
}

words! {
    /// Whose list of friends grows.
    enum AddType;
    /// That of the user who adds.
    Single = "Add_Type_Single";
    /// Those of both.
    Both = "Add_Type_Both";
}

words! {
    /// The answer to a friend request.
    enum ResponseAction;
    /// Yes, and the other way round too.
    AgreeAndAdd = "Response_Action_AgreeAndAdd";
    /// Yes.
    Agree = "Response_Action_Agree";
    /// No.
    Reject = "Response_Action_Reject";
}

/// The body of `Sns.CallbackFriendAdd`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FriendAdd<'a> {
    /// `PairList`: one for each list that has grown, so that two users who added each other are two.
    pub pairs: &'a [FriendPair<'a>],
    /// `ClientCmd`: what the client did.
    pub client_cmd: &'a str,
    /// `Admin_Account`: the administrator who did it; empty when it was a client.
    pub admin: &'a str,
    /// `ForceFlag`: without asking the user who was added.
    pub forced: bool,
    /// `EventTime`, in Unix milliseconds.
    pub event_time_ms: u64,
}

/// A user who was put into another's list of friends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FriendPair<'a> {
    /// `From_Account`: whose list.
    pub from: &'a str,
    /// `To_Account`: who was put into it.
    pub to: &'a str,
    /// `Initiator_Account`: who of the two began it.
    pub initiator: &'a str,
}

/// The body of `Sns.CallbackFriendDelete`, `Sns.CallbackBlackListAdd` and `Sns.CallbackBlackListDelete`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RelationPairs<'a> {
    /// Which of the three it is.
    pub command: CallbackCommand,
    /// `PairList`: `From_Account`, whose list it is, and `To_Account`, who was put into it or taken out.
    pub pairs: &'a [(&'a str, &'a str)],
    /// `EventTime`, in Unix milliseconds.
    pub event_time_ms: u64,
}

impl PrevFriendAdd<'_> {
    /// Appends the body.
    pub fn write(&self, out: &mut Vec<u8>) {
        write_json!(
            out,
            r#"{"CallbackCommand":"#,
            string(CallbackCommand::SnsPrevFriendAdd.as_str()),
            r#","Requester_Account":"#,
            string(self.requester),
            r#","From_Account":"#,
            string(self.from),
            r#","FriendItem":"#,
        );
        json::array(out, self.items, |out, item| item.write(out));
        write_json!(
            out,
            r#","AddType":"#,
            string(self.add_type.as_str()),
            r#","ForceAddFlags":"#,
            flag(self.forced),
            r#","EventTime":"#,
            number(self.event_time_ms),
            "}",
        );
    }
}

impl FriendItem<'_> {
    fn write(&self, out: &mut Vec<u8>) {
        write_json!(
            out,
            r#"{"To_Account":"#,
            string(self.to),
            r#","Remark":"#,
            string(self.remark),
            r#","GroupName":"#,
            string(self.group_name),
            r#","AddSource":"#,
            string(self.add_source),
            r#","AddWording":"#,
            string(self.add_wording),
            "}",
        );
    }
}

impl PrevFriendResponse<'_> {
    /// Appends the body.
    pub fn write(&self, out: &mut Vec<u8>) {
        write_json!(
            out,
            r#"{"CallbackCommand":"#,
            string(CallbackCommand::SnsPrevFriendResponse.as_str()),
            r#","Requester_Account":"#,
            string(self.requester),
            r#","From_Account":"#,
            string(self.from),
            r#","ResponseFriendItem":"#,
        );
        json::array(out, self.items, |out, item| item.write(out));
        write_json!(out, r#","EventTime":"#, number(self.event_time_ms), "}");
    }
}

impl ResponseFriendItem<'_> {
    fn write(&self, out: &mut Vec<u8>) {
        write_json!(
            out,
            r#"{"To_Account":"#,
            string(self.to),
            r#","Remark":"#,
            string(self.remark),
            r#","TagName":"#,
            string(self.tag_name),
            r#","ResponseAction":"#,
            string(self.action.as_str()),
            "}",
        );
    }
}

impl FriendAdd<'_> {
    /// Appends the body.
    pub fn write(&self, out: &mut Vec<u8>) {
        write_json!(
            out,
            r#"{"CallbackCommand":"#,
            string(CallbackCommand::SnsFriendAdd.as_str()),
            r#","PairList":"#,
        );
        json::array(out, self.pairs, |out, pair| {
            write_pair(out, pair.from, pair.to);
            write_json!(out, r#","Initiator_Account":"#, string(pair.initiator), "}");
        });
        write_json!(
            out,
            r#","ClientCmd":"#,
            string(self.client_cmd),
            r#","Admin_Account":"#,
            string(self.admin),
            r#","ForceFlag":"#,
            flag(self.forced),
            r#","EventTime":"#,
            number(self.event_time_ms),
            "}",
        );
    }
}

impl RelationPairs<'_> {
    /// Appends the body.
    pub fn write(&self, out: &mut Vec<u8>) {
        assert!(
            matches!(
                self.command,
                CallbackCommand::SnsFriendDelete
                    | CallbackCommand::SnsBlackListAdd
                    | CallbackCommand::SnsBlackListDelete
            ),
            "{} has another body",
            self.command.as_str()
        );
        write_json!(out, r#"{"CallbackCommand":"#, string(self.command.as_str()), r#","PairList":"#);
        json::array(out, self.pairs, |out, (from, to)| {
            write_pair(out, from, to);
            out.push(b'}');
        });
        write_json!(out, r#","EventTime":"#, number(self.event_time_ms), "}");
    }
}

fn write_pair(out: &mut Vec<u8>, from: &str, to: &str) {
    write_json!(out, r#"{"From_Account":"#, string(from), r#","To_Account":"#, string(to));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::callback::body::written;

    #[test]
    fn questions_to_the_letter() {
        let add = PrevFriendAdd {
            requester: "ana",
            from: "ana",
            items: &[FriendItem {
                to: "bo",
                remark: "Bo",
                group_name: "work",
                add_source: "AddSource_Type_Web",
                add_wording: "it's me",
            }],
            add_type: AddType::Both,
            forced: false,
            event_time_ms: 1_767_000_400_001,
        };
        assert_eq!(
            written(|out| add.write(out)),
            r#"{"CallbackCommand":"Sns.CallbackPrevFriendAdd","Requester_Account":"ana","From_Account":"ana","FriendItem":[{"To_Account":"bo","Remark":"Bo","GroupName":"work","AddSource":"AddSource_Type_Web","AddWording":"it's me"}],"AddType":"Add_Type_Both","ForceAddFlags":0,"EventTime":1767000400001}"#
        );
        let forced = PrevFriendAdd { items: &[], add_type: AddType::Single, forced: true, ..add };
        assert!(written(|out| forced.write(out)).ends_with(
            r#""FriendItem":[],"AddType":"Add_Type_Single","ForceAddFlags":1,"EventTime":1767000400001}"#
        ));
        let response = PrevFriendResponse {
            requester: "bo",
            from: "bo",
            items: &[
                ResponseFriendItem {
                    to: "ana",
                    remark: "",
                    tag_name: "work",
                    action: ResponseAction::AgreeAndAdd,
                },
                ResponseFriendItem { to: "cy", remark: "", tag_name: "", action: ResponseAction::Reject },
            ],
            event_time_ms: 1_767_000_400_002,
        };
        assert_eq!(
            written(|out| response.write(out)),
            r#"{"CallbackCommand":"Sns.CallbackPrevFriendResponse","Requester_Account":"bo","From_Account":"bo","ResponseFriendItem":[{"To_Account":"ana","Remark":"","TagName":"work","ResponseAction":"Response_Action_AgreeAndAdd"},{"To_Account":"cy","Remark":"","TagName":"","ResponseAction":"Response_Action_Reject"}],"EventTime":1767000400002}"#
        );
    }

    #[test]
    fn new_friends_to_the_letter() {
        let added = FriendAdd {
            pairs: &[
                FriendPair { from: "ana", to: "bo", initiator: "ana" },
                FriendPair { from: "bo", to: "ana", initiator: "ana" },
            ],
            client_cmd: "friend_add",
            admin: "",
            forced: true,
            event_time_ms: 1_767_000_400_003,
        };
        assert_eq!(
            written(|out| added.write(out)),
            r#"{"CallbackCommand":"Sns.CallbackFriendAdd","PairList":[{"From_Account":"ana","To_Account":"bo","Initiator_Account":"ana"},{"From_Account":"bo","To_Account":"ana","Initiator_Account":"ana"}],"ClientCmd":"friend_add","Admin_Account":"","ForceFlag":1,"EventTime":1767000400003}"#
        );
    }

    #[test]
    fn pairs_to_the_letter() {
        let table = [
            (CallbackCommand::SnsFriendDelete, "Sns.CallbackFriendDelete"),
            (CallbackCommand::SnsBlackListAdd, "Sns.CallbackBlackListAdd"),
            (CallbackCommand::SnsBlackListDelete, "Sns.CallbackBlackListDelete"),
        ];
        for (command, name) in table {
            let pairs = RelationPairs { command, pairs: &[("ana", "bo"), ("ana", "cy")], event_time_ms: 7 };
            assert_eq!(
                written(|out| pairs.write(out)),
                format!(
                    r#"{{"CallbackCommand":"{name}","PairList":[{{"From_Account":"ana","To_Account":"bo"}},{{"From_Account":"ana","To_Account":"cy"}}],"EventTime":7}}"#
                )
            );
        }
    }
}
