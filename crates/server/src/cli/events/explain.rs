//! `couplet events explain`

use crate::cli::Outcome;
use crate::cli::api::Server;
use crate::cli::output::{printable, say};
use serde::Deserialize;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The MsgKey that the send was answered with, or that a callback told
    msg_key: String,
    /// Who sent it. With --to, history is asked too, where messages are that made no event
    #[arg(long, value_name = "USER", requires = "to")]
    from: Option<String>,
    /// To whom
    #[arg(long, value_name = "USER", requires = "from")]
    to: Option<String>,
    /// Print what the API answers, in one line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: Server,
}

#[derive(Deserialize)]
struct Explained {
    lines: Vec<String>,
}

pub(super) async fn run(arguments: Arguments) -> Outcome {
    let api = arguments.server.open()?;
    let mut query = vec![("key", arguments.msg_key.as_str())];
    query.extend(arguments.from.as_deref().map(|from| ("from", from)));
    query.extend(arguments.to.as_deref().map(|to| ("to", to)));
    let answer = api.get("explain", &query).await?;
    if arguments.json {
        return Ok(say(answer.get())?);
    }
    for line in api.understood::<Explained>(&answer)?.lines {
        say(&printable(&line))?;
    }
    Ok(())
}
