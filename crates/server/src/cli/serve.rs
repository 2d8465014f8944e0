//! `couplet serve`

use super::Outcome;
use super::output::say;
use super::signals::{Signals, Wanted};
use crate::app::{self, Running, Surroundings};
use crate::config::{Config, Flags};
use crate::telemetry;
use std::pin::pin;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    flags: Flags,
    /// Print one JSON line when ready, for scripts
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(arguments: Arguments) -> Outcome {
    let config = Config::load(&arguments.flags)?;
    telemetry::start_logging(&config.log)?;
    let mut signals = Signals::listen()?;
    let running = app::start(config, Surroundings::default()).await?;
    let said = if arguments.json {
        let ready = serde_json::json!({ "listen": running.address, "url": running.url(), "data_dir": running.data_dir });
        serde_json::json!({ "ready": ready }).to_string()
    } else {
        greeting(&running, &arguments.flags)
    };
    if let Err(error) = say(&said) {
        tracing::warn!(%error, "nobody could be told that the server is ready");
    }
    let mut wanted = signals.next().await;
    while wanted == Wanted::Reload {
        wanted = reload(&running, &mut signals).await;
    }
    eprintln!("stopping");
    match running.stop().await {
        true => Ok(()),
        false => {
            Err("not everything ended in order; nothing acknowledged is lost, and the log says what it was"
                .into())
        }
    }
}

/// Reads the apps anew, and says what is wanted next. A stop does not wait for calls that a reload lets end; another
/// reload does, since one that is cut off in the middle leaves endpoints whom nobody tells anything.
async fn reload(running: &Running, signals: &mut Signals) -> Wanted {
    let mut reloading = pin!(running.reload());
    let mut again = false;
    let reloaded = loop {
        tokio::select! {
            next = signals.next() => match next {
                Wanted::Stop => return Wanted::Stop,
                Wanted::Reload => again = true,
            },
            reloaded = &mut reloading => break reloaded,
        }
    };
    if let Err(error) = reloaded {
        tracing::error!(%error, "the apps cannot be read anew, and nothing was changed");
    }
    if again { Wanted::Reload } else { signals.next().await }
}

/// Where the server is, and what to try. No credential is in it: what stands here ends up in logs.
fn greeting(running: &Running, flags: &Flags) -> String {
    let url = running.url();
    let mut lines =
        vec![format!("Couplet is ready at {url}"), format!("  data        {}", running.data_dir.display())];
    let Some((app, admin)) = running.apps.first().and_then(|app| Some((app, app.admins.first()?))) else {
        return lines.join("\n");
    };
    let sdkappid = app.sdkappid;
    lines.push(format!("  app         {sdkappid}"));
    if let Some(path) = &running.apps_file {
        lines.push(format!("  its key     in {}", path.display()));
    }
    let settings = match (&flags.config, &flags.data_dir) {
        (Some(config), _) => format!(" --config {}", config.display()),
        (None, Some(data_dir)) => format!(" --data-dir {}", data_dir.display()),
        (None, None) => String::new(),
    };
    lines.extend([
        "\nTry it in another terminal:\n".to_owned(),
        format!("  SIG=$(couplet usersig {admin} --sdkappid {sdkappid}{settings})"),
        format!("  Q=\"sdkappid={sdkappid}&identifier={admin}&usersig=$SIG&random=1&contenttype=json\""),
        format!("  curl \"{url}/v4/im_open_login_svc/multiaccount_import?$Q\" \\"),
        "    -d '{\"AccountList\":[{\"UserID\":\"ana\"},{\"UserID\":\"bo\"}]}'".to_owned(),
        format!("  curl \"{url}/v4/openim/sendmsg?$Q\" \\"),
        format!("    -d '{EXAMPLE_MESSAGE}'"),
    ]);
    match (&app.callback, &running.apps_file) {
        (None, Some(path)) => lines.push(format!(
            "\nTo see the callbacks: couplet listen; put its URL into {} under [app.callback], and send this process SIGHUP.",
            path.display()
        )),
        (None, None) => {
            lines.push("\nTo see the callbacks: couplet listen; set its URL under [app.callback].".to_owned());
        }
        (Some(_), _) => {}
    }
    lines.join("\n")
}

const EXAMPLE_MESSAGE: &str = r#"{"From_Account":"ana","To_Account":"bo","MsgRandom":1,"MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"lunch?"}}]}"#;
