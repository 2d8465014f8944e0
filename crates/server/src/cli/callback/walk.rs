//! The steps, in their order.

mod answer;
mod tls;

use super::connection::{Place, Way};
use super::report::{Report, Step};
use crate::address::{self, Names, SystemNames};
use crate::clock::{Steady, SystemClock};
use crate::config::PrivateAddresses;
use crate::endpoint::Endpoint;
use chat::port::Clock;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// Why the walk ends before its end.
enum Stop {
    Failed(Step),
    /// Nobody reads along any more.
    Output(io::Error),
}

impl From<Step> for Stop {
    fn from(step: Step) -> Self {
        Self::Failed(step)
    }
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

/// Goes as far as it can. The step that failed is the last one of the report.
pub(super) async fn walk(endpoint: &Endpoint, report: &mut Report) -> io::Result<()> {
    match steps(endpoint, report).await {
        Ok(()) => Ok(()),
        Err(Stop::Failed(step)) => report.add(step),
        Err(Stop::Output(error)) => Err(error),
    }
}

async fn steps(endpoint: &Endpoint, report: &mut Report) -> Result<(), Stop> {
    let place = Place::of(&endpoint.url).expect("the URL was checked when the endpoint was made");
    report.goes_to(&place.shown)?;
    report.add(url(&place))?;
    let found = look_up(&place, endpoint, report).await?;
    let may_be_called = check_addresses(&place, endpoint, &found, report)?;
    let way = connect(&place, endpoint, &may_be_called, report).await?;
    if place.tls {
        tls::check(&way, report).await?;
    }
    answer::check(&way, report).await
}

fn url(place: &Place) -> Step {
    let words =
        format!("{}, host {}, port {}", if place.tls { "https" } else { "http" }, place.host, place.port);
    let is_near = place.host == "localhost" || place.ip().is_some_and(|ip| ip.is_loopback());
    if place.tls || is_near {
        return Step::ok("url", words);
    }
    let fix = "use https://, unless the whole way to the receiver is your own";
    Step::warning("url", format!("{words}; whoever is on the way can read along"), fix)
}

async fn look_up(place: &Place, endpoint: &Endpoint, report: &mut Report) -> Result<Vec<IpAddr>, Stop> {
    if let Some(ip) = place.ip() {
        report.add(Step::ok("name", format!("{ip} is an address already")))?;
        return Ok(vec![ip]);
    }
    let host = &place.host;
    let began = began();
    let limit = Duration::from_millis(endpoint.settings.timeout_ms);
    let permit = Arc::new(Semaphore::new(1)).acquire_owned().await.expect("nobody closes this semaphore");
    let fix = "look at the spelling, and whether this machine's DNS knows the name";
    match timeout(limit, SystemNames.look_up(host, permit)).await {
        Ok(Ok(found)) if !found.is_empty() => {
            let addresses = listed(&found);
            report.add(Step::ok("name", format!("{host} is {addresses}, found in {} ms", began.now_ms())))?;
            Ok(found)
        }
        Ok(Ok(_)) => Err(Step::failed("name", format!("{host} has no address"), fix).into()),
        Ok(Err(error)) => Err(Step::failed("name", format!("{host} has no address: {error}"), fix).into()),
        Err(_) => {
            let words = format!("{host} was not found in {} ms", limit.as_millis());
            Err(Step::failed("name", words, fix).into())
        }
    }
}

fn check_addresses(
    place: &Place,
    endpoint: &Endpoint,
    found: &[IpAddr],
    report: &mut Report,
) -> Result<Vec<IpAddr>, Stop> {
    let private = endpoint.settings.private_addresses;
    let (allowed, refused): (Vec<IpAddr>, Vec<IpAddr>) =
        found.iter().partition(|ip| address::may_call(**ip, private));
    let fix = match private {
        PrivateAddresses::Refuse => {
            "give the name a public address, or allow private ones: private_addresses = \"allow\""
        }
        PrivateAddresses::Allow => {
            "give the name another address: link-local and metadata addresses are never called"
        }
    };
    if allowed.is_empty() {
        let words = format!("{} has only addresses that are not called: {}", place.host, listed(&refused));
        return Err(Step::failed("addresses", words, fix).into());
    }
    report.add(if refused.is_empty() {
        Step::ok("addresses", "may be called")
    } else {
        Step::warning("addresses", format!("{} may not be called", listed(&refused)), fix)
    })?;
    Ok(allowed)
}

/// Tries one address after the other, and keeps the first that takes a connection.
async fn connect<'a>(
    place: &'a Place,
    endpoint: &'a Endpoint,
    addresses: &[IpAddr],
    report: &mut Report,
) -> Result<Way<'a>, Stop> {
    let limit_ms = endpoint.settings.connect_timeout_ms;
    let mut refusals = Vec::new();
    let mut refused_at_once = false;
    for ip in addresses {
        let way = Way { endpoint, place, address: SocketAddr::new(*ip, place.port) };
        let began = began();
        let why = match timeout(Duration::from_millis(limit_ms), way.connect()).await {
            Ok(Ok(_)) => {
                let words = format!("{} took the connection in {} ms", way.address, began.now_ms());
                report.add(Step::ok("connect", words))?;
                return Ok(way);
            }
            Ok(Err(error)) => {
                refused_at_once |= error.kind() == io::ErrorKind::ConnectionRefused;
                error.to_string()
            }
            Err(_) => format!("no answer within {limit_ms} ms"),
        };
        refusals.push(format!("{}: {why}", way.address));
    }
    let fix = match refused_at_once {
        true => "nothing listens there: start the receiver, or correct the port",
        false => "look at the address, and at the firewalls between here and there",
    };
    Err(Step::failed("connect", refusals.join("; "), fix).into())
}

fn listed(addresses: &[IpAddr]) -> String {
    addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// Tells how long something takes.
fn began() -> Steady {
    Steady::beginning_at(0)
}

fn now_ms() -> u64 {
    SystemClock.now_ms()
}
