//! `couplet serve`

use super::Outcome;
use super::signals::{Signals, Wanted};
use crate::app::{self, Running, Surroundings};
use crate::config::{Config, Flags};
use crate::telemetry;

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
    if arguments.json {
        let ready = serde_json::json!({ "listen": running.address, "url": running.url(), "data_dir": running.data_dir });
        println!("{}", serde_json::json!({ "ready": ready }));
    } else {
        greet(&running, &arguments.flags);
    }
    let mut wanted = signals.next().await;
    while wanted == Wanted::Reload {
        wanted = tokio::select! {
            // A stop does not wait for calls that a reload lets end.
            next = signals.next() => next,
            reloaded = running.reload() => {
                if let Err(error) = reloaded {
                    tracing::error!(%error, "the apps cannot be read anew, and nothing was changed");
                }
                signals.next().await
            }
        };
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

/// Says where the server is and what to try. No credential is printed: what stands here ends up in logs.
fn greet(running: &Running, flags: &Flags) {
    let url = running.url();
    println!("Couplet is ready at {url}");
    println!("  data        {}", running.data_dir.display());
    let Some(app) = running.apps.first() else { return };
    println!("  app         {}", app.sdkappid);
    if let Some(path) = &running.apps_file {
        println!("  its key     in {}", path.display());
    }
    let Some(admin) = app.admins.first() else { return };
    let settings = match (&flags.config, &flags.data_dir) {
        (Some(config), _) => format!(" --config {}", config.display()),
        (None, Some(data_dir)) => format!(" --data-dir {}", data_dir.display()),
        (None, None) => String::new(),
    };
    let sdkappid = app.sdkappid;
    println!("\nTry it in another terminal:\n");
    println!("  SIG=$(couplet usersig {admin} --sdkappid {sdkappid}{settings})");
    println!("  Q=\"sdkappid={sdkappid}&identifier={admin}&usersig=$SIG&random=1&contenttype=json\"");
    println!("  curl \"{url}/v4/im_open_login_svc/multiaccount_import?$Q\" \\");
    println!("    -d '{{\"AccountList\":[{{\"UserID\":\"ana\"}},{{\"UserID\":\"bo\"}}]}}'");
    println!("  curl \"{url}/v4/openim/sendmsg?$Q\" \\");
    println!("    -d '{EXAMPLE_MESSAGE}'");
    match (&app.callback, &running.apps_file) {
        (None, Some(path)) => println!(
            "\nTo see the callbacks: couplet listen; put its URL into {} under [app.callback], and send this process SIGHUP.",
            path.display()
        ),
        (None, None) => println!("\nTo see the callbacks: couplet listen; set its URL under [app.callback]."),
        (Some(_), _) => {}
    }
}

const EXAMPLE_MESSAGE: &str = r#"{"From_Account":"ana","To_Account":"bo","MsgRandom":1,"MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"lunch?"}}]}"#;
