//! What a person can do with the cluster, ready to be copied into a terminal.

use super::Cluster;
use super::app::{PEOPLE, SDKAPPID, path, usersig};
use super::running::{Running, line};
use anyhow::Result;
use std::fmt::{Error, Write};
use std::net::SocketAddr;
use std::process::Command;

pub(super) fn text(cluster: &Cluster) -> Result<String> {
    let mut text = String::new();
    what_runs(&mut text, cluster)?;
    what_to_try(&mut text, cluster)?;
    what_to_break(&mut text, cluster)?;
    text += "\nCtrl-C ends all of it and removes its directory. What you have started yourself is yours to end.\n";
    Ok(text)
}

fn what_runs(text: &mut String, cluster: &Cluster) -> Result<(), Error> {
    writeln!(
        text,
        "Everything runs. Settings, data and logs are in {}\n",
        cluster.directory.path().display()
    )?;
    for (index, node) in cluster.nodes.group.members.iter().enumerate() {
        row(text, node, &format!("http://{}", cluster.nodes.address(index)))?;
    }
    for (nats, url) in cluster.nats.group.members.iter().zip(cluster.nats.urls()) {
        row(text, nats, &url)?;
    }
    for (postgres, port) in cluster.postgres.group.members.iter().zip(cluster.postgres.ports) {
        row(text, postgres, &format!("127.0.0.1:{port}"))?;
    }
    Ok(())
}

fn row(text: &mut String, running: &Running, place: &str) -> Result<(), Error> {
    writeln!(text, "  {:20} pid {:<8} {place}", running.name, running.id())
}

fn what_to_try(text: &mut String, cluster: &Cluster) -> Result<(), Error> {
    let [ana, bo] = PEOPLE;
    let last = cluster.nodes.group.members.len() - 1;
    let mut listen = Command::new(&cluster.couplet);
    listen.args(["listen", "--listen", &format!("127.0.0.1:{}", cluster.receiver_port)]);
    writeln!(text, "\nTo receive the callbacks:\n\n  {}", line(&listen))?;
    writeln!(text, "\nTo be {bo} on node 2:\n\n  {}", chat(cluster.nodes.address(1), bo, ana))?;
    let node = last + 1;
    writeln!(text, "\nTo be {ana} on node {node}:\n\n  {}", chat(cluster.nodes.address(last), ana, bo))?;
    writeln!(text, "\nTo send a message over node 1:\n\n  {}", send(cluster.nodes.address(0)))
}

fn what_to_break(text: &mut String, cluster: &Cluster) -> Result<(), Error> {
    let id = |running: &Running| running.id();
    let (nodes, nats) = (&cluster.nodes.group.members, &cluster.nats.group.members);
    let postgres = &cluster.postgres.group.members;
    let node = nodes.len();
    writeln!(
        text,
        "\nTo kill node {node}. Its people have to go to another one, and its callbacks do so by themselves:"
    )?;
    writeln!(text, "\n  kill -9 {}", id(&nodes[node - 1]))?;
    writeln!(text, "\nTo kill a NATS server, or all. Without NATS, messages come a second later:")?;
    writeln!(text, "\n  kill -9 {}", id(&nats[0]))?;
    let all: Vec<String> = nats.iter().map(|nats| nats.id().to_string()).collect();
    writeln!(text, "  kill -9 {}", all.join(" "))?;
    writeln!(text, "\nTo kill the primary. Sends are refused, with a code that says to try again:")?;
    writeln!(text, "\n  kill -9 {}", id(&postgres[0]))?;
    writeln!(text, "\nand to promote the standby, after which they go on. Never while the primary runs:")?;
    writeln!(text, "\n  {}", cluster.postgres.promotion)?;
    writeln!(
        text,
        "\nTo kill the standby. Sends wait for it, and are refused while it is not started again:"
    )?;
    writeln!(text, "\n  kill -9 {}", id(&postgres[1]))?;
    writeln!(
        text,
        "\nTo freeze something in place of killing it, with its children: pkill -STOP -P PID; kill -STOP PID"
    )
}

/// A link to the chat page that logs in.
fn chat(node: SocketAddr, user: &str, peer: &str) -> String {
    format!("http://{node}/chat#sdkappid={SDKAPPID}&userid={user}&usersig={}&peer={peer}", usersig(user))
}

/// The number makes each call a message of its own, unless two come within a second.
fn send(node: SocketAddr) -> String {
    let [ana, bo] = PEOPLE;
    let address = format!("http://{node}{}", path("openim/sendmsg"));
    format!(
        "curl -s '{address}' -d '{{\"From_Account\":\"{ana}\",\"To_Account\":\"{bo}\",\"MsgRandom\":'$(date +%s)',\
         \"MsgBody\":[{{\"MsgType\":\"TIMTextElem\",\"MsgContent\":{{\"Text\":\"lunch?\"}}}}]}}'"
    )
}
