//! The live view: the terminal it takes and gives back, the keys, and the lines it scrolls.

use super::frame::{self, View};
use super::line::Line;
use super::{Listening, output::Output};
use crate::cli::signals::Signals;
use crate::clock::SystemClock;
use chat::port::Clock;
use crossterm::event::{Event, EventStream, KeyCode, KeyEventKind, KeyModifiers};
use crossterm::execute;
use crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode};
use futures_util::StreamExt;
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use std::collections::VecDeque;
use std::io::{self, Stdout};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};

/// More than any screen is high.
const LINES_MAX: usize = 500;
/// Often enough to look alive, seldom enough to cost nothing over a slow connection.
const REDRAW_MS: u64 = 250;

/// Whether the terminal is the view's. It is one for the whole process, and so is the hook that gives it back.
static IS_TAKEN: AtomicBool = AtomicBool::new(false);

/// The last lines, which can be held still for reading.
#[derive(Debug, Default)]
pub(super) struct LastLines {
    lines: VecDeque<Line>,
    /// While they are held: what has come since.
    held: Option<VecDeque<Line>>,
}

impl LastLines {
    pub(super) fn push(&mut self, line: Line) {
        let lines = self.held.as_mut().unwrap_or(&mut self.lines);
        if lines.len() >= LINES_MAX {
            lines.pop_front();
        }
        lines.push_back(line);
    }

    fn toggle_pause(&mut self) {
        match self.held.take() {
            None => self.held = Some(VecDeque::new()),
            Some(held) => held.into_iter().for_each(|line| self.push(line)),
        }
    }

    fn clear(&mut self) {
        self.lines.clear();
        self.held = self.held.is_some().then(VecDeque::new);
    }

    fn newest_first(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter().rev()
    }

    /// How many wait, if they are held still.
    fn held(&self) -> Option<usize> {
        self.held.as_ref().map(VecDeque::len)
    }
}

/// The terminal while the view has it. Dropping it gives it back.
#[derive(Debug)]
pub(super) struct Screen {
    terminal: Terminal<CrosstermBackend<Stdout>>,
}

impl Screen {
    pub(super) fn take() -> io::Result<Self> {
        static HOOK: Once = Once::new();
        HOOK.call_once(|| {
            let report = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |panic| {
                // First, or the report would go with the view.
                give_back();
                report(panic);
            }));
        });
        let terminal = Terminal::new(CrosstermBackend::new(io::stdout()))?;
        let screen = Self { terminal };
        IS_TAKEN.store(true, Ordering::SeqCst);
        enable_raw_mode()?;
        execute!(io::stdout(), EnterAlternateScreen)?;
        Ok(screen)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

/// Once: a second time would put the cursor back to where the view began, onto what was printed since.
fn give_back() {
    if IS_TAKEN.swap(false, Ordering::SeqCst) {
        // There is nobody left to tell if the terminal is gone.
        drop(execute!(io::stdout(), LeaveAlternateScreen, crossterm::cursor::Show));
        drop(disable_raw_mode());
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Action {
    End,
    Pause,
    Clear,
    Redraw,
}

fn action(event: &Event) -> Action {
    let Event::Key(key) = event else { return Action::Redraw };
    if key.kind == KeyEventKind::Release {
        return Action::Redraw;
    }
    match (key.code, key.modifiers.contains(KeyModifiers::CONTROL)) {
        // The terminal makes no signal of it while the view reads the keys.
        (KeyCode::Char('c'), true) | (KeyCode::Char('q'), false) => Action::End,
        (KeyCode::Char('p'), false) => Action::Pause,
        (KeyCode::Char('c'), false) => Action::Clear,
        _ => Action::Redraw,
    }
}

/// Shows what comes in until somebody wants it to end.
pub(super) async fn run(
    mut screen: Screen,
    url: &str,
    listening: &Listening,
    signals: Signals,
) -> io::Result<()> {
    let mut keys = EventStream::new();
    let mut redraw = interval(Duration::from_millis(REDRAW_MS));
    redraw.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut stop = std::pin::pin!(signals.stop_wanted());
    loop {
        let event = tokio::select! {
            // Whoever wants it to end or presses a key must not wait behind the redrawing.
            biased;
            () = &mut stop => return Ok(()),
            key = keys.next() => Some(key.unwrap_or_else(|| Err(io::ErrorKind::UnexpectedEof.into()))?),
            _ = redraw.tick() => None,
        };
        if !IS_TAKEN.load(Ordering::SeqCst) {
            return Err(io::Error::other("the live view ended with the panic that is reported above"));
        }
        let Output::Live(lines) = &listening.output else { return Ok(()) };
        let view = {
            let mut lines = lines.lock().expect("nothing panics while it holds this lock");
            match event.as_ref().map_or(Action::Redraw, action) {
                Action::End => return Ok(()),
                Action::Pause => lines.toggle_pause(),
                Action::Clear => lines.clear(),
                Action::Redraw => {}
            }
            let height = usize::from(screen.terminal.size()?.height);
            View {
                url,
                forwards: listening.forwarder.is_some(),
                summary: listening.summary(SystemClock.now_ms()),
                newest_first: lines.newest_first().take(height).cloned().collect(),
                held: lines.held(),
            }
        };
        screen.terminal.draw(|frame| frame::draw(frame, &view))?;
    }
}

#[cfg(test)]
mod tests {
    use super::super::line::Paint;
    use super::*;
    use crossterm::event::KeyEvent;

    #[test]
    fn keys() {
        let key = |c: char, modifiers| Event::Key(KeyEvent::new(KeyCode::Char(c), modifiers));
        for (event, expected) in [
            (key('q', KeyModifiers::NONE), Action::End),
            (key('c', KeyModifiers::CONTROL), Action::End),
            (key('c', KeyModifiers::NONE), Action::Clear),
            (key('p', KeyModifiers::NONE), Action::Pause),
            (key('p', KeyModifiers::CONTROL), Action::Redraw),
            (key('x', KeyModifiers::NONE), Action::Redraw),
            (Event::Resize(80, 24), Action::Redraw),
        ] {
            assert_eq!(action(&event), expected, "{event:?}");
        }
    }

    #[test]
    fn lines_can_be_held_still() {
        let mut lines = LastLines::default();
        let push = |lines: &mut LastLines, text: &str| lines.push(Line::default().with(Paint::Plain, text));
        let shown = |lines: &LastLines| -> Vec<String> {
            lines.newest_first().map(|line| line.to_text(false)).collect()
        };
        push(&mut lines, "one");
        lines.toggle_pause();
        push(&mut lines, "two");
        assert_eq!((shown(&lines), lines.held()), (vec!["one".to_owned()], Some(1)));
        lines.clear();
        assert_eq!((shown(&lines), lines.held()), (vec![], Some(0)));
        push(&mut lines, "three");
        lines.toggle_pause();
        push(&mut lines, "four");
        assert_eq!((shown(&lines), lines.held()), (vec!["four".to_owned(), "three".to_owned()], None));
        for number in 0..LINES_MAX {
            push(&mut lines, &number.to_string());
        }
        assert_eq!((shown(&lines).len(), &*shown(&lines)[0]), (LINES_MAX, "499"));
    }
}
