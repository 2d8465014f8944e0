//! Where a reader is in an app's events, as the text that it keeps for us.

use chat::event::{EventId, Lane};
use chat::port::LaneExtent;
use std::fmt;
use std::str::FromStr;

/// A place in an app's events: behind an offset in each of its lanes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Position(pub(super) Vec<Place>);

/// A place in one lane. A lane without events has no epoch yet: its only place is 0 in epoch 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) epoch: u64,
    pub(super) offset: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Malformed;

/// Why a place leads nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gone {
    /// Of another app, or from before the server's data were replaced.
    OtherLog,
    Ahead {
        last: u64,
    },
    Forgotten {
        /// The first event that is not.
        first: u64,
    },
}

impl Gone {
    pub(super) fn words(self, place: Place) -> String {
        let behind = place.offset.saturating_add(1);
        match self {
            Self::OtherLog => "the position is of another log".to_owned(),
            Self::Ahead { last } => format!("the position is beyond the end of the log, which is at {last}"),
            Self::Forgotten { first } if first.checked_sub(1) == Some(behind) => {
                format!("event {behind} was forgotten before it was read")
            }
            Self::Forgotten { first } => {
                format!("events {behind} to {} were forgotten before they were read", first - 1)
            }
        }
    }
}

impl Place {
    /// Before the first event that is still there.
    pub(super) fn oldest(extent: Option<LaneExtent>) -> Self {
        Self::behind(extent, extent.map_or(0, |extent| extent.gone))
    }

    pub(super) fn end(extent: Option<LaneExtent>) -> Self {
        Self::behind(extent, extent.map_or(0, |extent| extent.last))
    }

    pub(super) fn behind(extent: Option<LaneExtent>, offset: u64) -> Self {
        Self { epoch: extent.map_or(0, |extent| extent.epoch), offset }
    }

    /// The place as it has to be read from, if everything behind it is still there as far as the lane's ends tell.
    pub(super) fn check(self, extent: Option<LaneExtent>) -> Result<Self, Gone> {
        let Some(extent) = extent else {
            return if self == Self::oldest(None) { Ok(self) } else { Err(Gone::OtherLog) };
        };
        let began_empty = self == Self::oldest(None);
        if self.epoch != extent.epoch && !began_empty {
            return Err(Gone::OtherLog);
        }
        if self.offset > extent.last {
            return Err(Gone::Ahead { last: extent.last });
        }
        if self.offset < extent.gone {
            return Err(Gone::Forgotten { first: extent.gone + 1 });
        }
        Ok(Self { epoch: extent.epoch, ..self })
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, Place { epoch, offset }) in self.0.iter().enumerate() {
            let dot = if index == 0 { "" } else { "." };
            write!(f, "{dot}{epoch:x}-{offset}")?;
        }
        Ok(())
    }
}

impl FromStr for Position {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let place = |text: &str| {
            let (epoch, offset) = text.split_once('-')?;
            Some(Place { epoch: hexadecimal(epoch)?, offset: decimal(offset)? })
        };
        text.split('.').map(place).collect::<Option<_>>().map(Self).ok_or(Malformed)
    }
}

/// Reads the name of an event, as its id writes itself.
pub(super) fn event_id(text: &str) -> Option<EventId> {
    let mut parts = text.strip_prefix("evt_")?.split('_');
    let app = chat::AppId(u32::try_from(decimal(parts.next()?)?).ok()?);
    let index = u16::try_from(decimal(parts.next()?)?).ok()?;
    let id = EventId {
        lane: Lane { app, index },
        epoch: hexadecimal(parts.next()?)?,
        offset: decimal(parts.next()?)?,
    };
    // Nothing else names it: not with a zero in front, not with more behind.
    (id.to_string() == text).then_some(id)
}

fn decimal(text: &str) -> Option<u64> {
    // `parse` alone would take a leading plus sign.
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

fn hexadecimal(text: &str) -> Option<u64> {
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    text.bytes().all(is_digit).then(|| u64::from_str_radix(text, 16).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places<const N: usize>(places: [(u64, u64); N]) -> Position {
        Position(places.map(|(epoch, offset)| Place { epoch, offset }).to_vec())
    }

    #[test]
    fn positions_both_ways() {
        for (text, expected) in [
            ("1a2089f6c0a-17", Some(places([(0x1a2_089f_6c0a, 17)]))),
            ("0-0", Some(places([(0, 0)]))),
            ("a-1.b-2", Some(places([(10, 1), (11, 2)]))),
            ("ffffffffffffffff-18446744073709551615", Some(places([(u64::MAX, u64::MAX)]))),
            ("10000000000000000-1", None),
            ("a-18446744073709551616", None),
            ("a-1.", None),
            ("a-", None),
            ("-1", None),
            ("a-1-2", None),
            ("A-1", None),
            ("a-+1", None),
            ("now", None),
            ("", None),
        ] {
            let read = text.parse::<Position>().ok();
            assert_eq!(read, expected, "{text}");
            if let Some(position) = read {
                assert_eq!(position.to_string(), text);
            }
        }
    }

    #[test]
    fn places_against_what_there_is() {
        let extent = Some(LaneExtent { epoch: 7, gone: 3, last: 9 });
        let untouched = Some(LaneExtent { epoch: 7, gone: 0, last: 9 });
        for (place, extent, expected) in [
            ((7, 3), extent, Ok((7, 3))),
            ((7, 9), extent, Ok((7, 9))),
            ((7, 2), extent, Err("event 3 was forgotten before it was read")),
            ((7, 0), extent, Err("events 1 to 3 were forgotten before they were read")),
            ((7, 10), extent, Err("the position is beyond the end of the log, which is at 9")),
            ((8, 5), extent, Err("the position is of another log")),
            ((0, 0), None, Ok((0, 0))),
            ((0, 0), untouched, Ok((7, 0))),
            ((0, 0), extent, Err("events 1 to 3 were forgotten before they were read")),
            ((0, 1), untouched, Err("the position is of another log")),
            ((7, 1), None, Err("the position is of another log")),
        ] {
            let place = Place { epoch: place.0, offset: place.1 };
            let checked = place.check(extent).map_err(|gone| gone.words(place));
            let expected = expected.map(|(epoch, offset)| Place { epoch, offset }).map_err(str::to_owned);
            assert_eq!(checked, expected, "{place:?} in {extent:?}");
        }
    }

    #[test]
    fn the_name_of_an_event() {
        let id = event_id("evt_1400000001_0_1a2089f6c0a_17").unwrap();
        assert_eq!(
            (id.lane.app.0, id.lane.index, id.epoch, id.offset),
            (1_400_000_001, 0, 0x1a2_089f_6c0a, 17)
        );
        for text in [
            "",
            "evt_",
            "evt_1_0_a",
            "evt_1_0_a_1_2",
            "evt_1_0_a_01",
            "evt_1_0_A_1",
            "evt_1_65536_a_1",
            "evt_4294967296_0_a_1",
            "msg_1_0_a_1",
        ] {
            assert!(event_id(text).is_none(), "{text}");
        }
    }
}
