//! Points in time as people write and read them. Always UTC: a server's log is read from anywhere.

use std::fmt;

const SECOND_MS: u64 = 1_000;
const MINUTE_MS: u64 = 60 * SECOND_MS;
const HOUR_MS: u64 = 60 * MINUTE_MS;
const DAY_MS: u64 = 24 * HOUR_MS;
/// A smaller number is a time of the year 1973 or a number of seconds, and nobody means the former.
const UNIX_MS_MIN: u64 = 100_000_000_000;

/// A point in time, as it was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    /// This long before now.
    Ago {
        ms: u64,
    },
    At {
        unix_ms: u64,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BadMoment {
    Unreadable,
    Seconds,
}

impl fmt::Display for BadMoment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unreadable => "write 90s, 10m, 2h, 3d, 2026-11-23T10:00:00Z, or Unix milliseconds",
            Self::Seconds => "this looks like seconds: Unix time is written in milliseconds here",
        })
    }
}

impl std::error::Error for BadMoment {}

impl Moment {
    pub(super) fn parse(text: &str) -> Result<Self, BadMoment> {
        if text.bytes().all(|byte| byte.is_ascii_digit()) {
            let unix_ms = text.parse().map_err(|_| BadMoment::Unreadable)?;
            return if unix_ms < UNIX_MS_MIN { Err(BadMoment::Seconds) } else { Ok(Self::At { unix_ms }) };
        }
        let read = match text.as_bytes().get(4) {
            Some(b'-') => calendar_ms(text).map(|unix_ms| Self::At { unix_ms }),
            _ => duration_ms(text).map(|ms| Self::Ago { ms }),
        };
        read.ok_or(BadMoment::Unreadable)
    }

    pub(super) fn unix_ms(self, now_ms: u64) -> u64 {
        match self {
            Self::Ago { ms } => now_ms.saturating_sub(ms),
            Self::At { unix_ms } => unix_ms,
        }
    }
}

/// Numbers with units: `2h`, `1h30m`.
fn duration_ms(text: &str) -> Option<u64> {
    let (mut rest, mut total_ms) = (text, 0_u64);
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit())?;
        let count: u64 = rest[..end].parse().ok()?;
        let unit_ms = match rest.as_bytes()[end] {
            b's' => SECOND_MS,
            b'm' => MINUTE_MS,
            b'h' => HOUR_MS,
            b'd' => DAY_MS,
            _ => return None,
        };
        total_ms = total_ms.checked_add(count.checked_mul(unit_ms)?)?;
        rest = &rest[end + 1..];
    }
    (!text.is_empty()).then_some(total_ms)
}

/// `2026-11-23`, with `T10:00`, seconds, a fraction of them, and `Z` or a distance from UTC after it.
fn calendar_ms(text: &str) -> Option<u64> {
    let (date, time) = text.split_once(['T', ' ']).unwrap_or((text, "00:00"));
    let [year, month, day] = numbers(date, '-')?;
    let in_range = (1970..=9999).contains(&year) && (1..=12).contains(&month) && day >= 1;
    if !in_range || day > days_in_month(year, month) {
        return None;
    }
    let (time, east_ms) = split_zone(time)?;
    let time_ms = time_of_day_ms(time)?;
    let day_ms = days_since_epoch(year, month, day) * DAY_MS;
    day_ms.checked_add(time_ms)?.checked_add_signed(-east_ms)
}

/// The time without its zone, and how far east of UTC that is. Without one: UTC.
fn split_zone(time: &str) -> Option<(&str, i64)> {
    if let Some(time) = time.strip_suffix(['Z', 'z']) {
        return Some((time, 0));
    }
    let Some(at) = time.find(['+', '-']) else { return Some((time, 0)) };
    let (time, zone) = time.split_at(at);
    let [hours, minutes] = numbers(&zone[1..], ':')?;
    if hours > 23 || minutes > 59 {
        return None;
    }
    let distance_ms = i64::try_from(hours * HOUR_MS + minutes * MINUTE_MS).ok()?;
    Some((time, if zone.starts_with('-') { -distance_ms } else { distance_ms }))
}

fn time_of_day_ms(time: &str) -> Option<u64> {
    let (clock, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let [hours, minutes, seconds] = match numbers(clock, ':') {
        Some(whole) => whole,
        None => numbers::<2>(clock, ':').map(|[hours, minutes]| [hours, minutes, 0])?,
    };
    if hours > 23 || minutes > 59 || seconds > 59 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let ms: u64 = format!("{fraction:0<3}").get(..3)?.parse().ok()?;
    Some(hours * HOUR_MS + minutes * MINUTE_MS + seconds * SECOND_MS + ms)
}

fn numbers<const N: usize>(text: &str, separator: char) -> Option<[u64; N]> {
    let parts: Option<Vec<u64>> = text
        .split(separator)
        .map(|part| part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse().ok()).flatten())
        .collect();
    parts?.try_into().ok()
}

fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn days_in_month(year: u64, month: u64) -> u64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn days_since_epoch(year: u64, month: u64, day: u64) -> u64 {
    let before = year - 1;
    let leap_days = |years: u64| years / 4 - years / 100 + years / 400;
    let years = (year - 1970) * 365 + leap_days(before) - leap_days(1969);
    years + (1..month).map(|month| days_in_month(year, month)).sum::<u64>() + day - 1
}

/// `2026-11-23 15:41:40`, UTC.
pub(super) fn written(unix_ms: u64) -> String {
    let [year, month, day] = date(unix_ms);
    format!("{year:04}-{month:02}-{day:02} {}", clock(unix_ms))
}

/// `2026-11-23`, UTC.
pub(super) fn written_date(unix_ms: u64) -> String {
    let [year, month, day] = date(unix_ms);
    format!("{year:04}-{month:02}-{day:02}")
}

/// Time of day, UTC.
pub(super) fn clock(unix_ms: u64) -> String {
    time_of_day(unix_ms / SECOND_MS)
}

/// The same, of a time in seconds.
pub(super) fn time_of_day(unix_s: u64) -> String {
    format!("{:02}:{:02}:{:02}", unix_s / 3600 % 24, unix_s / 60 % 60, unix_s % 60)
}

/// A time of this length, in its two largest units.
pub(super) fn lasting(ms: u64) -> String {
    let part = |count: u64, unit: &str| if count == 0 { String::new() } else { format!(" {count} {unit}") };
    match ms {
        0..MINUTE_MS => format!("{} s", ms / SECOND_MS),
        MINUTE_MS..HOUR_MS => format!("{} min{}", ms / MINUTE_MS, part(ms % MINUTE_MS / SECOND_MS, "s")),
        HOUR_MS..DAY_MS => format!("{} h{}", ms / HOUR_MS, part(ms % HOUR_MS / MINUTE_MS, "min")),
        _ => format!("{} d{}", ms / DAY_MS, part(ms % DAY_MS / HOUR_MS, "h")),
    }
}

fn date(unix_ms: u64) -> [u64; 3] {
    const YEAR_MAX: u64 = 9999;
    let mut days = unix_ms / DAY_MS;
    let mut year = 1970;
    // At most a few dozen rounds for the years that occur.
    while days >= 365 + u64::from(is_leap(year)) && year < YEAR_MAX {
        days -= 365 + u64::from(is_leap(year));
        year += 1;
    }
    let mut month = 1;
    while month < 12 && days >= days_in_month(year, month) {
        days -= days_in_month(year, month);
        month += 1;
    }
    [year, month, days + 1]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_as_a_table() {
        let ago = |ms| Ok(Moment::Ago { ms });
        let at = |unix_ms| Ok(Moment::At { unix_ms });
        for (text, expected) in [
            ("90s", ago(90_000)),
            ("10m", ago(600_000)),
            ("2h", ago(7_200_000)),
            ("3d", ago(259_200_000)),
            ("1h30m", ago(5_400_000)),
            ("0s", ago(0)),
            ("1795441035591", at(1_795_441_035_591)),
            ("2026-11-23T10:00:00Z", at(1_795_428_000_000)),
            ("2026-11-23T10:00:00", at(1_795_428_000_000)),
            ("2026-11-23 10:00", at(1_795_428_000_000)),
            ("2026-11-23T10:00:00.25Z", at(1_795_428_000_250)),
            ("2026-11-23T11:30:00+01:30", at(1_795_428_000_000)),
            ("2026-11-23T09:00:00-01:00", at(1_795_428_000_000)),
            ("2026-11-23", at(1_795_392_000_000)),
            ("1970-01-01", at(0)),
            ("2024-02-29", at(1_709_164_800_000)),
            ("1795441035", Err(BadMoment::Seconds)),
            ("2023-02-29", Err(BadMoment::Unreadable)),
            ("2026-13-01", Err(BadMoment::Unreadable)),
            ("2026-11-23T24:00:00Z", Err(BadMoment::Unreadable)),
            ("2026-11-23T10", Err(BadMoment::Unreadable)),
            ("1970-01-01T00:00:00+00:01", Err(BadMoment::Unreadable)),
            ("10", Err(BadMoment::Seconds)),
            ("10w", Err(BadMoment::Unreadable)),
            ("h", Err(BadMoment::Unreadable)),
            ("-5m", Err(BadMoment::Unreadable)),
            ("99999999999999999999d", Err(BadMoment::Unreadable)),
            ("soon", Err(BadMoment::Unreadable)),
            ("zwölf", Err(BadMoment::Unreadable)),
        ] {
            assert_eq!(Moment::parse(text), expected, "{text}");
        }
        assert_eq!(Moment::parse(""), Err(BadMoment::Unreadable));
        assert_eq!(Moment::Ago { ms: 5 }.unix_ms(12), 7);
        assert_eq!(Moment::Ago { ms: 5 }.unix_ms(2), 0);
    }

    #[test]
    fn times_for_people() {
        for (unix_ms, expected) in [
            (0, "1970-01-01 00:00:00"),
            (1_709_251_199_999, "2024-02-29 23:59:59"),
            (1_795_428_000_000, "2026-11-23 10:00:00"),
            (1_798_761_599_000, "2026-12-31 23:59:59"),
        ] {
            assert_eq!(written(unix_ms), expected);
        }
        assert!(written(u64::MAX).starts_with("9999-12-"));
        for (ms, expected) in [
            (999, "0 s"),
            (59_999, "59 s"),
            (60_000, "1 min"),
            (61_000, "1 min 1 s"),
            (7_200_000, "2 h"),
            (5_400_000, "1 h 30 min"),
            (90_000_000, "1 d 1 h"),
        ] {
            assert_eq!(lasting(ms), expected);
        }
    }
}
