//! Accounts, and everything that is filed under a person.

use super::{Check, Rows};
use crate::codec::{self, AccountRow};
use crate::engine::{Row, Table};
use crate::key::{self, named};
use crate::read;
use chat::conversation::{Change, LogEntry, Place};
use chat::port::Stored;
use chat::{AppId, ConversationId, UserId};

const NO_ACCOUNT: &str = "its account does not exist";

/// What is filed under a person, each table at the place of that person.
struct Filed<'a> {
    profiles: Rows<'a>,
    ties: Rows<'a>,
    peers: Rows<'a>,
    notes: Rows<'a>,
    tokens: Rows<'a>,
    peers_met: u64,
}

/// An account, or what there was of one.
struct Owner<'k> {
    key: &'k [u8],
    app: AppId,
    user: UserId,
    row: AccountRow,
}

/// What a person's conversations come to.
#[derive(Default)]
struct InAll {
    unread: u64,
    pinned: u32,
}

/// What a person's ties come to.
#[derive(Default, PartialEq, Eq)]
struct Ties {
    friends: u32,
    blocked: u32,
    asked: u32,
}

impl<'a> Check<'a> {
    /// `peers_expected`: as many rows as the conversations should have under their people.
    pub(super) fn people(&mut self, peers_expected: u64) -> Stored<()> {
        let mut accounts = self.rows(Table::Accounts)?;
        let mut filed = Filed {
            profiles: self.rows(Table::Profiles)?,
            ties: self.rows(Table::Ties)?,
            peers: self.rows(Table::Peers)?,
            notes: self.rows(Table::Notes)?,
            tokens: self.rows(Table::PushTokens)?,
            peers_met: 0,
        };
        while let Some((key, value)) = self.advance(&mut accounts)? {
            let named = self.taken(Table::Accounts, &key, named::account(&key));
            let row = self.taken(Table::Accounts, &key, codec::decode_account(&value));
            if let (Some((app, user)), Some(row)) = (named, row) {
                self.person(&Owner { key: &key, app, user, row }, &mut filed)?;
            }
        }
        for rows in [&mut filed.profiles, &mut filed.ties, &mut filed.peers, &mut filed.notes] {
            self.rest(rows, NO_ACCOUNT)?;
        }
        self.rest(&mut filed.tokens, NO_ACCOUNT)?;
        if filed.peers_met != peers_expected {
            self.unfiled()?;
        }
        Ok(())
    }

    fn person(&mut self, owner: &Owner<'_>, filed: &mut Filed<'a>) -> Stored<()> {
        let Owner { key, app, user, ref row } = *owner;
        while let Some((key, value)) = self.next_of(&mut filed.profiles, key, NO_ACCOUNT)? {
            self.taken(Table::Profiles, &key, named::account(&key));
            self.taken(Table::Profiles, &key, codec::decode_profile(&value));
            self.holds(row.exists, Table::Profiles, &key, || NO_ACCOUNT.to_owned());
        }
        let in_all = self.conversations_of(owner, filed)?;
        let ties = self.ties_of(owner, filed)?;
        self.tokens_of(owner, filed)?;
        let inbox = match row.exists {
            true => read::inbox(self.snapshot, app, &user, row.epoch),
            false => return Ok(()),
        };
        // A last entry that cannot be read is found when the logs are gone through.
        if let Ok(inbox) = inbox {
            self.holds(u64::from(inbox.unread) == in_all.unread, Table::Accounts, key, || {
                let unread = inbox.unread;
                format!(
                    "the log says that {unread} messages are unread, and the conversations {}",
                    in_all.unread
                )
            });
        }
        let person = &row.person;
        self.holds(person.pinned == in_all.pinned, Table::Accounts, key, || {
            format!("it counts {} pinned conversations, and there are {}", person.pinned, in_all.pinned)
        });
        let counted = Ties { friends: person.friends, blocked: person.blocked, asked: person.asked };
        self.holds(counted == ties, Table::Accounts, key, || {
            let Ties { friends, blocked, asked } = ties;
            format!(
                "it counts {} friends, {} blocked and {} requests, and there are {friends}, {blocked} and {asked}",
                person.friends, person.blocked, person.asked
            )
        });
        Ok(())
    }

    fn conversations_of(&mut self, owner: &Owner<'_>, filed: &mut Filed<'a>) -> Stored<InAll> {
        let mut in_all = InAll::default();
        while let Some((key, value)) = self.next_of(&mut filed.peers, owner.key, NO_ACCOUNT)? {
            filed.peers_met += 1;
            self.holds(value[..] == *codec::MARK, Table::Peers, &key, || "it is not a mark".to_owned());
            if let Some((app, user, peer)) = self.taken(Table::Peers, &key, named::peer(&key)) {
                let id = ConversationId::new(app, user, peer);
                match self.snapshot.get(Table::Conversations, key::conversation(&id))? {
                    None => self.found(Table::Peers, &key, "its conversation does not exist"),
                    // One that cannot be read was found already.
                    Some(value) => {
                        let conversation = codec::decode_conversation(&value).unwrap_or_default();
                        let view = &conversation.sides[id.side(&user) as usize];
                        in_all.unread += u64::from(view.unread);
                        in_all.pinned += u32::from(view.pinned_ms > 0);
                    }
                }
            }
            while let Some((note, value)) =
                self.next_of(&mut filed.notes, &key, "its conversation does not exist")?
            {
                self.taken(Table::Notes, &note, named::peer(&note));
                self.taken(Table::Notes, &note, codec::decode_notes(&value));
                self.holds(owner.row.exists, Table::Notes, &note, || NO_ACCOUNT.to_owned());
            }
        }
        Ok(in_all)
    }

    fn ties_of(&mut self, owner: &Owner<'_>, filed: &mut Filed<'a>) -> Stored<Ties> {
        let mut ties = Ties::default();
        while let Some((key, value)) = self.next_of(&mut filed.ties, owner.key, NO_ACCOUNT)? {
            let named = self.taken(Table::Ties, &key, named::tie(&key));
            let tie = self.taken(Table::Ties, &key, codec::decode_tie(&value));
            let (Some((app, user, peer)), Some(tie)) = (named, tie) else { continue };
            ties.friends += u32::from(tie.friend.is_some());
            ties.blocked += u32::from(tie.blocked_s.is_some());
            ties.asked += u32::from(tie.request.is_some());
            self.holds(owner.row.exists, Table::Ties, &key, || NO_ACCOUNT.to_owned());
            self.holds(!tie.is_nothing(), Table::Ties, &key, || "it says nothing".to_owned());
            let back = self.snapshot.get(Table::Ties, key::tie(app, &peer, &user))?;
            // One that cannot be read is found when its owner's turn comes.
            let Ok(back) = back.map(|value| codec::decode_tie(&value)).transpose() else { continue };
            let back = back.unwrap_or_default();
            self.holds(tie.kept_by_peer == back.keeps_something(), Table::Ties, &key, || {
                let keeps = if back.keeps_something() { "something" } else { "nothing" };
                format!("{peer} keeps {keeps} of {user}, and it says otherwise")
            });
            self.holds(back.kept_by_peer || !tie.keeps_something(), Table::Ties, &key, || {
                format!("{peer} is not told in return that something is kept of them")
            });
        }
        Ok(ties)
    }

    fn tokens_of(&mut self, owner: &Owner<'_>, filed: &mut Filed<'a>) -> Stored<()> {
        while let Some((key, value)) = self.next_of(&mut filed.tokens, owner.key, NO_ACCOUNT)? {
            self.taken(Table::PushTokens, &key, named::account(&key));
            self.holds(owner.row.exists, Table::PushTokens, &key, || NO_ACCOUNT.to_owned());
            let tokens = self.taken(Table::PushTokens, &key, codec::decode_tokens(&value));
            for token in tokens.unwrap_or_default() {
                let known = self.snapshot.get(Table::TokenOwners, key::token_owner(owner.app, &token))?;
                let known = known.and_then(|value| codec::decode_token_owner(&value).ok());
                self.holds(known == Some(owner.user), Table::PushTokens, &key, || {
                    "a token of it is filed under nobody, or under somebody else".to_owned()
                });
            }
        }
        Ok(())
    }

    pub(super) fn token_owners(&mut self) -> Stored<()> {
        let mut owners = self.rows(Table::TokenOwners)?;
        while let Some((key, value)) = self.advance(&mut owners)? {
            let named = self.taken(Table::TokenOwners, &key, named::token_owner(&key));
            let owner = self.taken(Table::TokenOwners, &key, codec::decode_token_owner(&value));
            let (Some((app, provider, token)), Some(user)) = (named, owner) else { continue };
            let tokens = self.snapshot.get(Table::PushTokens, key::account(app, &user))?;
            let Ok(tokens) = tokens.map(|value| codec::decode_tokens(&value)).transpose() else { continue };
            let is_same =
                |known: &chat::person::PushToken| known.provider == provider && known.token == token;
            let has = tokens.unwrap_or_default().iter().any(is_same);
            self.holds(has, Table::TokenOwners, &key, || format!("{user} has no such token"));
        }
        Ok(())
    }

    pub(super) fn logs(&mut self) -> Stored<()> {
        let mut logs = self.rows(Table::Logs)?;
        // The key of the log under way without its offset, its owner if there is one, and its last offset.
        let mut log: (Vec<u8>, Option<(AppId, UserId)>, u64) = (Vec::new(), None, 0);
        while let Some((key, value)) = self.advance(&mut logs)? {
            let Some((app, user, epoch, offset)) = self.taken(Table::Logs, &key, named::log_entry(&key))
            else {
                continue;
            };
            let prefix = &key[..key.len() - 8];
            if log.0 != prefix {
                let account = read::account(self.snapshot, app, &user).ok().flatten();
                let is_current = account.is_some_and(|row| row.exists && row.epoch == epoch);
                log = (prefix.to_vec(), is_current.then_some((app, user)), 0);
                if !is_current {
                    self.found(Table::Logs, &key, "it is the log of no account that exists");
                }
            }
            let before = std::mem::replace(&mut log.2, offset);
            self.holds(Some(offset) == before.checked_add(1), Table::Logs, &key, || {
                format!("the log has a gap: {offset} comes after {before}")
            });
            let entry = codec::decode_log_entry(&user, offset, &value);
            if let (Some(entry), Some(owner)) = (self.taken(Table::Logs, &key, entry), log.1) {
                self.named_message(owner, (key, value), &entry)?;
            }
        }
        Ok(())
    }

    /// The message that an entry names has to be there.
    fn named_message(&mut self, (app, user): (AppId, UserId), (key, _): Row, entry: &LogEntry) -> Stored<()> {
        let (Change::Message { peer, time_s, seq } | Change::Altered { peer, time_s, seq, .. }) =
            entry.change
        else {
            return Ok(());
        };
        let id = ConversationId::new(app, user, peer);
        let message = key::message(&id, Place { time_s, seq });
        if self.snapshot.get(Table::Messages, message)?.is_none() {
            self.found(Table::Logs, &key, "the message that it names does not exist");
        }
        Ok(())
    }
}
