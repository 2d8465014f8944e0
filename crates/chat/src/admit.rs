//! Whether a message may go from one person to another, by what the two have decided.
//!
//! Asked inside the commit, so that nobody can slip through between the look and the send.

use crate::event::Refusal;
use crate::person::{Person, Tie};

/// What a send has to respect. The default is nothing: the app's backend sends, and knows why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Terms {
    /// Set for what a device sends.
    pub device: Option<DeviceTerms>,
    /// The recipient's wish to receive nothing counts.
    pub heeds_recipient: bool,
}

/// What an app decides about its users' sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DeviceTerms {
    pub friends_only: bool,
    /// Whether a blocked sender hears of it, or is shown success.
    pub tells_blocked: bool,
}

impl Terms {
    /// Whether nobody need be looked at.
    pub fn are_none(&self) -> bool {
        *self == Self::default()
    }
}

/// Everything the decision rests on.
#[derive(Debug, Clone, Copy)]
pub struct Standing<'a> {
    pub sender: &'a Person,
    pub recipient: &'a Person,
    /// What the sender keeps of the recipient.
    pub sender_tie: &'a Tie,
    pub recipient_tie: &'a Tie,
    /// The recipient has set that nothing of what the sender writes is wanted.
    pub discards: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admitted {
    Yes,
    /// The message goes to the sender's side only.
    Unseen,
    /// The same, and the backend is told why.
    Pretend(Refusal),
    No(Refusal),
}

pub fn admit(terms: Terms, standing: &Standing<'_>, now_s: u64) -> Admitted {
    let Standing { sender, recipient, sender_tie, recipient_tie, discards } = standing;
    if let Some(device) = terms.device {
        if sender.is_muted(now_s) {
            return Admitted::No(Refusal::SenderMuted);
        }
        if recipient_tie.blocked_s.is_some() {
            let refusal = Refusal::Blocked;
            return if device.tells_blocked { Admitted::No(refusal) } else { Admitted::Pretend(refusal) };
        }
        if *discards {
            // Never told to the sender: it is the recipient's own setting, and not a word to the other.
            return Admitted::Pretend(Refusal::Blocked);
        }
        if device.friends_only {
            match (sender_tie.friend.is_some(), recipient_tie.friend.is_some()) {
                (true, true) => {}
                (false, false) => return Admitted::No(Refusal::NotFriends),
                (true, false) => return Admitted::No(Refusal::NotInRecipientsFriends),
                (false, true) => return Admitted::No(Refusal::NotInSendersFriends),
            }
        }
    }
    if terms.heeds_recipient && !recipient.receives { Admitted::Unseen } else { Admitted::Yes }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::person::Friend;

    #[test]
    fn what_stands_in_the_way_of_a_message() {
        let plain = Person::default();
        let muted = Person { muted_until_s: 100, ..Person::default() };
        let deaf = Person { receives: false, ..Person::default() };
        let (none, friend, blocks) = (
            Tie::default(),
            Tie { friend: Some(Friend::default()), ..Tie::default() },
            Tie { blocked_s: Some(1), ..Tie::default() },
        );
        let device = |friends_only, tells_blocked| Terms {
            device: Some(DeviceTerms { friends_only, tells_blocked }),
            heeds_recipient: true,
        };
        let backend = Terms::default();
        let table = [
            (device(false, false), (&plain, &none), (&plain, &none), Admitted::Yes),
            (device(false, false), (&muted, &none), (&plain, &none), Admitted::No(Refusal::SenderMuted)),
            (backend, (&muted, &blocks), (&deaf, &blocks), Admitted::Yes),
            (device(true, false), (&plain, &none), (&plain, &blocks), Admitted::Pretend(Refusal::Blocked)),
            (device(true, true), (&plain, &none), (&plain, &blocks), Admitted::No(Refusal::Blocked)),
            // Whoever blocks may still write.
            (device(false, true), (&plain, &blocks), (&plain, &none), Admitted::Yes),
            (device(true, false), (&plain, &none), (&plain, &none), Admitted::No(Refusal::NotFriends)),
            (
                device(true, false),
                (&plain, &friend),
                (&plain, &none),
                Admitted::No(Refusal::NotInRecipientsFriends),
            ),
            (
                device(true, false),
                (&plain, &none),
                (&plain, &friend),
                Admitted::No(Refusal::NotInSendersFriends),
            ),
            (device(true, false), (&plain, &friend), (&plain, &friend), Admitted::Yes),
            (device(false, false), (&plain, &none), (&deaf, &none), Admitted::Unseen),
            (Terms { heeds_recipient: true, ..backend }, (&muted, &none), (&deaf, &blocks), Admitted::Unseen),
        ];
        for (terms, (sender, sender_tie), (recipient, recipient_tie), expected) in table {
            let standing = Standing { sender, recipient, sender_tie, recipient_tie, discards: false };
            assert_eq!(admit(terms, &standing, 99), expected, "{terms:?} {standing:?}");
        }
        let standing = Standing {
            sender: &muted,
            recipient: &plain,
            sender_tie: &none,
            recipient_tie: &none,
            discards: false,
        };
        assert_eq!(admit(device(false, false), &standing, 100), Admitted::Yes, "a mute ends by itself");
        let discards = Standing { sender: &plain, discards: true, ..standing };
        // As if blocked, but never told so, and before anything else is that would tell.
        for (terms, expected) in [
            (device(false, false), Admitted::Pretend(Refusal::Blocked)),
            (device(true, true), Admitted::Pretend(Refusal::Blocked)),
            (backend, Admitted::Yes),
        ] {
            assert_eq!(admit(terms, &discards, 99), expected, "{terms:?}");
        }
        let blocks = Standing { recipient_tie: &blocks, ..discards };
        assert_eq!(admit(device(false, true), &blocks, 99), Admitted::No(Refusal::Blocked));
    }
}
