//! What this program is when the benchmark starts it again.

use clap::ValueEnum;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Role {
    Generator,
    Receiver,
    Ceiling,
}

impl Role {
    pub(super) fn name(self) -> &'static str {
        match self {
            Role::Generator => "generator",
            Role::Receiver => "receiver",
            Role::Ceiling => "ceiling",
        }
    }
}
