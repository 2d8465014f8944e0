//! The store that is compared with the model: opened anew now and then, or one of several nodes in turn.

use crate::setting;
use crate::world::database::Schema;
use chat::port::Store;
use store::{Embedded, EmbeddedOptions, Postgres, PostgresOptions};
use tempfile::TempDir;

/// What is to be compared.
#[derive(Debug, Clone)]
pub(crate) enum Kind {
    Embedded(EmbeddedOptions),
    /// So many nodes on one schema, each of which goes on where another has stopped.
    Postgres(usize, PostgresOptions),
}

pub(crate) enum Subject {
    Embedded { store: Option<Embedded>, options: EmbeddedOptions, directory: TempDir },
    Postgres { nodes: Vec<Postgres>, turn: usize, options: PostgresOptions, _schema: Schema },
}

impl Subject {
    pub(crate) async fn new(kind: &Kind) -> Self {
        match kind {
            Kind::Embedded(options) => {
                let directory = match setting("COUPLET_TEST_DIRECTORY") {
                    Some(directory) => tempfile::tempdir_in(directory).unwrap(),
                    None => tempfile::tempdir().unwrap(),
                };
                let store = Some(Embedded::open(directory.path(), *options).unwrap());
                Self::Embedded { store, options: *options, directory }
            }
            Kind::Postgres(count, wanted) => {
                let schema = Schema::new().await;
                let PostgresOptions { url, schema: name, pool_size, lanes_per_app, .. } = schema.options();
                let options =
                    PostgresOptions { url, schema: name, pool_size, lanes_per_app, ..wanted.clone() };
                let mut nodes = Vec::new();
                for _ in 0..*count {
                    nodes.push(Postgres::open(options.clone()).await.unwrap());
                }
                Self::Postgres { nodes, turn: 0, options, _schema: schema }
            }
        }
    }

    pub(crate) fn store(&self) -> &dyn Store {
        match self {
            Self::Embedded { store, .. } => store.as_ref().unwrap(),
            Self::Postgres { nodes, turn, .. } => &nodes[*turn],
        }
    }

    pub(crate) fn embedded(&self) -> Option<&Embedded> {
        match self {
            Self::Embedded { store, .. } => store.as_ref(),
            Self::Postgres { .. } => None,
        }
    }

    pub(crate) async fn reopen(&mut self, flushed: bool) {
        match self {
            Self::Embedded { store, options, directory } => {
                if flushed {
                    store.as_ref().unwrap().close().unwrap();
                }
                // Two cannot hold the directory.
                drop(store.take());
                *store = Some(Embedded::open(directory.path(), *options).unwrap());
            }
            // A node that comes back still knows what it has known.
            Self::Postgres { nodes, turn, .. } if nodes.len() > 1 => *turn = (*turn + 1) % nodes.len(),
            Self::Postgres { nodes, options, .. } => {
                nodes[0].close().unwrap();
                nodes[0] = Postgres::open(options.clone()).await.unwrap();
            }
        }
    }
}
