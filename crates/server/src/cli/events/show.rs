//! `couplet events show`

use super::item::{Delivery, Item};
use crate::cli::Outcome;
use crate::cli::api::{Server, encoded};
use crate::cli::moment::written;
use crate::cli::output::{pretty, say};
use serde::Deserialize;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The event's id (evt_…)
    id: String,
    /// Print what the API answers, in one line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: Server,
}

#[derive(Deserialize)]
struct Told {
    endpoints: Vec<Delivery>,
}

pub(super) async fn run(arguments: Arguments) -> Outcome {
    let api = arguments.server.open()?;
    let answer = api.get(&format!("events/{}", encoded(&arguments.id)), &[]).await?;
    if arguments.json {
        return Ok(say(answer.get())?);
    }
    let item: Item = api.understood(&answer)?;
    let told: Told = api.understood(&answer)?;
    say(&format!("{}  {}", item.id, item.event))?;
    say(&format!("recorded {}  by {} from {}", written(item.recorded_ms), item.platform, item.client_ip))?;
    say("")?;
    if told.endpoints.is_empty() {
        say("No endpoint is configured.")?;
    }
    for line in told.endpoints.iter().flat_map(Delivery::to_lines) {
        say(&line)?;
    }
    say("")?;
    Ok(say(&pretty(item.body.get()))?)
}
