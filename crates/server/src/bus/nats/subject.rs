//! Where what is said.

use super::Key;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chat::event::Lane;

#[derive(Debug)]
pub(super) struct Subjects {
    prefix: String,
    /// Of this process among all nodes.
    node: u64,
}

impl Subjects {
    pub(super) fn new(prefix: &str, node: u64) -> Self {
        Self { prefix: prefix.to_owned(), node }
    }

    /// Nodes that have sessions of the user listen.
    pub(super) fn user(&self, (app, user): Key) -> String {
        format!("{}.user.{}.{}", self.prefix, app.0, URL_SAFE_NO_PAD.encode(user.as_bytes()))
    }

    /// How a user can be reached. Named by the user, so that a later release can listen to some users only.
    pub(super) fn watch(&self, (app, user): Key) -> String {
        format!("{}.watch.{}.{}", self.prefix, app.0, URL_SAFE_NO_PAD.encode(user.as_bytes()))
    }

    pub(super) fn all_watches(&self) -> String {
        format!("{}.watch.*.*", self.prefix)
    }

    /// Nodes that tell the lane's events listen, and those where readers wait for some.
    pub(super) fn lane(&self, lane: Lane) -> String {
        format!("{}.lane.{}.{}", self.prefix, lane.app.0, lane.index)
    }

    pub(super) fn node(&self) -> u64 {
        self.node
    }

    /// Nodes say there that they come, are there, or leave. Every node listens.
    pub(super) fn nodes(&self) -> String {
        format!("{}.nodes", self.prefix)
    }

    /// Every node listens.
    pub(super) fn revoked(&self) -> String {
        format!("{}.revoked", self.prefix)
    }

    /// Nobody ever listens: whoever asks there hears at once that it is so, and that NATS has taken all that was sent
    /// before.
    pub(super) fn nobody(&self) -> String {
        format!("{}.nobody", self.prefix)
    }

    /// Where the answer to a question of this node goes.
    pub(super) fn answer(&self, question: u64) -> String {
        format!("{}.answer.{:x}.{question:x}", self.prefix, self.node)
    }

    pub(super) fn all_answers(&self) -> String {
        format!("{}.answer.{:x}.*", self.prefix, self.node)
    }

    /// The question that something heard at [`Self::answer`] belongs to.
    pub(super) fn question(subject: &str) -> Option<u64> {
        u64::from_str_radix(subject.rsplit_once('.')?.1, 16).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chat::{AppId, UserId};

    /// People who write the permissions of an account on NATS go by these names.
    #[test]
    fn subjects_are_named_as_the_guide_says() {
        let subjects = Subjects::new("couplet", 0xab);
        let key = |user| (AppId(14), UserId::new(user).unwrap());
        assert_eq!(subjects.user(key("ana")), "couplet.user.14.YW5h");
        // What separates tokens, or stands for many, cannot come from a name.
        assert_eq!(subjects.user(key("a.*>~ ?")), "couplet.user.14.YS4qPn4gPw");
        assert_eq!(subjects.watch(key("ana")), "couplet.watch.14.YW5h");
        assert_eq!(subjects.lane(Lane { app: AppId(14), index: 3 }), "couplet.lane.14.3");
        assert_eq!(subjects.answer(0x1f), "couplet.answer.ab.1f");
        assert_eq!(Subjects::question("couplet.answer.ab.1f"), Some(0x1f));
        assert_eq!(Subjects::question("couplet.answer.ab.x"), None);
    }
}
