//! What a message says on a phone that shows it without opening the app.

use chat::Message;
use chat::event::MessageName;
use protocol::MsgKey;
use serde_json::{Map, Value};
use std::fmt;

/// A message as a carrier is given it.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Notice {
    /// Names the message to the app on the phone, and one notice to the carrier: a second one takes the first one's
    /// place.
    pub(super) key: String,
    pub(super) sender: String,
    pub(super) title: Option<String>,
    pub(super) text: String,
    pub(super) ext: Option<String>,
    /// The recipient's unread total.
    pub(super) badge: u32,
    pub(super) android: Android,
    pub(super) apple: Apple,
}

/// What the sender wants on Android.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Android {
    pub(super) sound: Option<String>,
    pub(super) channel: Option<String>,
    pub(super) image: Option<String>,
}

/// What the sender wants on Apple's devices.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Apple {
    pub(super) sound: Option<String>,
    pub(super) title: Option<String>,
    pub(super) subtitle: Option<String>,
    pub(super) image: Option<String>,
    pub(super) keeps_badge: bool,
    /// An extension of the app may change it before it is shown.
    pub(super) mutable: bool,
    /// The app is woken, and nothing is shown.
    pub(super) silent: bool,
    pub(super) interruption_level: Option<String>,
}

// Without what was written.
impl fmt::Debug for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notice").field("key", &self.key).finish_non_exhaustive()
    }
}

/// Why a message is not shown on phones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mute {
    /// Its sender does not want that.
    Wish,
    /// There is nothing to show of it.
    NoText,
}

impl Notice {
    /// What is shown of a message from somebody of this name, which may be empty.
    pub(super) fn of(message: &Message, nick: &str, badge: u32) -> Result<Self, Mute> {
        let wishes: Option<Map<String, Value>> = serde_json::from_slice(&message.offline_push).ok();
        let elements: Vec<Value> = serde_json::from_slice(&message.body).unwrap_or_default();
        let wish = |name: &str| wishes.as_ref().and_then(|wishes| wishes.get(name));
        if wish("PushFlag").and_then(Value::as_u64) == Some(1) {
            return Err(Mute::Wish);
        }
        // The settings of a custom element only count where the message itself has none.
        let custom = elements.iter().find(|element| kind(element) == "TIMCustomElem");
        let custom = custom.filter(|_| wishes.is_none()).map(|element| &element["MsgContent"]);
        let custom_text = |name: &str| custom.and_then(|custom| text(custom.get(name)));
        let body = text(wish("Desc")).unwrap_or_else(|| {
            elements.iter().map(|element| element_text(element, wishes.is_none())).collect()
        });
        if body.is_empty() {
            return Err(Mute::NoText);
        }
        let title = text(wish("Title"));
        let name = MessageName::of(message);
        let key = MsgKey { seq: name.wire_seq, random: name.random, time_s: name.time_s };
        Ok(Self {
            key: key.to_string(),
            sender: message.from.to_string(),
            // A title takes the place of the name.
            text: if title.is_none() && !nick.is_empty() { format!("{nick}: {body}") } else { body },
            title,
            ext: text(wish("Ext")).or_else(|| custom_text("Ext")),
            badge,
            android: Android::of(wish("AndroidInfo")),
            apple: Apple::of(wish("ApnsInfo"), custom_text("Sound")),
        })
    }
}

impl Android {
    fn of(wishes: Option<&Value>) -> Self {
        let wish = |name: &str| wishes.and_then(|wishes| text(wishes.get(name)));
        Self {
            sound: wish("Sound"),
            // Client SDKs and REST have different names for it.
            channel: wish("GoogleChannelID").or_else(|| wish("FCMChannelID")),
            image: wish("GoogleImage"),
        }
    }
}

impl Apple {
    fn of(wishes: Option<&Value>, custom_sound: Option<String>) -> Self {
        let wish = |name: &str| wishes.and_then(|wishes| text(wishes.get(name)));
        let is_set =
            |name: &str| wishes.and_then(|wishes| wishes.get(name)).and_then(Value::as_u64) == Some(1);
        Self {
            sound: wish("Sound").or(custom_sound),
            title: wish("Title"),
            subtitle: wish("SubTitle"),
            image: wish("Image"),
            keeps_badge: is_set("BadgeMode"),
            mutable: is_set("MutableContent"),
            silent: is_set("ContentAvailable"),
            // Another word would make the carrier refuse all of it.
            interruption_level: wish("InterruptionLevel").filter(|level| {
                ["active", "critical", "passive", "time-sensitive"].contains(&level.as_str())
            }),
        }
    }
}

fn kind(element: &Value) -> &str {
    element["MsgType"].as_str().unwrap_or_default()
}

fn text(value: Option<&Value>) -> Option<String> {
    value.and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// What one element adds to the text.
fn element_text(element: &Value, custom_counts: bool) -> String {
    let content = &element["MsgContent"];
    let own = |name: &str| text(content.get(name)).unwrap_or_default();
    match kind(element) {
        "TIMTextElem" => own("Text"),
        "TIMCustomElem" if custom_counts => own("Desc"),
        "TIMLocationElem" => "[Location]".to_owned(),
        "TIMFaceElem" => "[Face]".to_owned(),
        "TIMImageElem" => "[Image]".to_owned(),
        "TIMSoundElem" => "[Voice]".to_owned(),
        "TIMVideoFileElem" => "[Video]".to_owned(),
        "TIMFileElem" => "[File]".to_owned(),
        "TIMRelayElem" => "[Chat History]".to_owned(),
        _ => String::new(),
    }
}

/// The longest payload that fits, made by `write` of the text as it is or of its beginning. `None`: not even without
/// any text does it fit.
pub(super) fn fitted(text: &str, bytes_max: usize, write: impl Fn(&str) -> Vec<u8>) -> Option<Vec<u8>> {
    let whole = write(text);
    if whole.len() <= bytes_max {
        return Some(whole);
    }
    // Escapes make some characters longer than others, so it is tried out instead of counted.
    let ends: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
    let cut = |chars: usize| write(&format!("{}…", &text[..ends[chars]]));
    let fitting = ends.partition_point(|end| write(&format!("{}…", &text[..*end])).len() <= bytes_max);
    (fitting > 0).then(|| cut(fitting - 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use chat::message::Fate;
    use chat::{Delivery, UserId};

    fn message(body: &str, push: &str) -> Message {
        Message {
            from: UserId::new("ana").unwrap(),
            to: UserId::new("bo").unwrap(),
            time_s: 1_767_000_000,
            seq: 7,
            wire_seq: 7,
            wire_seq_given: false,
            random: 9,
            client_time_s: 1_767_000_000,
            body: Bytes::from(body.to_owned()),
            custom_data: Bytes::new(),
            offline_push: Bytes::from(push.to_owned()),
            content_crc: 0,
            delivery: Delivery::default(),
            fate: Fate::default(),
        }
    }

    const TEXT: &str = r#"{"MsgType":"TIMTextElem","MsgContent":{"Text":"lunch?"}}"#;
    const FACE: &str = r#"{"MsgType":"TIMFaceElem","MsgContent":{"Index":1,"Data":"x"}}"#;
    const PLACE: &str =
        r#"{"MsgType":"TIMLocationElem","MsgContent":{"Desc":"home","Latitude":1,"Longitude":2}}"#;
    const BARE: &str = r#"{"MsgType":"TIMCustomElem","MsgContent":{"Data":"secret"}}"#;
    const OWN: &str = r#"{"MsgType":"TIMCustomElem","MsgContent":{"Data":"secret","Desc":"an offer","Ext":"e","Sound":"s.caf"}}"#;

    #[test]
    fn texts_as_a_table() {
        for (elements, push, nick, shown) in [
            (TEXT.to_owned(), "", "Ana", Ok((None, "Ana: lunch?"))),
            (TEXT.to_owned(), "", "", Ok((None, "lunch?"))),
            (format!("{TEXT},{FACE},{PLACE}"), "", "Ana", Ok((None, "Ana: lunch?[Face][Location]"))),
            (OWN.to_owned(), "", "Ana", Ok((None, "Ana: an offer"))),
            (BARE.to_owned(), "", "Ana", Err(Mute::NoText)),
            (format!("{BARE},{FACE}"), "", "", Ok((None, "[Face]"))),
            (TEXT.to_owned(), r#"{"PushFlag":1,"Desc":"d"}"#, "", Err(Mute::Wish)),
            (TEXT.to_owned(), r#"{"PushFlag":0}"#, "", Ok((None, "lunch?"))),
            (format!("{TEXT},{FACE}"), r#"{"Desc":"news"}"#, "Ana", Ok((None, "Ana: news"))),
            (TEXT.to_owned(), r#"{"Title":"Shop","Desc":"news"}"#, "Ana", Ok((Some("Shop"), "news"))),
            (TEXT.to_owned(), r#"{"Title":"","Desc":""}"#, "Ana", Ok((None, "Ana: lunch?"))),
            // The settings of the message are there, so those of its custom element do not count.
            (OWN.to_owned(), "{}", "Ana", Err(Mute::NoText)),
            (OWN.to_owned(), r#"{"Desc":"d"}"#, "", Ok((None, "d"))),
            (String::new(), "", "", Err(Mute::NoText)),
        ] {
            let notice = Notice::of(&message(&format!("[{elements}]"), push), nick, 3);
            let shown_ = notice.as_ref().map(|notice| (notice.title.as_deref(), notice.text.as_str()));
            assert_eq!(shown_.map_err(|mute| *mute), shown, "{elements} {push}");
        }
    }

    #[test]
    fn wishes_of_the_sender() {
        let notice = Notice::of(&message(&format!("[{OWN}]"), ""), "Ana", 3).unwrap();
        assert_eq!((notice.key.as_str(), notice.sender.as_str()), ("7_9_1767000000", "ana"));
        assert_eq!((notice.ext.as_deref(), notice.apple.sound.as_deref()), (Some("e"), Some("s.caf")));
        assert_eq!((notice.badge, notice.android), (3, Android::default()));
        let push = r#"{"Desc":"d","Ext":"{\"a\":1}",
            "AndroidInfo":{"Sound":"ding","GoogleChannelID":"chat","GoogleImage":"https://e.example/a.png"},
            "ApnsInfo":{"Sound":"t.caf","BadgeMode":1,"Title":"T","SubTitle":"S","Image":"i","MutableContent":1,
                        "ContentAvailable":0,"InterruptionLevel":"time-sensitive"}}"#;
        let notice = Notice::of(&message(&format!("[{OWN}]"), push), "", 3).unwrap();
        assert_eq!(notice.ext.as_deref(), Some(r#"{"a":1}"#));
        let some = |text: &str| Some(text.to_owned());
        let android =
            Android { sound: some("ding"), channel: some("chat"), image: some("https://e.example/a.png") };
        assert_eq!(notice.android, android);
        let apple = Apple {
            sound: some("t.caf"),
            title: some("T"),
            subtitle: some("S"),
            image: some("i"),
            keeps_badge: true,
            mutable: true,
            silent: false,
            interruption_level: some("time-sensitive"),
        };
        assert_eq!(notice.apple, apple);
        let odd = r#"{"Desc":"d","ApnsInfo":{"InterruptionLevel":"loud","Sound":7}}"#;
        assert_eq!(Notice::of(&message("[]", odd), "", 3).unwrap().apple, Apple::default());
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        let write = |text: &str| format!("<{}>", text.replace('"', "\\\"")).into_bytes();
        let cut = |text: &str, bytes_max| {
            fitted(text, bytes_max, write).map(|bytes| String::from_utf8(bytes).unwrap())
        };
        for (text, bytes_max, expected) in [
            ("short", 7, Some("<short>")),
            ("longer", 7, Some("<lo…>")),
            ("ééééé", 10, Some("<éé…>")),
            ("ééééé", 9, Some("<éé…>")),
            ("\"\"\"\"", 9, Some("<\\\"\\\"…>")),
            ("longer", 5, Some("<…>")),
            ("longer", 4, None),
        ] {
            assert_eq!(cut(text, bytes_max).as_deref(), expected, "{text} {bytes_max}");
        }
    }
}
