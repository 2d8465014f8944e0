//! SIGKILL between a message's commit and its push: the phone rings all the same.

use crate::carrier::{Answer, Carrier};
use crate::device;
use crate::place::{self, Place, SDKAPPID};
use crate::process::awaited;
use futures_util::SinkExt;
use serde_json::{Value, json};
use std::net::SocketAddr;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_util::sync::CancellationToken;

#[tokio::test]
async fn what_was_acknowledged_is_pushed_after_a_kill() {
    let mut carrier = Carrier::start().await;
    let place = Place::empty();
    // Nobody listens there, and nothing is told there.
    let nobody = "url = \"http://127.0.0.1:9/\"\nevents = []\n";
    place.declare("", &(nobody.to_owned() + &carrier.settings(place.path("").as_path())));
    let users = place::users(2);
    let server = place.start_with(&users).await;
    tell_token(server.address, &users[1], "f1").await;

    // The server waits for an answer that never comes, and so has not written down that the notice arrived.
    carrier.answering(|_, _| Answer { after: Some(CancellationToken::new()), ..Answer::ok() });
    let mut admin = place::admin(&server).await;
    let message = json!({
        "From_Account": users[0], "To_Account": users[1], "MsgRandom": 1,
        "MsgBody": [{ "MsgType": "TIMTextElem", "MsgContent": { "Text": "ring" } }],
    });
    let sent = admin.ask("openim/sendmsg", &message).await;
    assert_eq!(sent["ErrorCode"], 0, "{sent}");
    let first = awaited("a notice", carrier.next()).await;
    server.kill();

    carrier.answering(|_, _| Answer::ok());
    let server = place.start().await;
    let again = awaited("the notice once more", carrier.next()).await;
    let key = |body: &Value| body["message"]["data"]["message_key"].clone();
    assert_eq!(key(&first.body), sent["MsgKey"]);
    assert_eq!(key(&again.body), sent["MsgKey"]);
    // So that the phone shows one of the two.
    let tag = |body: &Value| body["message"]["android"]["notification"]["tag"].clone();
    assert_eq!((tag(&first.body), first.token), (tag(&again.body), again.token));
    assert!(again.headers.contains_key("authorization") && carrier.granted() == 2);
    server.stop().await;
    assert!(carrier.is_quiet());
}

/// A phone that is connected for as long as it takes to say how it is pushed to.
async fn tell_token(address: SocketAddr, user: &str, token: &str) {
    let (mut socket, _) = connect_async(format!("ws://{address}/ws")).await.unwrap();
    for frame in [
        json!({
            "id": 1, "op": "connect", "sdkappid": SDKAPPID, "user_id": user,
            "usersig": place::usersig(user), "platform": "Android", "device_id": "phone",
        }),
        json!({ "id": 2, "op": "set_push_token", "provider": "fcm", "token": token }),
    ] {
        socket.send(Message::text(frame.to_string())).await.unwrap();
        let answer = awaited("an answer", device::next(&mut socket)).await.unwrap();
        assert!(answer["ok"].is_object(), "{answer}");
    }
    // Anything but a goodbye, which would take the token back. The server answers when the session has ended.
    let going = tokio_tungstenite::tungstenite::protocol::CloseFrame { code: 1001.into(), reason: "".into() };
    socket.send(Message::Close(Some(going))).await.unwrap();
    awaited("the end", async { while device::next(&mut socket).await.is_ok() {} }).await;
}
