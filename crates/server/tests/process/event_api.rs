//! `/v1/apps/…`, as a backend's tools use it.

use crate::place::{self, ADMIN, SDKAPPID};
use crate::process::Server;
use crate::rest::Connection;
use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE};
use hyper::{Method, Request, StatusCode};
use serde_json::{Value, json};

/// The API of the app's own endpoint.
#[derive(Debug)]
pub(crate) struct EventApi {
    connection: Connection,
    bearer: String,
}

impl EventApi {
    pub(crate) async fn open(server: &Server) -> Self {
        let connection = Connection::open(server.address).await.unwrap();
        Self { connection, bearer: format!("Bearer {}", place::usersig(ADMIN)) }
    }

    /// Has events told again, and returns their number.
    pub(crate) async fn replay(&mut self, what: &Value) -> u64 {
        let answer = self.call(Method::POST, "/endpoints/ep_default/replay", what.to_string()).await;
        answer["replayed"].as_u64().unwrap_or_else(|| panic!("{answer}"))
    }

    /// The ids of the parked events.
    pub(crate) async fn parked(&mut self) -> Vec<String> {
        let answer = self.call(Method::GET, "/endpoints/ep_default/parked?limit=1000", String::new()).await;
        assert_eq!(answer["more"], json!(false));
        let parked = answer["parked"].as_array().unwrap();
        parked.iter().map(|event| event["id"].as_str().unwrap().to_owned()).collect()
    }

    /// The id of the oldest event.
    pub(crate) async fn first_id(&mut self) -> String {
        let answer = self.call(Method::GET, "/events?limit=1", String::new()).await;
        answer["events"][0]["id"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    /// The position behind everything that is recorded.
    pub(crate) async fn end(&mut self) -> String {
        let answer = self.call(Method::GET, "/events?after=now", String::new()).await;
        assert_eq!(answer["events"], json!([]));
        answer["next"].as_str().unwrap().to_owned()
    }

    async fn call(&mut self, method: Method, path: &str, body: String) -> Value {
        let request = Request::builder()
            .method(method)
            .uri(format!("/v1/apps/{SDKAPPID}{path}"))
            .header(AUTHORIZATION, &self.bearer)
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body)));
        let (status, answer) = self.connection.exchange(request.unwrap()).await.unwrap();
        assert_eq!(status, StatusCode::OK, "{path}: {}", String::from_utf8_lossy(&answer));
        serde_json::from_slice(&answer).unwrap()
    }
}
