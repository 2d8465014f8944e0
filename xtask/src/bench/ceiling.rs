//! The ceiling: a server that reads a send, answers it and posts its callback, and does nothing else.
//!
//! It has the HTTP stack of the real one (axum in, a hyper client out, the same allocator), and no UserSig, no rules and
//! no store. What the real server reaches under the same load, as a share of this, is what all the rest costs.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
};

use anyhow::{Context, Result};
use axum::{Router, extract::State, http::header, response::IntoResponse, routing::post, serve::ListenerExt};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::{
    net::TcpListener,
    sync::{OwnedSemaphorePermit, Semaphore},
};

use super::{
    clock,
    plan::{Ceiling, Listening},
    process,
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Callbacks under way; a send waits for room, so that no backlog hides what the callbacks cost.
const IN_FLIGHT_MAX: usize = 256;

struct Stub {
    client: Client<HttpConnector, Full<Bytes>>,
    callback: SocketAddr,
    room: Arc<Semaphore>,
    seq: AtomicU32,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Send<'a> {
    #[serde(rename = "From_Account")]
    from: &'a str,
    #[serde(rename = "To_Account")]
    to: &'a str,
    msg_random: u32,
    #[serde(borrow)]
    msg_body: &'a RawValue,
}

pub(super) fn run() -> Result<()> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(serve())
}

async fn serve() -> Result<()> {
    let mut asked = process::parent::<Ceiling>();
    let callback = asked.recv().await.context("no callback address")?.callback;
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let client = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(IN_FLIGHT_MAX).build(connector);
    let room = Arc::new(Semaphore::new(IN_FLIGHT_MAX));
    let stub = Arc::new(Stub { client, callback, room, seq: AtomicU32::new(1) });
    let router = Router::new().route("/v4/openim/sendmsg", post(sendmsg)).with_state(stub);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    process::tell_parent(&Listening { listen: listener.local_addr()? })?;
    // A connection without TCP_NODELAY goes on, only slower, and the figure would show it.
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    let until_parent_ends = async move { while asked.recv().await.is_some() {} };
    Ok(axum::serve(listener, router).with_graceful_shutdown(until_parent_ends).await?)
}

#[expect(
    clippy::disallowed_methods,
    reason = "a task a callback is what is measured; nothing outlives the process"
)]
async fn sendmsg(State(stub): State<Arc<Stub>>, body: Bytes) -> impl IntoResponse {
    let json = [(header::CONTENT_TYPE, "application/json")];
    let Ok(send) = serde_json::from_slice::<Send<'_>>(&body) else {
        return (json, r#"{"ActionStatus":"FAIL","ErrorInfo":"","ErrorCode":90001}"#.to_owned());
    };
    let room = Arc::clone(&stub.room).acquire_owned().await.expect("the semaphore is never closed");
    let seq = stub.seq.fetch_add(1, Relaxed);
    let (random, time_s) = (send.msg_random, clock::unix_s());
    let ids = format!(
        "\"MsgTime\":{time_s},\"MsgKey\":\"{seq}_{random}_{time_s}\",\"MsgId\":\"144115{seq}-{time_s}-{random}\""
    );
    let told = format!(
        "{{\"CallbackCommand\":\"C2C.CallbackAfterSendMsg\",\"From_Account\":\"{}\",\"To_Account\":\"{}\",\
         \"MsgSeq\":{seq},\"MsgRandom\":{random},{ids},\"OnlineOnlyFlag\":0,\"SendMsgResult\":0,\
         \"ErrorInfo\":\"send msg succeed\",\"UnreadMsgNum\":1,\"MsgBody\":{},\"CloudCustomData\":\"\",\
         \"EventTime\":{time_s}000}}",
        send.from,
        send.to,
        send.msg_body.get(),
    );
    let answer = format!("{{\"ActionStatus\":\"OK\",\"ErrorInfo\":\"\",\"ErrorCode\":0,{ids}}}");
    tokio::spawn(tell(stub, Bytes::from(told), room));
    (json, answer)
}

async fn tell(stub: Arc<Stub>, body: Bytes, _room: OwnedSemaphorePermit) {
    let uri = format!(
        "http://{}/callback?SdkAppid=1400000001&CallbackCommand=C2C.CallbackAfterSendMsg&contenttype=json\
         &ClientIP=127.0.0.1&OptPlatform=RESTAPI",
        stub.callback
    );
    let request = hyper::Request::post(uri)
        .header(header::CONTENT_TYPE, "application/json")
        .body(Full::new(body))
        .expect("the parts of the request are valid");
    match stub.client.request(request).await {
        // The answer is read to its end, so that the connection can be used again.
        Ok(answer) => drop(answer.into_body().collect().await),
        Err(error) => eprintln!("the stub's callback failed: {error}"),
    }
}
