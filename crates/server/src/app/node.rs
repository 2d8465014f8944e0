//! Which of the nodes this one is, and what it tells.

use crate::callback::{Crew, Leases};
use crate::config::{Config, StoreKind};
use chat::lease::NodeId;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

pub(super) fn leases(config: &Config, crew: &Arc<Crew>) -> Leases {
    let (node, term_ms) = match config.store {
        // Nobody else can open the directory.
        StoreKind::Embedded => (NodeId::SOLE, None),
        // By chance, since a node that starts again may not take itself for the one that died.
        StoreKind::Postgres => {
            let number = RandomState::new().hash_one(()).max(NodeId::SOLE.0 + 1);
            (NodeId(number), Some(config.events.lease_secs * 1_000))
        }
    };
    Leases::new(Arc::clone(crew), node, term_ms)
}
