//! What was measured, for people and for programs.

use super::crowd::Happened;
use crate::cli::output::{shortened, table};
use serde_json::{Value, json};
use std::time::Duration;

#[derive(Debug)]
pub(super) struct Figures {
    pub(super) sessions: u32,
    pub(super) connected: Connected,
    pub(super) session_kib: Option<f64>,
    pub(super) delivered: Option<Delivered>,
    pub(super) storm: Option<Connected>,
    pub(super) session_kib_after_storm: Option<f64>,
}

/// Until all were there.
#[derive(Debug, Default)]
pub(super) struct Connected {
    pub(super) secs: f64,
    /// From connecting to the answer of the login.
    pub(super) logins: Vec<Duration>,
    failed: u32,
    first_failure: Option<String>,
}

#[derive(Debug, Default)]
pub(super) struct Delivered {
    sent: u32,
    refused: u32,
    first_refusal: Option<String>,
    /// From the writer's frame to the reader's.
    latencies: Vec<Duration>,
}

impl Connected {
    pub(super) fn fail(&mut self, words: String) {
        self.failed += 1;
        self.first_failure.get_or_insert(words);
    }

    pub(super) fn sorted(mut self) -> Self {
        self.logins.sort_unstable();
        self
    }

    fn json(&self) -> Value {
        let per_s = self.logins.len() as f64 / self.secs;
        json!({ "secs": rounded(self.secs), "per_s": rounded(per_s), "login_ms": percentiles_json(&self.logins),
            "failed": self.failed, "first_failure": self.first_failure })
    }

    fn rows(&self, what: &str) -> Vec<[String; 5]> {
        let mut rows = vec![
            single(what, format!("{:.2} s", self.secs)),
            single("  failed logins", self.failed.to_string()),
            percentiles("  connect to login", &self.logins),
        ];
        rows.extend(
            self.first_failure.as_ref().map(|words| single("  first failure", shortened(words, 100))),
        );
        rows
    }
}

impl Delivered {
    pub(super) fn note(&mut self, happened: Happened) {
        match happened {
            Happened::Sent => self.sent += 1,
            Happened::Arrived(took) => self.latencies.push(took),
            Happened::Refused(words) => {
                self.refused += 1;
                self.first_refusal.get_or_insert(words);
            }
            // A session that is gone shows in what does not arrive.
            Happened::LoggedIn(_) | Happened::Failed(_) | Happened::Cut | Happened::Lost(_) => {}
        }
    }

    pub(super) fn is_complete(&self) -> bool {
        self.missing() == 0
    }

    pub(super) fn sorted(mut self) -> Self {
        self.latencies.sort_unstable();
        self
    }

    fn missing(&self) -> u32 {
        self.sent.saturating_sub(self.refused).saturating_sub(self.latencies.len() as u32)
    }
}

impl Figures {
    pub(super) fn json(&self) -> String {
        let mut figures = json!({ "sessions": self.sessions, "connected": self.connected.json() });
        if let Some(kib) = self.session_kib {
            figures["session_kib"] = rounded(kib);
        }
        if let Some(delivered) = &self.delivered {
            let Delivered { sent, refused, first_refusal, latencies } = delivered;
            figures["messages"] = json!({ "sent": sent, "arrived": latencies.len(), "refused": refused,
                "first_refusal": first_refusal, "latency_ms": percentiles_json(latencies) });
        }
        if let Some(storm) = &self.storm {
            figures["storm"] = storm.json();
        }
        if let Some(kib) = self.session_kib_after_storm {
            figures["session_kib_after_storm"] = rounded(kib);
        }
        figures.to_string()
    }

    pub(super) fn lines(&self) -> Vec<String> {
        let kib = |what, kib: &f64| single(what, format!("{kib:.2} KiB"));
        let mut rows = self.connected.rows(&format!("{} sessions there after", self.sessions));
        rows.extend(self.session_kib.as_ref().map(|each| kib("  memory each, idle", each)));
        if let Some(delivered) = &self.delivered {
            rows.push(single("messages sent", delivered.sent.to_string()));
            rows.push(single("  arrived", delivered.latencies.len().to_string()));
            rows.push(percentiles("  writer to reader", &delivered.latencies));
        }
        if let Some(storm) = &self.storm {
            rows.extend(storm.rows("all cut; back after"));
        }
        rows.extend(self.session_kib_after_storm.as_ref().map(|each| kib("  memory each, then", each)));
        table(["", "P50", "P99", "P99.9", "MAX"], &rows)
    }

    /// Why the run did not do what was asked of it.
    pub(super) fn complaint(&self) -> Option<String> {
        let delivered = self.delivered.as_ref()?;
        match (&delivered.first_refusal, delivered.missing()) {
            (Some(words), _) => {
                Some(format!("{} messages were refused, the first with {words}", delivered.refused))
            }
            (None, 0) => None,
            (None, missing) => Some(format!("{missing} messages did not arrive")),
        }
    }
}

fn single(what: &str, value: String) -> [String; 5] {
    [what.to_owned(), value, String::new(), String::new(), String::new()]
}

fn percentiles(what: &str, sorted: &[Duration]) -> [String; 5] {
    let shown = |of| percentile(sorted, of).map_or_else(|| "-".to_owned(), |ms| format!("{ms:.2} ms"));
    [what.to_owned(), shown(0.5), shown(0.99), shown(0.999), shown(1.0)]
}

fn percentiles_json(sorted: &[Duration]) -> Value {
    let shown = |of| percentile(sorted, of).map_or(Value::Null, rounded);
    json!({ "p50": shown(0.5), "p99": shown(0.99), "p999": shown(0.999), "max": shown(1.0) })
}

/// In milliseconds: so much of them took no longer.
fn percentile(sorted: &[Duration], of: f64) -> Option<f64> {
    let rank = (sorted.len() as f64 * of).ceil() as usize;
    Some(sorted.get(rank.max(1) - 1)?.as_secs_f64() * 1e3)
}

fn rounded(figure: f64) -> Value {
    Value::from((figure * 1e3).round() / 1e3)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_ms(ms: impl Iterator<Item = u64>) -> Vec<Duration> {
        ms.map(Duration::from_millis).collect()
    }

    #[test]
    fn percentiles_are_of_what_was_measured() {
        let sorted = of_ms(1..=1_000);
        assert_eq!(
            [0.5, 0.99, 0.999, 1.0].map(|of| percentile(&sorted, of)),
            [500.0, 990.0, 999.0, 1_000.0].map(Some)
        );
        assert_eq!(percentile(&of_ms(7..8), 0.5), Some(7.0));
        assert_eq!(percentile(&[], 0.5), None);
    }

    #[test]
    fn for_people_and_for_programs() {
        let connected =
            Connected { secs: 2.0, logins: of_ms(1..=4), failed: 1, first_failure: Some("full".to_owned()) };
        let delivered = Delivered { sent: 3, latencies: of_ms(1..=2), ..Delivered::default() };
        let figures = Figures {
            sessions: 4,
            connected,
            session_kib: Some(3.0625),
            delivered: Some(delivered),
            storm: None,
            session_kib_after_storm: None,
        };
        assert_eq!(
            figures.lines(),
            [
                "                        P50       P99      P99.9    MAX",
                "4 sessions there after  2.00 s",
                "  failed logins         1",
                "  connect to login      2.00 ms   4.00 ms  4.00 ms  4.00 ms",
                "  first failure         full",
                "  memory each, idle     3.06 KiB",
                "messages sent           3",
                "  arrived               2",
                "  writer to reader      1.00 ms   2.00 ms  2.00 ms  2.00 ms",
            ]
        );
        assert_eq!(figures.complaint().unwrap(), "1 messages did not arrive");
        let json: Value = serde_json::from_str(&figures.json()).unwrap();
        assert_eq!(json["connected"]["login_ms"], json!({ "p50": 2.0, "p99": 4.0, "p999": 4.0, "max": 4.0 }));
        assert_eq!((&json["session_kib"], &json["messages"]["arrived"]), (&json!(3.063), &json!(2)));
    }
}
