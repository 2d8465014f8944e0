//! After a user comes online or goes offline.

use crate::{
    callback::{CallbackCommand, OptPlatform},
    json::{self, write_json},
};

/// The body of `State.StateChange`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StateChange<'a> {
    /// `Info.To_Account`: whose state it is.
    pub user: &'a str,
    /// `Info.Action` and `Info.Reason`.
    pub action: StateAction,
    /// `KickedDevice`: the devices that a login has put out. Only there when there is one.
    pub kicked: &'a [OptPlatform],
    /// `EventTime`, in Unix milliseconds.
    pub event_time_ms: u64,
}

/// What has happened to a user's connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StateAction {
    /// It was made.
    Login,
    /// The user logged out.
    Logout,
    /// It was closed, or broke.
    LinkClose,
    /// Nothing was heard on it for too long.
    TimeOut,
}

impl StateAction {
    /// All of them.
    pub const ALL: &'static [StateAction] =
        &[StateAction::Login, StateAction::Logout, StateAction::LinkClose, StateAction::TimeOut];

    /// The words on the wire: `Action` and `Reason`.
    pub const fn words(self) -> (&'static str, &'static str) {
        match self {
            StateAction::Login => ("Login", "Register"),
            StateAction::Logout => ("Logout", "Unregister"),
            StateAction::LinkClose => ("Disconnect", "LinkClose"),
            StateAction::TimeOut => ("Disconnect", "TimeOut"),
        }
    }

    /// The value with these words on the wire; case matters.
    pub fn parse(action: &str, reason: &str) -> Option<StateAction> {
        StateAction::ALL.iter().copied().find(|known| known.words() == (action, reason))
    }
}

impl StateChange<'_> {
    /// Appends the body.
    pub fn write(&self, out: &mut Vec<u8>) {
        let (action, reason) = self.action.words();
        write_json!(
            out,
            r#"{"CallbackCommand":"#,
            string(CallbackCommand::StateChange.as_str()),
            r#","EventTime":"#,
            number(self.event_time_ms),
            r#","Info":{"Action":"#,
            string(action),
            r#","To_Account":"#,
            string(self.user),
            r#","Reason":"#,
            string(reason),
            "}",
        );
        if !self.kicked.is_empty() {
            json::raw(out, br#","KickedDevice":"#);
            // The spelling is that of all other callbacks, not the one that this callback's URL has.
            json::array(out, self.kicked, |out, platform| {
                write_json!(out, r#"{"Platform":"#, string(platform.as_str()), "}");
            });
        }
        out.push(b'}');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::callback::body::written;

    const LOGIN: StateChange<'_> = StateChange {
        user: "ana",
        action: StateAction::Login,
        kicked: &[OptPlatform::Web, OptPlatform::Ios],
        event_time_ms: 1_767_000_200_123,
    };

    #[test]
    fn a_login_to_the_letter() {
        assert_eq!(
            written(|out| LOGIN.write(out)),
            r#"{"CallbackCommand":"State.StateChange","EventTime":1767000200123,"Info":{"Action":"Login","To_Account":"ana","Reason":"Register"},"KickedDevice":[{"Platform":"Web"},{"Platform":"iOS"}]}"#
        );
    }

    #[test]
    fn actions_and_their_words() {
        let table = [
            (StateAction::Login, r#""Action":"Login","To_Account":"ana","Reason":"Register""#),
            (StateAction::Logout, r#""Action":"Logout","To_Account":"ana","Reason":"Unregister""#),
            (StateAction::LinkClose, r#""Action":"Disconnect","To_Account":"ana","Reason":"LinkClose""#),
            (StateAction::TimeOut, r#""Action":"Disconnect","To_Account":"ana","Reason":"TimeOut""#),
        ];
        assert_eq!(table.map(|(action, _)| action), StateAction::ALL);
        for (action, info) in table {
            let change = StateChange { action, kicked: &[], ..LOGIN };
            assert!(written(|out| change.write(out)).ends_with(&format!(r#","Info":{{{info}}}}}"#)));
            let (word, reason) = action.words();
            assert_eq!(StateAction::parse(word, reason), Some(action));
        }
        assert_eq!(StateAction::parse("Login", "TimeOut"), None);
    }
}
