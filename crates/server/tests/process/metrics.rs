//! What `/metrics` says.

use crate::process::Server;
use crate::rest::Connection;
use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, StatusCode};
use std::collections::BTreeMap;

#[derive(Debug)]
pub(crate) struct Metrics(String);

impl Metrics {
    pub(crate) async fn of(server: &Server) -> Self {
        let mut connection = Connection::open(server.address).await.unwrap();
        let request = Request::get("/metrics").body(Full::new(Bytes::new())).unwrap();
        let (status, text) = connection.exchange(request).await.unwrap();
        assert_eq!(status, StatusCode::OK);
        Self(String::from_utf8(text.to_vec()).unwrap())
    }

    /// The figures of this name, by the value of one of their labels. Those without it do not count.
    pub(crate) fn by(&self, name: &str, label: &str) -> BTreeMap<String, u64> {
        let mut figures = BTreeMap::new();
        for line in self.0.lines() {
            let Some((labels, value)) = line
                .strip_prefix(name)
                .and_then(|rest| rest.strip_prefix('{'))
                .and_then(|rest| rest.split_once("} "))
            else {
                continue;
            };
            let value_of = |pair: &str| {
                Some(pair.strip_prefix(label)?.strip_prefix("=\"")?.trim_end_matches('"').to_owned())
            };
            if let Some(found) = labels.split(',').find_map(value_of) {
                *figures.entry(found).or_default() += value.parse::<u64>().unwrap();
            }
        }
        figures
    }
}
