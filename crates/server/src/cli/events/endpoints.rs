//! `couplet events endpoints`

use crate::cli::Outcome;
use crate::cli::api::{Api, ApiError, Server};
use crate::cli::moment::lasting;
use crate::cli::output::{printable, say, table};
use serde::Deserialize;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Print what the API answers, in one line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: Server,
}

/// How far an endpoint is.
#[derive(Debug, Deserialize)]
pub(super) struct Endpoint {
    pub(super) endpoint: String,
    pub(super) url: String,
    asked: bool,
    backlog: u64,
    in_flight: u64,
    pub(super) parked: u64,
    oldest_age_ms: Option<u64>,
    breaker: String,
}

#[derive(Deserialize)]
struct Endpoints {
    endpoints: Vec<Endpoint>,
}

pub(super) async fn all(api: &Api) -> Result<Vec<Endpoint>, ApiError> {
    let answer = api.get("endpoints", &[]).await?;
    Ok(api.understood::<Endpoints>(&answer)?.endpoints)
}

pub(super) async fn run(arguments: Arguments) -> Outcome {
    let api = arguments.server.open()?;
    if arguments.json {
        return Ok(say(api.get("endpoints", &[]).await?.get())?);
    }
    let endpoints = all(&api).await?;
    if endpoints.is_empty() {
        return Ok(say("No endpoint is configured.")?);
    }
    let row = |endpoint: &Endpoint| {
        let state = match (endpoint.breaker.as_str(), endpoint.asked) {
            ("open", _) => "failing",
            (_, true) => "asked and told",
            (_, false) => "told",
        };
        [
            endpoint.endpoint.clone(),
            state.to_owned(),
            endpoint.backlog.to_string(),
            endpoint.oldest_age_ms.map_or("-".to_owned(), lasting),
            endpoint.in_flight.to_string(),
            endpoint.parked.to_string(),
            printable(&endpoint.url),
        ]
    };
    let rows: Vec<_> = endpoints.iter().map(row).collect();
    let heading = ["ENDPOINT", "STATE", "BACKLOG", "OLDEST", "IN FLIGHT", "PARKED", "URL"];
    for line in table(heading, &rows) {
        say(&line)?;
    }
    Ok(())
}
