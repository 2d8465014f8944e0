//! Whether the events of each conversation were accepted in the order in which they were recorded.

use std::collections::HashMap;

use super::ledger::{Receipt, Sent};

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Order {
    /// Events accepted for the first time before an earlier one of their conversation.
    pub violations: usize,
    /// Events recorded while the one before them had failed and was still to come: what could have gone wrong.
    pub tempted: usize,
}

#[derive(Clone, Copy)]
struct Told {
    place: u32,
    /// When it was accepted first; never is later than everything.
    accepted_ns: u64,
    has_failed: bool,
    answered_ns: u64,
}

/// Sends are counted from the first random number of their run. Only events whose place was noted are looked at.
pub(super) fn order(
    first_random: u32,
    sent: &[Sent],
    receipts: &[Receipt],
    conversation_of: impl Fn(u32) -> u32,
) -> Order {
    let mut told: HashMap<u32, Told> = HashMap::new();
    for receipt in receipts.iter().filter(|receipt| receipt.place > 0) {
        let Some(n) = receipt.random.checked_sub(first_random) else { continue };
        let answered_ns = sent.get(n as usize).map_or(0, |sent| sent.answered_ns);
        let new = Told { place: receipt.place, accepted_ns: u64::MAX, has_failed: false, answered_ns };
        let told = told.entry(n).or_insert(new);
        if receipt.accepted {
            told.accepted_ns = told.accepted_ns.min(receipt.received_ns);
        } else {
            told.has_failed = true;
        }
    }
    let mut conversations: HashMap<u32, Vec<Told>> = HashMap::new();
    for (n, told) in told {
        conversations.entry(conversation_of(n)).or_default().push(told);
    }
    let mut order = Order::default();
    for events in conversations.values_mut() {
        events.sort_unstable_by_key(|told| told.place);
        for pair in events.windows(2) {
            let [earlier, later] = pair else { continue };
            order.violations += usize::from(later.accepted_ns < earlier.accepted_ns);
            order.tempted += usize::from(earlier.has_failed && later.answered_ns < earlier.accepted_ns);
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receipt(random: u32, place: u32, accepted: bool, received_ns: u64) -> Receipt {
        Receipt { random, place, accepted, received_ns }
    }

    #[test]
    fn the_first_acceptances_of_a_conversation_follow_the_log() {
        let sent = [20, 30, 25].map(|answered_ns| Sent { start_ns: 1, answered_ns, pushed_ns: 0 });
        // Messages 0 and 2 are of one conversation, recorded in this order; 1 is of another.
        let conversation_of = |n| n % 2;
        let cases: [(&[Receipt], usize, usize); 6] = [
            (&[receipt(10, 5, true, 40), receipt(11, 6, true, 35), receipt(12, 7, true, 50)], 0, 0),
            (&[receipt(10, 5, true, 40), receipt(12, 4, true, 50)], 1, 0),
            (&[receipt(10, 5, false, 21), receipt(10, 5, true, 40), receipt(12, 7, true, 50)], 0, 1),
            (&[receipt(10, 5, false, 21), receipt(12, 7, true, 30), receipt(10, 5, true, 40)], 1, 1),
            (&[receipt(10, 5, true, 21), receipt(12, 7, true, 30), receipt(10, 5, true, 40)], 0, 0),
            (&[receipt(10, 5, false, 21), receipt(12, 7, true, 30)], 1, 1),
        ];
        for (receipts, violations, tempted) in cases {
            assert_eq!(
                order(10, &sent, receipts, conversation_of),
                Order { violations, tempted },
                "{receipts:?}"
            );
        }
    }
}
