//! Conversations, with their messages and what is on these.

use super::{Check, Rows};
use crate::codec;
use crate::engine::{Row, Table};
use crate::key::{self, named};
use chat::conversation::{Conversation, Place};
use chat::port::Stored;
use chat::{ConversationId, Message, UserId};

const NO_CONVERSATION: &str = "its conversation does not exist";
const NO_MESSAGE: &str = "its message does not exist";

/// What the messages of a conversation come to.
struct Tally {
    count: u64,
    /// Sums of the numbers and of their squares: those of 1 to n have one of each, and it is unlikely that others do.
    sums: [u128; 2],
    last: Place,
    unread: [u32; 2],
    /// Whether the messages are there that the list shows.
    heads: [bool; 2],
}

impl<'a> Check<'a> {
    /// Says how many rows of peers there should be.
    pub(super) fn conversations(&mut self) -> Stored<u64> {
        let mut filed = 0;
        let mut conversations = self.rows(Table::Conversations)?;
        let mut messages = self.rows(Table::Messages)?;
        let mut extensions = self.rows(Table::Extensions)?;
        while let Some((key, value)) = self.advance(&mut conversations)? {
            let id = self.taken(Table::Conversations, &key, named::conversation(&key));
            let conversation = self.taken(Table::Conversations, &key, codec::decode_conversation(&value));
            // Even of one that cannot be read, the messages are looked at.
            let conversation_or_none = conversation.unwrap_or_default();
            let mut tally = Tally::default();
            while let Some(row) = self.next_of(&mut messages, &key, NO_CONVERSATION)? {
                if let Some(id) = &id
                    && let Some(message) = self.message(id, &row)
                {
                    tally.count(id, &conversation_or_none, &message);
                }
                self.extensions_of(&mut extensions, &row.0)?;
            }
            let (Some(id), Some(conversation)) = (id, conversation) else { continue };
            filed += if id.low == id.high { 1 } else { 2 };
            self.conversation(&key, &id, &conversation, &tally);
        }
        self.rest(&mut messages, NO_CONVERSATION)?;
        self.rest(&mut extensions, NO_MESSAGE)?;
        Ok(filed)
    }

    fn conversation(&mut self, key: &[u8], id: &ConversationId, conversation: &Conversation, tally: &Tally) {
        let table = Table::Conversations;
        let Conversation { seq, time_s, sides } = conversation;
        self.holds(tally.count == *seq, table, key, || {
            format!("it says that it has {seq} messages, and there are {}", tally.count)
        });
        self.holds(tally.sums == Tally::sums_to(tally.count), table, key, || {
            "the numbers of its messages have a gap".to_owned()
        });
        self.holds(tally.last.time_s == *time_s, table, key, || {
            format!("it says that its last message is of {time_s}, and that is of {}", tally.last.time_s)
        });
        let people = if id.low == id.high { &[id.low][..] } else { &[id.low, id.high][..] };
        for user in people {
            let side = id.side(user) as usize;
            let view = &sides[side];
            self.holds(view.unread == tally.unread[side], table, key, || {
                format!("{user} has {} unread messages by it, and {} there", view.unread, tally.unread[side])
            });
            self.holds(view.head_seq == 0 || tally.heads[side], table, key, || {
                format!("the message that the list of {user} shows does not exist")
            });
            self.holds(view.read_seq.max(view.cleared_seq) <= *seq, table, key, || {
                format!("{user} has read or cleared more than there is")
            });
        }
    }

    fn message(&mut self, id: &ConversationId, (key, value): &Row) -> Option<Message> {
        let message = named::message(key).and_then(|(_, place)| codec::decode_message(id, place, value));
        self.taken(Table::Messages, key, message)
    }

    fn extensions_of(&mut self, extensions: &mut Rows<'a>, message: &[u8]) -> Stored<()> {
        while let Some((key, value)) = self.next_of(extensions, message, NO_MESSAGE)? {
            self.taken(Table::Extensions, &key, named::message(&key));
            self.taken(Table::Extensions, &key, codec::decode_extensions(&value));
        }
        Ok(())
    }

    /// Which rows of peers are missing. Only asked when some are.
    pub(super) fn unfiled(&mut self) -> Stored<()> {
        for row in self.snapshot.scan(Table::Conversations, []) {
            let (key, _) = row?;
            let Ok(ConversationId { app, low, high }) = named::conversation(&key) else { continue };
            let both: &[(UserId, UserId)] = &[(low, high), (high, low)];
            for (user, peer) in if low == high { &both[..1] } else { both } {
                if self.snapshot.get(Table::Peers, key::peer(app, user, peer))?.is_none() {
                    self.found(Table::Conversations, &key, format!("it is not filed under {user}"));
                }
            }
        }
        Ok(())
    }
}

impl Tally {
    fn count(&mut self, id: &ConversationId, conversation: &Conversation, message: &Message) {
        let place = message.place();
        self.count += 1;
        let seq = u128::from(place.seq);
        self.sums[0] = self.sums[0].wrapping_add(seq);
        self.sums[1] = self.sums[1].wrapping_add(seq.wrapping_mul(seq));
        self.last.time_s = self.last.time_s.max(place.time_s);
        let side = id.side(&message.to) as usize;
        if message.counts() && conversation.sides[side].is_unread(place) {
            self.unread[side] += 1;
        }
        for (is_there, view) in self.heads.iter_mut().zip(&conversation.sides) {
            *is_there |= (view.head_seq, view.head_time_s) == (place.seq, place.time_s);
        }
    }

    fn sums_to(count: u64) -> [u128; 2] {
        let n = u128::from(count);
        let linear = n.wrapping_mul(n + 1) / 2;
        [linear, linear.wrapping_mul(2 * n + 1) / 3]
    }
}

impl Default for Tally {
    fn default() -> Self {
        Self { count: 0, sums: [0; 2], last: Place { seq: 0, time_s: 0 }, unread: [0; 2], heads: [false; 2] }
    }
}
