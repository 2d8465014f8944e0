//! Reads queries and bodies, strictly: a parameter that is misspelt would otherwise be one that is left out.

use super::refusal::Refused;
use axum::body::Body;
use axum::http::Request;
use chat::UserId;
use protocol::url;
use serde::de::DeserializeOwned;
use std::ops::RangeInclusive;
use std::time::Duration;
use tokio::time::timeout;

/// Bodies of this API are a line or two; the longest has a text to trigger an event with.
const BODY_BYTES_MAX: usize = 16 * 1024;

/// The largest integer that every JSON parser reads exactly.
pub(super) const INTEGER_MAX: u64 = (1 << 53) - 1;

/// The parameters of a query, decoded.
#[derive(Debug)]
pub(super) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// `known` are the parameters that the call takes.
    pub(super) fn read(query: Option<&str>, known: &[&str]) -> Result<Self, Refused> {
        let pair = |(name, value): (&str, &str)| {
            if !known.contains(&name) {
                return Err(Refused::bad_parameter(format!("there is no parameter {name:?} here")));
            }
            let value = url::decode(value)
                .ok_or_else(|| Refused::bad_parameter(format!("{name} is not escaped as it should be")))?;
            Ok((name.to_owned(), value.into_owned()))
        };
        url::pairs(query.unwrap_or_default()).map(pair).collect::<Result<_, _>>().map(Self)
    }

    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn one(&self, name: &str) -> Result<Option<&str>, Refused> {
        let mut values = self.all(name);
        match (values.next(), values.next()) {
            (_, Some(_)) => Err(Refused::bad_parameter(format!("{name} is there twice"))),
            (value, None) => Ok(value),
        }
    }

    pub(super) fn number(&self, name: &str, range: RangeInclusive<u64>) -> Result<Option<u64>, Refused> {
        let number = |text: &str| {
            let digits = text.bytes().all(|byte| byte.is_ascii_digit());
            let number = digits.then(|| text.parse().ok()).flatten().filter(|number| range.contains(number));
            number.ok_or_else(|| {
                let (min, max) = (range.start(), range.end());
                Refused::bad_parameter(format!("{name} must be a number from {min} to {max}"))
            })
        };
        self.one(name)?.map(number).transpose()
    }

    /// How many are wanted, 1 to 1,000.
    pub(super) fn limit(&self) -> Result<usize, Refused> {
        Ok(self.number("limit", 1..=1_000)?.unwrap_or(100) as usize)
    }

    pub(super) fn user(&self, name: &str) -> Result<Option<UserId>, Refused> {
        self.one(name)?.map(|text| user(name, text)).transpose()
    }
}

pub(super) fn user(name: &str, text: &str) -> Result<UserId, Refused> {
    UserId::new(text).ok_or_else(|| Refused::bad_parameter(format!("{name} must be a UserID: 1 to 32 bytes")))
}

/// Reads a body of JSON.
pub(super) async fn body<T: DeserializeOwned>(request: Request<Body>) -> Result<T, Refused> {
    let reading = super::super::read_body(request, BODY_BYTES_MAX);
    let read = timeout(Duration::from_secs(super::super::BODY_SECS_MAX), reading).await;
    let read = read.map_err(|_| Refused::bad_parameter("the body did not come in time"))?;
    let bytes = read.map_err(Refused::body)?;
    serde_json::from_slice(&bytes).map_err(|error| Refused::bad_parameter(format!("the body: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_as_a_table() {
        for (query, limit, event) in [
            ("", Some(100), Some(vec![])),
            ("limit=1", Some(1), Some(vec![])),
            ("limit=1000&event=a%2Eb&event=c", Some(1000), Some(vec!["a.b", "c"])),
            ("limit=0", None, Some(vec![])),
            ("limit=1001", None, Some(vec![])),
            ("limit=", None, Some(vec![])),
            ("limit=%2B1", None, Some(vec![])),
            ("limit=99999999999999999999", None, Some(vec![])),
            ("limit=1&limit=1", None, Some(vec![])),
            ("limt=1", None, None),
            ("event=%4", None, None),
        ] {
            let read = Parameters::read((!query.is_empty()).then_some(query), &["limit", "event"]);
            let read = read.ok();
            assert_eq!(read.as_ref().and_then(|read| read.limit().ok()), limit, "{query}");
            assert_eq!(read.as_ref().map(|read| read.all("event").collect::<Vec<_>>()), event, "{query}");
        }
    }
}
