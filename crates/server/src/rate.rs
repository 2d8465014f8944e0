//! How often an app may call: counts within the second, or the minute, that the clock shows.
//!
//! Off unless an app's declaration sets a rate. Counts are of this process, and begin anew when apps are declared anew.

use crate::config;
use protocol::ErrorCode;
use protocol::rest::Command;
use rustc_hash::FxHashMap;
use std::sync::atomic::{AtomicU64, Ordering};

#[derive(Debug)]
pub struct Rates {
    /// Of one user, from all devices; 0 is no limit.
    pub device_sends_per_sec: u32,
    calls: Rate,
    commands: FxHashMap<Command, Rate>,
    batch_messages: Rate,
}

impl Rates {
    pub fn new(declared: &config::Rates) -> Result<Self, String> {
        let names = || Command::ALL.iter().map(|command| command.name());
        if let Some(unknown) = declared.commands.keys().find(|name| names().all(|known| known != **name)) {
            return Err(format!("rates.commands: there is no command {unknown}"));
        }
        let of_command = |command: &Command| {
            let own = declared.commands.get(command.name());
            let per_sec = own.copied().unwrap_or(declared.command_calls_per_sec);
            (per_sec > 0).then(|| (*command, Rate::new(per_sec, 1)))
        };
        Ok(Self {
            device_sends_per_sec: declared.device_sends_per_sec,
            calls: Rate::new(declared.calls_per_sec, 1),
            commands: Command::ALL.iter().filter_map(of_command).collect(),
            batch_messages: Rate::new(declared.batch_messages_per_min, 60),
        })
    }

    /// Counts a call, unless there were too many.
    pub fn call(&self, command: Command, now_ms: u64) -> Result<(), ErrorCode> {
        let now_s = now_ms / 1000;
        if self.commands.get(&command).is_some_and(|rate| !rate.take(1, now_s)) {
            return Err(ErrorCode::RateLimited);
        }
        if self.calls.take(1, now_s) { Ok(()) } else { Err(ErrorCode::AppRateLimited) }
    }

    /// Counts the messages of a call for many, unless there were too many. A call that is larger than the rate by itself
    /// never passes.
    pub fn batch(&self, messages: u32, now_ms: u64) -> Result<(), ErrorCode> {
        if self.batch_messages.take(messages, now_ms / 1000) {
            Ok(())
        } else {
            Err(ErrorCode::BatchRateLimited)
        }
    }
}

#[derive(Debug)]
struct Rate {
    /// 0 is no limit.
    max: u32,
    window_secs: u64,
    /// A [`Window`].
    taken: AtomicU64,
}

impl Rate {
    fn new(max: u32, window_secs: u64) -> Self {
        Self { max, window_secs, taken: AtomicU64::new(0) }
    }

    fn take(&self, count: u32, now_s: u64) -> bool {
        if self.max == 0 {
            return true;
        }
        let next = |taken: u64| Some(Window(taken).after(count, self.max, now_s / self.window_secs)?.0);
        self.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).is_ok()
    }
}

/// What was taken in one second or minute: its number, and a count. Two numbers of 32 bits in one word.
#[derive(Debug, Clone, Copy, Default)]
pub struct Window(u64);

const TAKEN_BITS: u32 = 32;

impl Window {
    /// Counts one more in this second, unless there were too many.
    pub fn take(&mut self, per_sec_max: u32, now_s: u64) -> bool {
        let after = self.after(1, per_sec_max, now_s);
        *self = after.unwrap_or(*self);
        after.is_some()
    }

    fn after(self, count: u32, max: u32, window: u64) -> Option<Self> {
        let window = window & u64::from(u32::MAX);
        let before = if self.0 >> TAKEN_BITS == window { self.0 & u64::from(u32::MAX) } else { 0 };
        let after = before + u64::from(count);
        (after <= u64::from(max)).then_some(Self(window << TAKEN_BITS | after))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rates(calls: u32, command: u32, batch: u32) -> Rates {
        let commands = [("sendmsg".to_owned(), 5)].into();
        let declared = config::Rates {
            device_sends_per_sec: 0,
            calls_per_sec: calls,
            command_calls_per_sec: command,
            commands,
            batch_messages_per_min: batch,
        };
        Rates::new(&declared).unwrap()
    }

    #[test]
    fn each_command_and_the_app_have_their_own_count() {
        let rates = rates(7, 2, 0);
        let call = |command, now_ms| rates.call(command, now_ms).err();
        let kicks: Vec<_> = (0..3).map(|_| call(Command::Kick, 1_000)).collect();
        assert_eq!(kicks, [None, None, Some(ErrorCode::RateLimited)]);
        let sends: Vec<_> = (0..6).map(|_| call(Command::SendMsg, 1_999)).collect();
        assert_eq!(sends[..5], [None; 5]);
        assert_eq!(sends[5], Some(ErrorCode::RateLimited));
        assert_eq!(call(Command::SetMute, 1_999), Some(ErrorCode::AppRateLimited));
        assert_eq!(call(Command::SetMute, 2_000), None);
    }

    #[test]
    fn messages_to_many_are_counted_by_the_minute() {
        let rates = rates(0, 0, 600);
        assert_eq!(rates.batch(500, 0), Ok(()));
        assert_eq!(rates.batch(101, 59_999), Err(ErrorCode::BatchRateLimited));
        assert_eq!(rates.batch(100, 59_999), Ok(()));
        assert_eq!(rates.batch(600, 60_000), Ok(()));
        assert_eq!(rates.batch(601, 120_000), Err(ErrorCode::BatchRateLimited));
    }

    #[test]
    fn a_rate_for_what_does_not_exist_is_refused() {
        let declared = config::Rates { commands: [("sendmsgs".to_owned(), 1)].into(), ..Default::default() };
        assert_eq!(Rates::new(&declared).unwrap_err(), "rates.commands: there is no command sendmsgs");
    }
}
