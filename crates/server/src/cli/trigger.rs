//! `couplet trigger`

use super::Outcome;
use super::api::Server;
use super::output::{printable, say, unless_the_reader_left};
use serde::Deserialize;
use serde_json::{Map, Value};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// What to make happen, such as C2C.CallbackAfterSendMsg or C2C.CallbackBeforeSendMsg
    event: String,
    /// Who causes it; needs no account
    #[arg(long, value_name = "USER")]
    from: Option<String>,
    /// Whom it concerns; needs no account
    #[arg(long, value_name = "USER")]
    to: Option<String>,
    /// What is said
    #[arg(long)]
    text: Option<String>,
    /// Print what the API answers, in one line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: Server,
}

/// An event that was recorded, or the answer to a question.
#[derive(Deserialize)]
#[serde(untagged)]
enum Triggered {
    Recorded { id: String },
    Answered { outcome: String, words: String, latency_ms: u64 },
}

pub(super) async fn run(arguments: Arguments) -> Outcome {
    unless_the_reader_left(trigger(arguments).await)
}

async fn trigger(arguments: Arguments) -> Outcome {
    let api = arguments.server.open()?;
    let mut body = Map::from_iter([("event".to_owned(), Value::from(arguments.event))]);
    for (member, value) in [("from", arguments.from), ("to", arguments.to), ("text", arguments.text)] {
        body.extend(value.map(|value| (member.to_owned(), Value::from(value))));
    }
    let answer = api.post("trigger", &Value::Object(body)).await?;
    if arguments.json {
        return Ok(say(answer.get())?);
    }
    match api.understood(&answer)? {
        Triggered::Recorded { id } => {
            say(&format!("Recorded as {id}."))?;
            say(&format!("What became of it: couplet events show {id}"))?;
        }
        Triggered::Answered { outcome, words, latency_ms } => {
            let words = if words.is_empty() { words } else { format!(": {}", printable(&words)) };
            say(&format!("Asked: {outcome} in {latency_ms} ms{words}"))?;
        }
    }
    Ok(())
}
