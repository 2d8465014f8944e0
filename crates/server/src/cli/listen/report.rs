//! The counts at the end, for a person and for a program.

use super::bounded::AtLeast;
use super::statistics::Summary;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write;

/// A person sees so many minutes; a program gets all that are kept.
const MINUTES_SHOWN: usize = 10;

impl Summary {
    pub(super) fn to_text(&self) -> String {
        let mut text = format!(
            "\n{} callbacks ({} of them repeated) in {:.1} minutes",
            self.callbacks,
            self.repeated,
            self.elapsed_minutes()
        );
        let mut say = |line: std::fmt::Arguments<'_>| {
            text.push('\n');
            text.write_fmt(line).expect("a String takes everything");
        };
        for (command, count) in in_order(&self.by_command) {
            say(format_args!("  {count:>9}  {command}"));
        }
        say(format_args!(
            "{} messages delivered ({:.1} per minute), {} failed, between {} users in {} conversations",
            self.messages,
            self.messages as f64 / self.elapsed_minutes(),
            self.failures,
            self.users,
            self.conversations,
        ));
        for (code, count) in &self.failures_by_code {
            say(format_args!("  {count:>9}  failed with {code}"));
        }
        if self.refused > 0 {
            say(format_args!("{} refused", self.refused));
        }
        let forwarded = self.forwarded;
        if forwarded.callbacks > 0 {
            say(format_args!(
                "{} forwarded: {} without an answer, {} answered with a status other than 200",
                forwarded.callbacks, forwarded.without_answer, forwarded.not_ok
            ));
        }
        if self.callbacks > 0 {
            say(format_args!("\n  minute  callbacks  delivered     failed"));
            for minute in self.minutes.iter().rev().take(MINUTES_SHOWN).rev() {
                let (hour, of_hour) = (minute.at_ms / 3_600_000 % 24, minute.at_ms / 60_000 % 60);
                let (callbacks, messages, failures) = (minute.callbacks, minute.messages, minute.failures);
                say(format_args!("   {hour:02}:{of_hour:02}  {callbacks:>9}  {messages:>9}  {failures:>9}"));
            }
        }
        text
    }

    pub(super) fn to_json(&self) -> Value {
        let open =
            [("repeated", self.repeated), ("users", self.users), ("conversations", self.conversations)];
        let at_least: Vec<&str> =
            open.iter().filter(|(_, AtLeast { is_open, .. })| *is_open).map(|(name, _)| *name).collect();
        let minutes = self.minutes.iter().map(|minute| {
            json!({
                "at_ms": minute.at_ms,
                "callbacks": minute.callbacks,
                "messages": minute.messages,
                "failures": minute.failures,
            })
        });
        json!({ "statistics": {
            "callbacks": self.callbacks,
            "repeated": self.repeated.count,
            "refused": self.refused,
            "messages": self.messages,
            "failures": self.failures,
            "failures_by_code": self.failures_by_code.iter().map(|(code, n)| (code.to_string(), *n)).collect::<BTreeMap<_, _>>(),
            "users": self.users.count,
            "conversations": self.conversations.count,
            "at_least": at_least,
            "messages_per_minute": self.messages as f64 / self.elapsed_minutes(),
            "by_command": in_order(&self.by_command),
            "minutes": minutes.collect::<Vec<_>>(),
            "forwarded": {
                "callbacks": self.forwarded.callbacks,
                "without_answer": self.forwarded.without_answer,
                "not_ok": self.forwarded.not_ok,
            },
        }})
    }
}

fn in_order(by_command: &[(String, u64)]) -> BTreeMap<&str, u64> {
    by_command.iter().map(|(command, count)| (&**command, *count)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::statistics::{Forwarded, Minute};
    use super::*;

    fn summary() -> Summary {
        let minute = |number: u64| Minute {
            at_ms: 1_767_000_000_000 + number * 60_000,
            callbacks: number * 7,
            messages: number * 3,
            failures: number % 2,
        };
        Summary {
            elapsed_ms: 720_000,
            callbacks: 76,
            repeated: AtLeast { count: 2, is_open: false },
            refused: 3,
            messages: 38,
            failures: 5,
            users: AtLeast { count: 4, is_open: false },
            conversations: AtLeast { count: 1_000_000, is_open: true },
            by_command: vec![("C2C.CallbackAfterSendMsg".to_owned(), 43), ("Alert".to_owned(), 1)],
            failures_by_code: vec![(20_012, 4), (20_007, 1)],
            minutes: (0..12).map(minute).collect(),
            forwarded: Forwarded { callbacks: 74, without_answer: 1, not_ok: 6 },
            ..Summary::default()
        }
    }

    #[test]
    fn for_a_person() {
        let expected = "
76 callbacks (2 of them repeated) in 12.0 minutes
          1  Alert
         43  C2C.CallbackAfterSendMsg
38 messages delivered (3.2 per minute), 5 failed, between 4 users in at least 1000000 conversations
          4  failed with 20012
          1  failed with 20007
3 refused
74 forwarded: 1 without an answer, 6 answered with a status other than 200

  minute  callbacks  delivered     failed
   09:22         14          6          0
   09:23         21          9          1
   09:24         28         12          0
   09:25         35         15          1
   09:26         42         18          0
   09:27         49         21          1
   09:28         56         24          0
   09:29         63         27          1
   09:30         70         30          0
   09:31         77         33          1";
        assert_eq!(summary().to_text(), expected);
        assert_eq!(
            Summary::default().to_text(),
            "\n0 callbacks (0 of them repeated) in 0.0 minutes\n0 messages delivered (0.0 per minute), 0 failed, between 0 users in 0 conversations"
        );
    }

    #[test]
    fn for_a_program() {
        let summary = Summary { minutes: summary().minutes.split_off(11), ..summary() };
        let expected = r#"{"statistics":{"at_least":["conversations"],"by_command":{"Alert":1,"C2C.CallbackAfterSendMsg":43},"callbacks":76,"conversations":1000000,"failures":5,"failures_by_code":{"20007":1,"20012":4},"forwarded":{"callbacks":74,"not_ok":6,"without_answer":1},"messages":38,"messages_per_minute":3.1666666666666665,"minutes":[{"at_ms":1767000660000,"callbacks":77,"failures":1,"messages":33}],"refused":3,"repeated":2,"users":4}}"#;
        assert_eq!(summary.to_json().to_string(), expected);
    }
}
