//! A PostgreSQL database that several nodes share.
//!
//! A group of changes is one transaction: [`Transactions`] begins it with the locks of its apps, and ends it with all
//! that changed in one flight. Reads are transactions of their own, each on a connection of the [`Database`]'s pool.
//! What both see is a [`View`].
//!
//! Nothing here outlives a transaction in the session: no prepared statements, no settings, no locks. So there may be
//! a pooler in between that hands out connections by the transaction.

mod database;
mod load;
mod schema;
mod statement;
mod tls;
mod transaction;
mod view;

pub(crate) use database::{Database, Settings};
pub(crate) use load::Load;
pub(crate) use schema::Purpose;
pub(crate) use statement::Batch;
pub(crate) use transaction::{Generation, Transactions, Wanted};
pub(crate) use view::{Bond, Pages, View};
