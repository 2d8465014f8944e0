//! Two nodes on one database and one NATS.

use crate::nats_server::NatsServer;
use crate::place::{ADMIN, KEY, Place, SDKAPPID, admin, usersig};
use crate::process::{Server, awaited};
use crate::rest::{Connection, SEND, message};
use crate::schema::Schema;
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use http_body_util::Full;
use hyper::{Request, StatusCode};
use serde_json::{Value, json};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;

type Socket = crate::device::Socket;

const PEOPLE: [&str; 2] = ["ana", "bo"];

/// What the nodes share. `app` are further settings of the app.
struct Cluster {
    schema: Schema,
    nats: String,
    app: &'static str,
    places: Vec<Place>,
}

impl Cluster {
    async fn new(nats: &NatsServer, app: &'static str) -> Self {
        Self { schema: Schema::new().await, nats: nats.url(), app, places: Vec::new() }
    }

    async fn node(&mut self) -> Server {
        let place = Place::empty();
        let (url, schema, nats, app) = (&self.schema.url, &self.schema.name, &self.nats, self.app);
        let settings = format!(
            "store = \"postgres\"\nbus = \"nats\"\n[postgres]\nurl = {url:?}\nschema = {schema:?}\n\
             [nats]\nurls = [{nats:?}]\npoll_ms = 100\n\
             [[app]]\nsdkappid = {SDKAPPID}\nkey = {KEY:?}\nadmins = [{ADMIN:?}]\n{app}\n"
        );
        std::fs::write(place.settings(), settings).unwrap();
        let server = place.start().await;
        self.places.push(place);
        server
    }

    /// Two nodes, and people who have accounts.
    async fn two_nodes(nats: &NatsServer, app: &'static str) -> (Self, Server, Server) {
        let mut cluster = Self::new(nats, app).await;
        let (here, there) = (cluster.node().await, cluster.node().await);
        let accounts: Vec<Value> = PEOPLE.iter().map(|user| json!({ "UserID": user })).collect();
        let accounts = json!({ "AccountList": accounts });
        admin(&here).await.ask("im_open_login_svc/multiaccount_import", &accounts).await;
        (cluster, here, there)
    }
}

/// A device that is logged in.
struct Session {
    socket: Socket,
    asked: u64,
}

impl Session {
    async fn at(server: &Server, user: &str, device: &str) -> Self {
        let (socket, _) = connect_async(format!("ws://{}/ws", server.address)).await.unwrap();
        let mut this = Self { socket, asked: 0 };
        let members = json!({
            "op": "connect", "sdkappid": SDKAPPID, "user_id": user, "usersig": usersig(user), "platform": "Web",
            "device_id": device,
        });
        let answer = this.ask(members).await;
        assert_eq!(answer["ok"]["user_id"], user, "{answer}");
        this
    }

    /// Asks, and passes over what is pushed before the answer.
    async fn ask(&mut self, mut members: Value) -> Value {
        self.asked += 1;
        members["id"] = self.asked.into();
        self.socket.send(Message::text(members.to_string())).await.unwrap();
        loop {
            let heard = self.hear().await;
            if heard["id"] == self.asked {
                return heard;
            }
        }
    }

    async fn hear(&mut self) -> Value {
        awaited("a frame", crate::device::next(&mut self.socket)).await.unwrap()
    }

    /// The text of the next message.
    async fn text(&mut self) -> String {
        loop {
            let heard = self.hear().await;
            if heard["push"] == "message" {
                return heard["message"]["MsgBody"][0]["MsgContent"]["Text"].as_str().unwrap().to_owned();
            }
        }
    }

    /// The status that the device is told next.
    async fn status(&mut self) -> String {
        let heard = self.hear().await;
        assert_eq!((&heard["push"], &heard["user_id"]), (&json!("presence"), &json!("bo")), "{heard}");
        heard["status"].as_str().unwrap().to_owned()
    }

    /// Why the session has to end, and what the connection closes with.
    async fn kicked(&mut self) -> (String, u16) {
        let reason = loop {
            let heard = self.hear().await;
            if heard["push"] == "kicked" {
                break heard["reason"].as_str().unwrap().to_owned();
            }
        };
        (reason, self.closed().await)
    }

    async fn closed(&mut self) -> u16 {
        loop {
            match awaited("a close", self.socket.next()).await.expect("it closes with a word").unwrap() {
                Message::Close(Some(close)) => return close.code.into(),
                _passed_over => {}
            }
        }
    }
}

async fn send(at: &Server, from: &str, to: &str, random: u32, text: &str) {
    let answer = admin(at).await.call(SEND, message(from, to, random, text)).await.unwrap();
    assert_eq!(answer.code, 0, "{}", answer.body);
}

async fn ready(server: &Server) -> (StatusCode, String) {
    let request = Request::get("/readyz").body(Full::new(Bytes::new())).unwrap();
    let (status, text) = Connection::open(server.address).await.unwrap().exchange(request).await.unwrap();
    (status, String::from_utf8(text.to_vec()).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_reaches_devices_on_both_nodes() {
    let nats = NatsServer::start();
    let (_cluster, here, there) = Cluster::two_nodes(&nats, "").await;
    let mut near = Session::at(&here, "bo", "phone").await;
    let mut far = Session::at(&there, "bo", "tablet").await;
    let mut ana = Session::at(&there, "ana", "laptop").await;
    for random in 1..=20 {
        let (at, text) = (if random % 2 == 0 { &here } else { &there }, format!("text {random}"));
        send(at, "ana", "bo", random, &text).await;
        for session in [&mut near, &mut far, &mut ana] {
            assert_eq!(session.text().await, text);
        }
    }
    let body = json!([{ "MsgType": "TIMTextElem", "MsgContent": { "Text": "back" } }]);
    let sent = near.ask(json!({ "op": "send", "to": "ana", "random": 7, "body": body })).await;
    assert!(sent["ok"].is_object(), "{sent}");
    assert_eq!((ana.text().await, far.text().await), ("back".to_owned(), "back".to_owned()));
    here.stop().await;
    there.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn logins_and_kicks_hold_over_nodes() {
    let nats = NatsServer::start();
    let (_cluster, here, there) = Cluster::two_nodes(&nats, "[app.logins]\npolicy = \"last\"\n").await;
    let mut first = Session::at(&here, "bo", "phone").await;
    let mut second = Session::at(&there, "bo", "tablet").await;
    assert_eq!(first.kicked().await, ("other_device".to_owned(), 4503));
    let _third = Session::at(&here, "bo", "tablet").await;
    assert_eq!(second.kicked().await, ("same_device".to_owned(), 4505));
    let mut ana = Session::at(&there, "ana", "laptop").await;
    let asked = json!({ "To_Account": ["ana", "bo"] });
    let statuses = admin(&here).await.ask("openim/query_online_status", &asked).await;
    let shown: Vec<_> = statuses["QueryResult"].as_array().unwrap().iter().map(|of| &of["Status"]).collect();
    assert_eq!(shown, ["Online", "Online"]);
    admin(&here).await.ask("im_open_login_svc/kick", &json!({ "UserID": "ana" })).await;
    assert_eq!(ana.kicked().await, ("revoked".to_owned(), 4503));
    here.stop().await;
    there.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn presence_is_told_over_nodes() {
    let nats = NatsServer::start();
    let (_cluster, here, there) = Cluster::two_nodes(&nats, "").await;
    let mut ana = Session::at(&here, "ana", "laptop").await;
    let subscribed = ana.ask(json!({ "op": "subscribe", "users": ["bo"] })).await;
    assert_eq!(subscribed["ok"]["statuses"][0]["status"], "Offline", "{subscribed}");
    let bo = Session::at(&there, "bo", "phone").await;
    assert_eq!(ana.status().await, "Online");
    let also = Session::at(&here, "bo", "tablet").await;
    drop((bo, also));
    assert_eq!(ana.status().await, "Offline");
    // Both nodes may have found out by themselves that nobody is there any more.
    let _bo = Session::at(&there, "bo", "phone").await;
    while ana.status().await != "Online" {}
    // A node that dies says nothing, and it is noticed.
    there.kill();
    while ana.status().await != "Offline" {}
    here.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_nats_devices_look_for_themselves() {
    let nats = NatsServer::start();
    let (_cluster, here, there) = Cluster::two_nodes(&nats, "").await;
    let mut far = Session::at(&there, "bo", "phone").await;
    send(&here, "ana", "bo", 1, "with").await;
    assert_eq!(far.text().await, "with");
    let port = nats.kill();
    for random in 2..=10 {
        send(&here, "ana", "bo", random, "without").await;
        assert_eq!(far.text().await, "without");
    }
    // By now both nodes have noticed: one by what it could not say, the other by having looked.
    assert_eq!(
        ready(&there).await,
        (StatusCode::OK, "ready, without NATS: devices hear of what other nodes do by looking\n".to_owned())
    );
    // A node starts all the same.
    let _nats = NatsServer::start_at(port);
    send(&here, "ana", "bo", 11, "again").await;
    assert_eq!(far.text().await, "again");
    here.stop().await;
    there.stop().await;
}

/// What a device was told before is worth the same on another node.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_stops_sends_its_devices_elsewhere() {
    let nats = NatsServer::start();
    let (_cluster, here, there) = Cluster::two_nodes(&nats, "").await;
    let mut bo = Session::at(&here, "bo", "phone").await;
    let (_, closed) = tokio::join!(here.stop(), bo.closed());
    assert_eq!(closed, 4000);
    send(&there, "ana", "bo", 1, "elsewhere").await;
    let mut bo = Session::at(&there, "bo", "phone").await;
    send(&there, "ana", "bo", 2, "here").await;
    assert_eq!(bo.text().await, "here");
    there.stop().await;
}
