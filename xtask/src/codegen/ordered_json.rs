//! JSON whose members stay in the order in which they were put.

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::value::RawValue;

/// What a `MsgKey` looks like: `<MsgSeq>_<MsgRandom>_<MsgTime>`.
pub(in crate::codegen) const MSG_KEY_PATTERN: &str = "^[0-9]{1,10}_[0-9]{1,10}_[0-9]{1,20}$";

#[derive(Debug, Clone)]
pub(in crate::codegen) enum Json {
    Text(String),
    Number(u64),
    Flag(bool),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
    /// As it is written.
    Raw(Box<RawValue>),
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Json::Text(text) => text.serialize(serializer),
            Json::Number(number) => number.serialize(serializer),
            Json::Flag(flag) => flag.serialize(serializer),
            Json::List(items) => items.serialize(serializer),
            Json::Object(members) => {
                let mut map = serializer.serialize_map(Some(members.len()))?;
                members.iter().try_for_each(|(name, value)| map.serialize_entry(name, value))?;
                map.end()
            }
            Json::Raw(raw) => raw.serialize(serializer),
        }
    }
}

impl From<&str> for Json {
    fn from(text: &str) -> Json {
        Json::Text(text.to_owned())
    }
}

impl From<String> for Json {
    fn from(text: String) -> Json {
        Json::Text(text)
    }
}

impl From<u64> for Json {
    fn from(number: u64) -> Json {
        Json::Number(number)
    }
}

impl From<bool> for Json {
    fn from(flag: bool) -> Json {
        Json::Flag(flag)
    }
}

impl<T: Into<Json>> From<Vec<T>> for Json {
    fn from(items: Vec<T>) -> Json {
        Json::List(items.into_iter().map(Into::into).collect())
    }
}

impl Json {
    /// An object to put members into.
    pub(in crate::codegen) fn object() -> Json {
        Json::Object(Vec::new())
    }

    /// The object with one more member.
    pub(in crate::codegen) fn with(mut self, name: impl Into<String>, value: impl Into<Json>) -> Json {
        let Json::Object(members) = &mut self else { panic!("only an object has members") };
        members.push((name.into(), value.into()));
        self
    }

    /// The object with one more member, if there is a value for it.
    pub(in crate::codegen) fn with_some(self, name: &str, value: Option<impl Into<Json>>) -> Json {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// The schema of a whole number, both ends included.
    pub(in crate::codegen) fn integer(min: u64, max: u64) -> Json {
        Json::object().with("type", "integer").with("minimum", min).with("maximum", max)
    }

    pub(in crate::codegen) fn raw(text: &str) -> Json {
        Json::Raw(RawValue::from_string(text.to_owned()).expect("the tables' examples are JSON"))
    }
}

#[cfg(test)]
pub(in crate::codegen) mod tests {
    use super::*;
    use serde_json::Value;

    /// How many references a document has. Each of them leads somewhere.
    pub(in crate::codegen) fn followed_references(document: &Value) -> usize {
        let mut found = Vec::new();
        references(document, &mut found);
        for reference in &found {
            assert!(document.pointer(reference.strip_prefix('#').unwrap()).is_some(), "{reference}");
        }
        found.len()
    }

    fn references(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(members) => {
                found.extend(members.get("$ref").and_then(Value::as_str).map(str::to_owned));
                members.values().for_each(|member| references(member, found));
            }
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            _ => {}
        }
    }

    #[test]
    fn members_stay_in_order() {
        let json = Json::object()
            .with("z", 1)
            .with("a", vec!["x"])
            .with_some("m", Some(true))
            .with_some("n", None::<bool>)
            .with("r", Json::raw(r#"{"b":1,"a":2}"#));
        assert_eq!(serde_json::to_string(&json).unwrap(), r#"{"z":1,"a":["x"],"m":true,"r":{"b":1,"a":2}}"#);
    }
}
