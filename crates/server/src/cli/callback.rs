//! `couplet callback test`: walks to an endpoint step by step, and says at which one it stops.
//!
//! It goes the way the server goes, with the server's own requests, but holds still wherever something can be told
//! apart: the name, the address, the connection, TLS, the answer, what the answer means. Nothing is stored, and the
//! server need not run.

mod certificate;
mod connection;
mod report;
mod sample;
mod walk;

use super::Outcome;
use super::output::unless_the_reader_left;
use super::which_app::WhichApp;
use crate::apps::Apps;
use crate::config::{self, ConfigError};
use crate::endpoint::{Endpoint, FIRST};
use chat::AppId;
use report::{Report, Step};
use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;
use toml::{Table, Value};

/// What a first start calls its app; said by the sample when nothing else is known.
const SDKAPPID: u32 = 1_400_000_001;

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Walk to an endpoint step by step, send it samples, and say what is wrong with its answers
    Test(Arguments),
}

#[derive(clap::Args)]
pub struct Arguments {
    /// Which of the app's endpoints
    #[arg(long, value_name = "ENDPOINT", default_value = FIRST, conflicts_with = "url")]
    endpoint: String,
    /// Walk to this URL, whatever the app has configured
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// With --url: the token that Sign is made with
    #[arg(long, value_name = "TOKEN", requires = "url")]
    token: Option<String>,
    /// With --url: the secret that webhook-signature is made with
    #[arg(long, value_name = "SECRET", requires = "url")]
    signing_secret: Option<String>,
    /// With --url: certificates its own may be issued by, in place of the public authorities (a PEM file)
    #[arg(long, value_name = "FILE", requires = "url")]
    ca: Option<PathBuf>,
    /// Print a JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    app: WhichApp,
}

// Without the secrets.
impl std::fmt::Debug for Arguments {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Arguments").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

/// Where to walk to, or why its settings cannot be used.
struct Target {
    sdkappid: u32,
    endpoint: Result<Arc<Endpoint>, String>,
}

pub(super) async fn run(arguments: Arguments) -> Outcome {
    unless_the_reader_left(test(arguments).await)
}

async fn test(arguments: Arguments) -> Outcome {
    let target = match &arguments.url {
        Some(url) => given(&arguments, url)?,
        None => configured(&arguments)?,
    };
    let name = match (&arguments.url, &target.endpoint) {
        (Some(_), _) => None,
        (None, Ok(endpoint)) => Some(endpoint.id.0.to_string()),
        (None, Err(_)) => Some(arguments.endpoint.clone()),
    };
    let mut report = Report::new(name, target.sdkappid, arguments.json);
    match &target.endpoint {
        Ok(endpoint) => walk::walk(endpoint, &mut report).await?,
        Err(words) => {
            let place = if arguments.url.is_some() { "command line" } else { "configuration" };
            report.add(Step::failed("settings", words, format!("correct the {place}")))?;
        }
    }
    report.finish()
}

/// The endpoint that the command line describes, with the server's settings of calls where there are any.
fn given(arguments: &Arguments, url: &str) -> Result<Target, Box<dyn Error + Send + Sync>> {
    let settings = arguments.app.settings()?;
    let declared = arguments.app.declared(&settings).ok().map(|app| app.sdkappid);
    let sdkappid = arguments.app.sdkappid.or(declared).unwrap_or(SDKAPPID);
    let mut own = Table::from_iter([("url".to_owned(), Value::from(url))]);
    let ca = arguments.ca.as_ref().map(|path| path.to_string_lossy().into_owned());
    let words = [
        ("token", arguments.token.clone()),
        ("signing_secret", arguments.signing_secret.clone()),
        ("ca", ca),
    ];
    for (key, value) in words {
        own.extend(value.map(|value| (key.to_owned(), Value::from(value))));
    }
    let (calls, endpoint) = config::Callback::of(&settings.callback, &own, "--url")?;
    let endpoint = endpoint.expect("its table has a URL");
    Ok(Target { sdkappid, endpoint: Endpoint::new(AppId(sdkappid), endpoint, calls).map(Arc::new) })
}

/// One of the endpoints that a server with these settings would serve.
fn configured(arguments: &Arguments) -> Result<Target, Box<dyn Error + Send + Sync>> {
    let settings = arguments.app.settings()?;
    let declared = arguments.app.declared(&settings)?;
    let sdkappid = declared.sdkappid;
    let apps = match Apps::declared(&settings, &[declared]) {
        Ok(apps) => apps,
        Err(ConfigError::Unusable(words)) => return Ok(Target { sdkappid, endpoint: Err(words) }),
        Err(error) => return Err(error.into()),
    };
    let app = apps.get(&sdkappid).expect("it was declared just now");
    let name = &arguments.endpoint;
    let endpoint = app.endpoint(name).or_else(|| app.endpoint(&format!("ep_{name}"))).cloned();
    let endpoint = endpoint.ok_or_else(|| match app.endpoints.is_empty() {
        true => format!("app {sdkappid} has no endpoint: set url under [app.callback], or say --url"),
        false => format!("app {sdkappid} has no endpoint {name}"),
    });
    Ok(Target { sdkappid, endpoint: Ok(endpoint?) })
}
