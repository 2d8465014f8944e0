//! `couplet events parked`

use super::item::attempts;
use super::{endpoint_id, endpoints};
use crate::cli::Outcome;
use crate::cli::api::{Server, encoded};
use crate::cli::moment::written;
use crate::cli::output::{printable, say};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Only those of this endpoint; left out: of all
    #[arg(long, value_name = "ENDPOINT", value_parser = endpoint_id)]
    endpoint: Option<String>,
    /// Print JSON lines
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: Server,
}

#[derive(Deserialize)]
struct Page {
    parked: Vec<Box<RawValue>>,
    more: bool,
}

#[derive(Deserialize)]
struct Parked {
    id: String,
    event: String,
    recorded_ms: u64,
    parked_ms: u64,
    attempts: u32,
    last_failure: String,
}

pub(super) async fn run(arguments: Arguments) -> Outcome {
    let api = arguments.server.open()?;
    let names = match arguments.endpoint {
        Some(name) => vec![name],
        None => endpoints::all(&api).await?.into_iter().map(|endpoint| endpoint.endpoint).collect(),
    };
    let mut count = 0;
    for name in &names {
        let path = format!("endpoints/{}/parked", encoded(name));
        let mut after = String::new();
        loop {
            let mut query = vec![("limit", "500")];
            query.extend((!after.is_empty()).then_some(("after", after.as_str())));
            let answer = api.get(&path, &query).await?;
            let page: Page = api.understood(&answer)?;
            let mut last = None;
            for parked in &page.parked {
                let event: Parked = api.understood(parked)?;
                say(&if arguments.json { line(name, parked) } else { event.to_line(name) })?;
                count += 1;
                last = Some(event.id);
            }
            match last {
                Some(id) if page.more => after = id,
                _ => break,
            }
        }
    }
    if count == 0 && !arguments.json {
        say("Nothing is parked.")?;
    }
    Ok(())
}

/// With the endpoint before what the API says of the event.
fn line(endpoint: &str, parked: &RawValue) -> String {
    let members = parked.get().trim_start().trim_start_matches('{');
    format!("{{\"endpoint\":{},{members}", Value::from(endpoint))
}

impl Parked {
    fn to_line(&self, endpoint: &str) -> String {
        format!(
            "{endpoint}  {}  {}  recorded {}  parked {} after {}: {}",
            self.id,
            self.event,
            written(self.recorded_ms),
            written(self.parked_ms),
            attempts(self.attempts),
            printable(&self.last_failure),
        )
    }
}
