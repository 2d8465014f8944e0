//! One frame of the live view, from values to cells.

use super::bounded::AtLeast;
use super::line::{Line, Paint};
use super::statistics::Summary;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line as Row, Span};
use ratatui::widgets::{Block, Borders, Paragraph, Sparkline};
use std::fmt::Display;

/// Minutes in the chart.
const CHART_MINUTES: usize = 30;
/// From this height on there is room for longer lists.
const TALL: u16 = 32;

/// What is on the screen.
#[derive(Debug)]
pub(super) struct View<'a> {
    pub url: &'a str,
    pub forwards: bool,
    pub summary: Summary,
    pub newest_first: Vec<Line>,
    /// While the lines are held still: how many have come since.
    pub held: Option<usize>,
}

pub(super) fn draw(frame: &mut Frame<'_>, view: &View<'_>) {
    let (counts_height, chart_height) = if frame.area().height >= TALL { (13, 6) } else { (9, 4) };
    let rows = [
        Constraint::Length(1),
        Constraint::Length(counts_height),
        Constraint::Length(chart_height),
        Constraint::Fill(1),
        Constraint::Length(1),
    ];
    let [title, counts, chart, list, keys] = Layout::vertical(rows).areas(frame.area());
    let columns = [Constraint::Fill(3), Constraint::Fill(4), Constraint::Fill(3)];
    let [totals, commands, people] = Layout::horizontal(columns).spacing(1).areas(counts);
    let [senders, failures] = Layout::vertical([Constraint::Length(6), Constraint::Fill(1)]).areas(people);

    draw_title(frame, title, view);
    draw_totals(frame, totals, view);
    let by_command = view.summary.by_command.iter();
    let by_command = by_command.map(|(command, count)| (command.replacen("Callback", "", 1), *count));
    draw_counts(frame, commands, "By command ", by_command);
    draw_counts(frame, senders, "Top senders ", view.summary.top_senders.iter().cloned());
    draw_counts(frame, failures, "Failed with ", view.summary.failures_by_code.iter().copied());
    draw_chart(frame, chart, &view.summary);
    draw_list(frame, list, &view.newest_first);
    draw_keys(frame, keys, view.held);
}

fn draw_title(frame: &mut Frame<'_>, area: Rect, view: &View<'_>) {
    let secs = view.summary.elapsed_ms / 1000;
    let elapsed = format!("{}:{:02}:{:02}", secs / 3600, secs / 60 % 60, secs % 60);
    let bold = Style::new().add_modifier(Modifier::BOLD);
    let name = Row::from(vec![Span::styled("couplet listen", bold), Span::raw(format!("  {}", view.url))]);
    frame.render_widget(name, area);
    let width = (elapsed.len() as u16).min(area.width);
    frame.render_widget(Row::from(elapsed), Rect { x: area.right() - width, width, ..area });
}

fn draw_totals(frame: &mut Frame<'_>, area: Rect, view: &View<'_>) {
    let summary = &view.summary;
    let forwarded = summary.forwarded;
    let not_forwarded = forwarded.without_answer + forwarded.not_ok;
    let good = Paint::Plain;
    let bad_if = |is_bad: bool| if is_bad { Paint::Bad } else { good };
    let mut rows = vec![
        ("callbacks", summary.callbacks.to_string(), good),
        ("repeated", brief(summary.repeated), good),
        ("refused", summary.refused.to_string(), bad_if(summary.refused > 0)),
        ("delivered", summary.messages.to_string(), good),
        ("failed", summary.failures.to_string(), bad_if(summary.failures > 0)),
        ("users", brief(summary.users), good),
        ("conversations", brief(summary.conversations), good),
    ];
    if view.forwards {
        rows.push(("forward failures", not_forwarded.to_string(), bad_if(not_forwarded > 0)));
    }
    let width = usize::from(area.width);
    let rows = rows.into_iter().map(|(name, value, paint)| {
        let room = width.saturating_sub(name.len() + 1);
        Row::from(vec![Span::raw(format!("{name} ")), Span::styled(format!("{value:>room$}"), style(paint))])
    });
    frame.render_widget(Paragraph::new(rows.collect::<Vec<_>>()).block(block("Totals ")), area);
}

fn draw_counts<K: Display>(
    frame: &mut Frame<'_>,
    area: Rect,
    title: &'static str,
    counts: impl Iterator<Item = (K, u64)>,
) {
    let rows: Vec<Row<'_>> = counts
        .take(usize::from(area.height.saturating_sub(1)))
        .map(|(name, count)| Row::from(format!("{count:>7} {name}")))
        .collect();
    frame.render_widget(Paragraph::new(rows).block(block(title)), area);
}

fn draw_chart(frame: &mut Frame<'_>, area: Rect, summary: &Summary) {
    let shown = &summary.minutes[summary.minutes.len().saturating_sub(CHART_MINUTES)..];
    let most = shown.iter().map(|minute| minute.callbacks).max().unwrap_or(0);
    let latency = match summary.latency_ms {
        Some((median, p99)) => format!(" delivery p50 {median} ms, p99 {p99} ms"),
        None => " no event in the last minute".to_owned(),
    };
    let title = format!("Callbacks a minute, most {most}; now {:.1} a second ", summary.rate_now);
    let block = block(title).title(Row::from(latency).right_aligned());
    // The present minute is at the right edge, however few there are.
    let bar_width = usize::from(area.width) / CHART_MINUTES;
    let empty = std::iter::repeat_n(0, CHART_MINUTES - shown.len());
    let bars = empty.chain(shown.iter().map(|minute| minute.callbacks));
    let columns: Vec<u64> = bars.flat_map(|count| std::iter::repeat_n(count, bar_width)).collect();
    let chart = Sparkline::default().data(&columns).max(most.max(1)).style(style(Paint::Command));
    frame.render_widget(chart.block(block), area);
}

fn draw_list(frame: &mut Frame<'_>, area: Rect, newest_first: &[Line]) {
    let height = usize::from(area.height.saturating_sub(1));
    let mut rows: Vec<Row<'_>> = newest_first.iter().take(height).map(row).collect();
    rows.reverse();
    frame.render_widget(Paragraph::new(rows).block(block("Last callbacks ")), area);
}

fn draw_keys(frame: &mut Frame<'_>, area: Rect, held: Option<usize>) {
    let keys = match held {
        None => "q end   p pause   c clear".to_owned(),
        Some(newer) => format!("q end   p go on   c clear   PAUSED, {newer} newer"),
    };
    frame.render_widget(Row::styled(keys, style(Paint::Time)), area);
}

/// At least, in one character: the column is narrow.
fn brief(count: AtLeast) -> String {
    format!("{}{}", if count.is_open { "≥" } else { "" }, count.count)
}

fn block<'a>(title: impl Into<Row<'a>>) -> Block<'a> {
    let dim = style(Paint::Time);
    let title: Row<'a> = title.into();
    Block::new().borders(Borders::TOP).border_style(dim).title(title)
}

fn row(line: &Line) -> Row<'_> {
    let parts = line.parts().iter().enumerate().flat_map(|(index, (paint, text))| {
        [Span::raw(if index == 0 { "" } else { "  " }), Span::styled(text.as_str(), style(*paint))]
    });
    Row::from(parts.collect::<Vec<_>>())
}

fn style(paint: Paint) -> Style {
    match paint {
        Paint::Plain => Style::new(),
        Paint::Time => Style::new().add_modifier(Modifier::DIM),
        Paint::Command => Style::new().fg(Color::Cyan),
        Paint::Good => Style::new().fg(Color::Green),
        Paint::Bad => Style::new().fg(Color::Red),
    }
}

#[cfg(test)]
mod tests {
    use super::super::statistics::{Forwarded, Minute};
    use super::*;
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    fn screen(width: u16, height: u16, view: &View<'_>) -> String {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal.draw(|frame| draw(frame, view)).unwrap();
        let buffer = terminal.backend().buffer();
        let rows = buffer.content().chunks(usize::from(width));
        rows.map(|row| row.iter().map(|cell| cell.symbol()).collect::<String>().trim_end().to_owned() + "\n")
            .collect()
    }

    fn named(counts: &[(&str, u64)]) -> Vec<(String, u64)> {
        counts.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
    }

    fn busy() -> View<'static> {
        let minute = |number: u64| Minute { callbacks: number * 5, ..Minute::default() };
        let line = |number: u64| {
            Line::at(number * 1000)
                .with(Paint::Command, format!("{:<28}", "C2C.CallbackAfterSendMsg"))
                .with(Paint::Plain, format!("ana → bo  “line {number}”"))
        };
        View {
            url: "http://127.0.0.1:18090/callback",
            forwards: true,
            summary: Summary {
                elapsed_ms: 3_723_000,
                callbacks: 1_234,
                repeated: AtLeast { count: 2, is_open: false },
                refused: 3,
                messages: 1_100,
                failures: 12,
                users: AtLeast { count: 20, is_open: false },
                conversations: AtLeast { count: 1_000_000, is_open: true },
                by_command: named(&[
                    ("C2C.CallbackAfterSendMsg", 1_112),
                    ("C2C.CallbackAfterMsgReport", 100),
                    ("State.StateChange", 20),
                ]),
                failures_by_code: vec![(20_007, 8), (20_012, 3), (90_012, 1)],
                top_senders: named(&[("ana", 800), ("bo", 200), ("cy", 99), ("dee", 1)]),
                rate_now: 12.34,
                minutes: (0..40).map(minute).collect(),
                latency_ms: Some((12, 340)),
                forwarded: Forwarded { callbacks: 1_234, without_answer: 1, not_ok: 4 },
            },
            newest_first: (0..100).rev().map(line).collect(),
            held: None,
        }
    }

    #[test]
    fn a_busy_one() {
        assert_eq!(
            screen(80, 24, &busy()),
            "
couplet listen  http://127.0.0.1:18090/callback                          1:02:03
Totals ──────────────── By command ───────────────────── Top senders ───────────
callbacks          1234    1112 C2C.AfterSendMsg             800 ana
repeated              2     100 C2C.AfterMsgReport           200 bo
refused               3      20 State.StateChange             99 cy
delivered          1100                                        1 dee
failed               12
users                20                                  Failed with ───────────
conversations  ≥1000000                                        8 20007
forward failures      5                                        3 20012
Callbacks a minute, most 195; now 12.3 a second ─ delivery p50 12 ms, p99 340 ms
                                    ▁▁▁▁▂▂▃▃▃▃▄▄▄▄▅▅▆▆▆▆▇▇██
          ▁▁▁▁▂▂▃▃▃▃▄▄▄▄▅▅▆▆▆▆▇▇████████████████████████████
▆▆▆▆▇▇██████████████████████████████████████████████████████
Last callbacks ─────────────────────────────────────────────────────────────────
00:01:32  C2C.CallbackAfterSendMsg      ana → bo  “line 92”
00:01:33  C2C.CallbackAfterSendMsg      ana → bo  “line 93”
00:01:34  C2C.CallbackAfterSendMsg      ana → bo  “line 94”
00:01:35  C2C.CallbackAfterSendMsg      ana → bo  “line 95”
00:01:36  C2C.CallbackAfterSendMsg      ana → bo  “line 96”
00:01:37  C2C.CallbackAfterSendMsg      ana → bo  “line 97”
00:01:38  C2C.CallbackAfterSendMsg      ana → bo  “line 98”
00:01:39  C2C.CallbackAfterSendMsg      ana → bo  “line 99”
q end   p pause   c clear
"[1..]
        );
    }

    #[test]
    fn one_that_has_just_begun() {
        let view = View {
            url: "http://127.0.0.1:18090/callback",
            forwards: false,
            summary: Summary { minutes: vec![Minute::default()], ..Summary::default() },
            newest_first: vec![Line::at(0).with(Paint::Bad, "refused 403: no")],
            held: Some(7),
        };
        assert_eq!(
            screen(80, 24, &view),
            "
couplet listen  http://127.0.0.1:18090/callback                          0:00:00
Totals ──────────────── By command ───────────────────── Top senders ───────────
callbacks             0
repeated              0
refused               0
delivered             0
failed                0
users                 0                                  Failed with ───────────
conversations         0

Callbacks a minute, most 0; now 0.0 a second ─────── no event in the last minute



Last callbacks ─────────────────────────────────────────────────────────────────
00:00:00  refused 403: no







q end   p go on   c clear   PAUSED, 7 newer
"[1..]
        );
    }

    #[test]
    fn a_tall_one_shows_more() {
        let text = screen(120, 40, &busy());
        assert_eq!(text.matches("“line").count(), 18, "{text}");
        assert!(text.contains("      1 90012"), "{text}");
    }

    #[test]
    fn any_size_is_drawn() {
        for (width, height) in [(1, 1), (10, 3), (29, 12), (40, 10), (300, 100)] {
            screen(width, height, &busy());
        }
    }
}
