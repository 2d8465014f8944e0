//! Figures beside their goals, as a table or as JSON, and the progress on the way to them.

use std::{fmt::Write, time::Duration};

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

#[derive(Default, Serialize)]
pub(super) struct Report {
    pub sections: Vec<Section>,
    /// Wrong counts and crashes. Any of them fails the benchmark.
    pub failures: Vec<String>,
}

#[derive(Serialize)]
pub(super) struct Section {
    pub scenario: String,
    pub rows: Vec<Row>,
}

#[derive(Serialize)]
pub(super) struct Row {
    name: String,
    #[serde(flatten)]
    value: Value,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    goals: Vec<Goal>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Value {
    /// One figure; of several rounds the median, and the extremes.
    Figure {
        value: f64,
        min: f64,
        max: f64,
        unit: &'static str,
    },
    Latency {
        p50_ms: f64,
        p99_ms: f64,
        p999_ms: f64,
        max_ms: f64,
    },
}

#[derive(Serialize)]
struct Goal {
    of: &'static str,
    at_least: bool,
    bound: f64,
    met: bool,
    #[serde(skip)]
    must: bool,
}

pub(super) fn figure(name: &str, unit: &'static str, rounds: impl IntoIterator<Item = f64>) -> Row {
    let mut rounds: Vec<f64> = rounds.into_iter().collect();
    rounds.sort_by(f64::total_cmp);
    let (min, max) =
        (rounds.first().copied().unwrap_or(f64::NAN), rounds.last().copied().unwrap_or(f64::NAN));
    let value = match rounds.len() {
        len if len > 0 && len % 2 == 0 => f64::midpoint(rounds[len / 2 - 1], rounds[len / 2]),
        len => rounds.get(len / 2).copied().unwrap_or(f64::NAN),
    };
    Row { name: name.to_owned(), value: Value::Figure { value, min, max, unit }, goals: Vec::new() }
}

/// Percentiles of all that was measured, none of it estimated.
pub(super) fn latency(name: &str, mut latencies_ns: Vec<u64>) -> Row {
    latencies_ns.sort_unstable();
    let at = |share: f64| quantile_ms(&latencies_ns, share);
    let value = Value::Latency { p50_ms: at(0.5), p99_ms: at(0.99), p999_ms: at(0.999), max_ms: at(1.0) };
    Row { name: name.to_owned(), value, goals: Vec::new() }
}

pub(super) fn p50_ms(latencies_ns: &[u64]) -> f64 {
    let mut sorted_ns = latencies_ns.to_vec();
    sorted_ns.sort_unstable();
    quantile_ms(&sorted_ns, 0.5)
}

pub(super) fn p99_ms(latencies_ns: &[u64]) -> f64 {
    let mut sorted_ns = latencies_ns.to_vec();
    sorted_ns.sort_unstable();
    quantile_ms(&sorted_ns, 0.99)
}

fn quantile_ms(sorted_ns: &[u64], share: f64) -> f64 {
    let rank = (sorted_ns.len() as f64 * share).ceil() as usize;
    sorted_ns.get(rank.saturating_sub(1)).map_or(f64::NAN, |ns| *ns as f64 / 1e6)
}

impl Row {
    /// A count of what must not happen on any machine, in any of the rounds: one of them fails the benchmark.
    pub(super) fn never(mut self) -> Self {
        if let Value::Figure { value, max, .. } = &mut self.value {
            *value = *max;
        }
        let mut row = self.at_most(0.0);
        row.goals.iter_mut().for_each(|goal| goal.must = true);
        row
    }

    pub(super) fn at_least(self, bound: f64) -> Self {
        self.goal("value", true, bound)
    }

    pub(super) fn at_most(self, bound: f64) -> Self {
        self.goal("value", false, bound)
    }

    pub(super) fn p50_at_most_ms(self, bound: f64) -> Self {
        self.goal("p50", false, bound)
    }

    pub(super) fn p99_at_most_ms(self, bound: f64) -> Self {
        self.goal("p99", false, bound)
    }

    fn goal(mut self, of: &'static str, at_least: bool, bound: f64) -> Self {
        let value = match (&self.value, of) {
            (Value::Figure { value, .. }, _) => *value,
            (Value::Latency { p50_ms, .. }, "p50") => *p50_ms,
            (Value::Latency { p99_ms, .. }, _) => *p99_ms,
        };
        let met = if at_least { value >= bound } else { value <= bound };
        self.goals.push(Goal { of, at_least, bound, met, must: false });
        self
    }

    fn line(&self) -> String {
        let value = match self.value {
            Value::Figure { value, min, max, unit } if min < max => {
                format!("{:>10} {unit:<8} {} … {}", number(value), number(min), number(max))
            }
            Value::Figure { value, unit, .. } => format!("{:>10} {unit}", number(value)),
            Value::Latency { p50_ms, p99_ms, p999_ms, max_ms } => format!(
                "{:>10} ms p50   {} p99   {} p999   {} max",
                number(p50_ms),
                number(p99_ms),
                number(p999_ms),
                number(max_ms)
            ),
        };
        let goals: Vec<String> = self.goals.iter().map(Goal::text).collect();
        format!("  {:<36} {value:<58} {}", self.name, goals.join(", ")).trim_end().to_owned()
    }
}

impl Goal {
    fn text(&self) -> String {
        let of = if self.of == "value" { String::new() } else { format!("{} ", self.of) };
        let sign = if self.at_least { "≥" } else { "≤" };
        format!("{of}{sign} {} {}", number(self.bound), if self.met { "✓" } else { "✗ missed" })
    }
}

impl Report {
    pub(super) fn add(&mut self, section: Section) {
        let must = |row: &&Row| row.goals.iter().any(|goal| goal.must && !goal.met);
        let wrong = section.rows.iter().filter(must);
        self.failures.extend(wrong.map(|row| format!("WRONG COUNT: {}:{}", section.scenario, row.line())));
        self.sections.push(section);
    }

    pub(super) fn table(&self) -> String {
        let mut table = String::new();
        for section in &self.sections {
            writeln!(table, "{}", section.scenario).expect("writing to a String does not fail");
            for row in &section.rows {
                writeln!(table, "{}", row.line()).expect("writing to a String does not fail");
            }
        }
        for failure in &self.failures {
            writeln!(table, "FAILED  {failure}").expect("writing to a String does not fail");
        }
        table
    }
}

/// Three digits that matter, and thousands apart.
fn number(value: f64) -> String {
    if value.abs() < 10.0 {
        return format!("{value:.2}");
    }
    if value.abs() < 100.0 {
        return format!("{value:.1}");
    }
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Bars and remarks on stderr. Where that is no terminal, only the remarks appear.
pub(super) struct Progress;

impl Progress {
    pub(super) fn count(&self, label: &str, len: u64) -> Bar {
        bar(label, len, "{msg:40} {wide_bar} {human_pos}/{human_len} {per_sec} {eta}")
    }

    pub(super) fn time(&self, label: &str, len_ms: u64) -> Bar {
        bar(label, len_ms, "{msg:40} {wide_bar} {percent}%")
    }

    /// For a phase of which only the end is known.
    pub(super) fn busy(&self, label: &str) -> Bar {
        let bar = bar(label, 0, "{msg:40} {spinner} {elapsed}");
        bar.enable_steady_tick(Duration::from_millis(100));
        bar
    }

    pub(super) fn remark(&self, text: &str) {
        eprintln!("{text}");
    }
}

/// A bar that goes away when its phase is over, however it ends.
pub(super) struct Bar(ProgressBar);

impl std::ops::Deref for Bar {
    type Target = ProgressBar;

    fn deref(&self) -> &ProgressBar {
        &self.0
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

fn bar(label: &str, len: u64, template: &str) -> Bar {
    let style = ProgressStyle::with_template(template).expect("the templates above are valid");
    Bar(ProgressBar::new(len).with_style(style).with_message(label.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_that_must_be_zero_fails_the_benchmark() {
        let mut report = Report::default();
        let rows = vec![
            figure("missing", "", [0.0, 0.0, 0.0]).never(),
            figure("out of order", "", [0.0, 0.0, 2.0]).never(),
            figure("ratio", "", [3.0]).at_most(2.0),
        ];
        report.add(Section { scenario: "faults".to_owned(), rows });
        let failures: Vec<String> = report
            .failures
            .iter()
            .map(|text| text.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect();
        assert_eq!(failures, ["WRONG COUNT: faults: out of order 2.00 0.00 … 2.00 ≤ 0.00 ✗ missed"]);
    }

    #[test]
    fn a_table_shows_figures_spread_and_goals() {
        let rows = vec![
            figure("sustained", "msg/s", [27_000.0, 26_000.0, 31_000.5]).at_least(25_000.0),
            figure("resident", "MiB", [41.26]).at_most(40.0),
            latency("send", (1..=1_000).map(|us| us * 1_000).collect())
                .p50_at_most_ms(0.5)
                .p99_at_most_ms(0.1),
        ];
        let report = Report {
            sections: vec![Section { scenario: "rest".to_owned(), rows }],
            failures: vec!["drain: WRONG COUNT".to_owned()],
        };
        let lines: Vec<String> = report
            .table()
            .lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect();
        assert_eq!(
            lines,
            [
                "rest",
                "sustained 27,000 msg/s 26,000 … 31,000 ≥ 25,000 ✓",
                "resident 41.3 MiB ≤ 40.0 ✗ missed",
                "send 0.50 ms p50 0.99 p99 1.00 p999 1.00 max p50 ≤ 0.50 ✓, p99 ≤ 0.10 ✗ missed",
                "FAILED drain: WRONG COUNT",
            ]
        );
    }
}
