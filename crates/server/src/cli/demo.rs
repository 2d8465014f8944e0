//! `couplet demo`

use super::Outcome;
use super::signals::Signals;
use crate::app::{self, Surroundings};
use crate::clock::SystemClock;
use crate::config::{self, Config, Flags};
use crate::demo::{self, Cast};
use crate::receiver::{self, Expected};
use crate::telemetry;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Address and port to serve on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Do not open the page in a browser
    #[arg(long)]
    no_open: bool,
    /// Print one JSON line when ready, for scripts
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(arguments: Arguments) -> Outcome {
    let directory = tempfile::Builder::new().prefix("couplet-demo-").tempdir()?;
    let receiver = TcpListener::bind("127.0.0.1:0").await?;
    let cast = Cast::new(receiver.local_addr()?)?;

    let flags = Flags {
        listen: Some(arguments.listen),
        data_dir: Some(directory.path().to_owned()),
        ..Flags::default()
    };
    let mut config = Config::load(&flags)?;
    config.apps = vec![cast.app()];
    config.log.filter = "warn".to_owned();
    config.log.format = config::LogFormat::Text;
    telemetry::start_logging(&config.log)?;

    let stop = CancellationToken::new();
    let feed = Arc::new(demo::Feed::default());
    let expected =
        Expected { sdkappid: Some(cast.sdkappid), token: cast.token.clone(), ..Expected::default() };
    let callbacks =
        receiver::routes(expected, Arc::new(SystemClock), Arc::clone(&feed) as Arc<dyn receiver::Taker>);
    let until = stop.clone();
    let receiving = tokio::task::JoinSet::from_iter([async move {
        axum::serve(receiver, callbacks).with_graceful_shutdown(until.cancelled_owned()).await
    }]);

    let signals = Signals::listen()?;
    let routes = demo::routes(&cast, Arc::clone(&feed), stop.clone());
    let running = app::start(config, Surroundings { routes, ..Surroundings::default() }).await?;
    running.import_accounts(cast.sdkappid, &demo::PEOPLE).await?;
    let url = format!("{}/demo", running.url());
    if arguments.json {
        println!("{}", serde_json::json!({ "ready": { "url": url, "listen": running.address } }));
    } else {
        println!("Ana and Bo are chatting at {url} (Ctrl-C ends, and leaves nothing behind)");
    }
    if !arguments.no_open && !arguments.json {
        open(&url);
    }
    signals.stop_wanted().await;
    // The page's feed is a connection that never ends by itself.
    stop.cancel();
    // The directory is thrown away: whether it was left in order does not matter.
    running.stop().await;
    for ended in receiving.join_all().await {
        ended?;
    }
    Ok(())
}

/// Opens the page, where there is a browser to open it with.
fn open(url: &str) {
    let opener = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let quiet = std::process::Stdio::null;
    // Without an opener the printed address has to do.
    let _opened = std::process::Command::new(opener).arg(url).stdout(quiet()).stderr(quiet()).spawn();
}
