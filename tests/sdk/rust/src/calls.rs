//! What a call answered, held against what it has to answer.

use serde::Serialize;
use serde_json::{json, Value};
use std::fmt::Display;

/// The calls, in the order in which they are made.
#[derive(Default)]
pub struct Calls {
    pub count: usize,
}

impl Calls {
    /// Ends the program if the answer is not as expected. Of `expected`, the texts `<integer>` and `<text>` stand for any
    /// value of the kind, and `null` for a member that is absent. Further members may be there.
    pub fn check<R: Serialize, E: Display>(&mut self, what: &str, answer: Result<R, E>, expected: Value) -> Value {
        self.count += 1;
        let answer = match answer {
            Ok(answer) => serde_json::to_value(answer).expect("the crate's types can be written"),
            Err(error) => end(what, &format!("the crate cannot read the answer: {error}")),
        };
        if let Some(difference) = difference("the answer", &expected, &answer) {
            end(what, &format!("{difference}\nThe whole answer, as the crate reads it: {answer}"));
        }
        println!("tencent_im_rs: {what}: ok");
        answer
    }
}

fn end(what: &str, why: &str) -> ! {
    println!("tencent_im_rs: {what}: WRONG");
    eprintln!("tencent_im_rs: {what}: {why}");
    std::process::exit(1)
}

fn difference(place: &str, expected: &Value, answer: &Value) -> Option<String> {
    let fits = match (expected, answer) {
        (Value::Object(expected), Value::Object(answer)) => {
            return expected.iter().find_map(|(name, value)| {
                difference(&format!("{place}.{name}"), value, answer.get(name).unwrap_or(&Value::Null))
            });
        }
        (Value::Array(expected), Value::Array(answer)) if expected.len() == answer.len() => {
            let mut pairs = expected.iter().zip(answer).enumerate();
            return pairs.find_map(|(at, (one, other))| difference(&format!("{place}[{at}]"), one, other));
        }
        (Value::String(kind), Value::Number(_)) if kind == "<integer>" => true,
        (Value::String(kind), Value::String(text)) if kind == "<text>" => !text.is_empty(),
        _ => expected == answer,
    };
    (!fits).then(|| format!("{place} is {answer}, not {expected}"))
}

/// A call that succeeded, with further members.
pub fn ok(members: Value) -> Value {
    with(json!({"ActionStatus": "OK", "ErrorCode": 0, "ErrorInfo": ""}), members)
}

/// A call that was refused.
pub fn fail(code: u32) -> Value {
    json!({"ActionStatus": "FAIL", "ErrorCode": code, "ErrorInfo": "<text>"})
}

/// What became of one account of many, with further members.
pub fn item(user: &str, members: Value) -> Value {
    with(json!({"To_Account": user, "ResultCode": 0, "ResultInfo": ""}), members)
}

fn with(mut object: Value, members: Value) -> Value {
    let (Value::Object(all), Value::Object(more)) = (&mut object, members) else {
        panic!("both are objects");
    };
    all.extend(more);
    object
}
