//! `couplet serve`

use super::{Outcome, signals};
use crate::app::{self, Running};
use crate::clock::SystemClock;
use crate::config::{Config, Flags};
use crate::telemetry;
use axum::Router;
use chat::port::Clock;
use protocol::usersig::{self, Lifetime, Secret};

const DAY_SECS: u64 = 24 * 60 * 60;

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
    let running = app::start(config, Router::new()).await?;
    if arguments.json {
        let ready = serde_json::json!({ "listen": running.address, "url": running.url(), "data_dir": running.data_dir });
        println!("{}", serde_json::json!({ "ready": ready }));
    } else {
        greet(&running);
    }
    signals::stop_wanted().await?;
    eprintln!("stopping");
    running.stop().await;
    Ok(())
}

/// Says where the server is and what to try.
fn greet(running: &Running) {
    let url = running.url();
    println!("Couplet is ready at {url}");
    println!("  data        {}", running.data_dir.display());
    let Some(app) = running.apps.first() else { return };
    println!("  app         {}", app.sdkappid);
    if let Some(path) = &running.apps_file {
        println!("  its key     in {}", path.display());
    }
    let Some(admin) = app.admins.first() else { return };
    let lifetime = Lifetime { time_s: SystemClock.now_ms() / 1000, expire_s: DAY_SECS };
    let usersig = usersig::generate(&Secret { sdkappid: app.sdkappid, key: &app.key }, admin, lifetime, None);
    let query =
        format!("sdkappid={}&identifier={admin}&usersig={usersig}&random=1&contenttype=json", app.sdkappid);
    println!("\nTry it (the UserSig is good for a day):\n");
    println!("  Q='{query}'");
    println!("  curl \"{url}/v4/im_open_login_svc/multiaccount_import?$Q\" \\");
    println!("    -d '{{\"AccountList\":[{{\"UserID\":\"ana\"}},{{\"UserID\":\"bo\"}}]}}'");
    println!("  curl \"{url}/v4/openim/sendmsg?$Q\" \\");
    println!(
        "    -d '{{\"From_Account\":\"ana\",\"To_Account\":\"bo\",\"MsgRandom\":1,\"MsgBody\":[{{\"MsgType\":\"TIMTextElem\",\"MsgContent\":{{\"Text\":\"lunch?\"}}}}]}}'"
    );
}
