//! Who writes to whom.
//!
//! Names and random numbers have a fixed width, so that a request is made by overwriting digits in place.

use serde::{Deserialize, Serialize};

pub(super) const NAME_LEN: usize = 8;

/// The first `MsgRandom`; from here to the end of `u32` all have ten digits.
pub(super) const RANDOM_MIN: u32 = 1_000_000_000;
pub(super) const RANDOM_LEN: usize = 10;

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct People {
    pub users: u32,
    pub conversations: u32,
}

impl People {
    /// Spreads the conversations so that every user has about eight partners.
    pub(super) fn new(conversations: u32) -> Self {
        People { users: (conversations / 4).max(16), conversations: conversations.max(1) }
    }

    /// Which conversation the load's n-th message goes to.
    pub(super) fn conversation_of(&self, n: u32) -> u32 {
        (scatter(u64::from(n)) % u64::from(self.conversations)) as u32
    }

    /// The two users of the conversation that the load's n-th message goes to.
    pub(super) fn pair_of(&self, n: u32) -> (u32, u32) {
        self.pair(self.conversation_of(n))
    }

    /// The two users of a conversation.
    pub(super) fn pair(&self, conversation: u32) -> (u32, u32) {
        let from = conversation % self.users;
        // Distances stay far below half of the users, so that no two conversations are of the same two users.
        let distance = 1 + conversation / self.users;
        (from, (from + distance) % self.users)
    }
}

pub(super) fn name(user: u32) -> String {
    format!("u{user:07}")
}

pub(super) fn write_name(place: &mut [u8], user: u32) {
    place[0] = b'u';
    write_digits(&mut place[1..NAME_LEN], user);
}

pub(super) fn write_digits(place: &mut [u8], mut number: u32) {
    for digit in place.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

/// Mixes the bits of a number (the finaliser of splitmix64), so that neighbours land far apart, the same in every run.
pub(super) fn scatter(n: u64) -> u64 {
    let mut z = n.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_conversation_has_two_users_and_no_twin() {
        for people in [People::new(1), People::new(64), People::new(10_000)] {
            let pairs: HashSet<_> = (0..200_000).map(|n| people.pair_of(n)).collect();
            assert!(pairs.len() <= people.conversations as usize);
            for (from, to) in &pairs {
                assert_ne!(from, to);
                assert!(!pairs.contains(&(*to, *from)));
                assert!(*from < people.users && *to < people.users);
            }
        }
    }

    #[test]
    fn digits_are_overwritten_in_place() {
        let mut text = *b"xxxxxxxx|";
        write_name(&mut text[..8], 1_234);
        assert_eq!(&text, b"u0001234|");
    }
}
