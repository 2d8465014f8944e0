//! `couplet events`: an app's event log, looked at and told again through the API of the running server.

mod endpoints;
mod explain;
mod item;
mod list;
mod parked;
mod replay;
mod show;
mod tail;

use super::Outcome;
use super::output::unless_the_reader_left;

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Follow the log: one line an event, as they are recorded
    Tail(tail::Arguments),
    /// List events from a time or a position on
    List(list::Arguments),
    /// Show one event: its body, and how every endpoint was told of it
    Show(show::Arguments),
    /// List the endpoints, and how far they were told
    Endpoints(endpoints::Arguments),
    /// List the events that were given up on
    Parked(parked::Arguments),
    /// Tell events again
    Replay(replay::Arguments),
    /// Say what became of a message, by its MsgKey
    Explain(explain::Arguments),
}

pub(super) async fn run(command: Command) -> Outcome {
    let outcome = match command {
        Command::Tail(arguments) => tail::run(arguments).await,
        Command::List(arguments) => list::run(arguments).await,
        Command::Show(arguments) => show::run(arguments).await,
        Command::Endpoints(arguments) => endpoints::run(arguments).await,
        Command::Parked(arguments) => parked::run(arguments).await,
        Command::Replay(arguments) => replay::run(arguments).await,
        Command::Explain(arguments) => explain::run(arguments).await,
    };
    unless_the_reader_left(outcome)
}

/// An endpoint as people name it: `audit` is `ep_audit`.
fn endpoint_id(name: &str) -> Result<String, std::convert::Infallible> {
    Ok(if name.starts_with("ep_") { name.to_owned() } else { format!("ep_{name}") })
}
