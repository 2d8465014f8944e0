//! Reading JSON the way real clients write it.
//!
//! An object is read in one pass into [`Slot`]s, one per known member, which keep the member's JSON text. Unknown
//! members are ignored, of a doubled member the last counts, `null` is the same as absent. Each slot is then asked for
//! the type that is wanted, so that the caller can answer with the code of exactly that member. Integers may come as
//! strings (`"12"`) or with an empty fraction (`12.0`).

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

/// A value is there and has the wrong type, or is out of range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct WrongType;

/// The JSON text of one member, or nothing.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Slot<'a>(Option<&'a RawValue>);

impl<'a> Slot<'a> {
    /// A slot that holds this value; `null` is the same as nothing.
    pub(crate) fn new(raw: &'a RawValue) -> Self {
        Slot((raw.get() != "null").then_some(raw))
    }

    /// Whether there is no value.
    pub(crate) fn is_absent(self) -> bool {
        self.0.is_none()
    }

    /// The JSON text, whatever it is.
    pub(crate) fn raw(self) -> Option<&'a RawValue> {
        self.0
    }

    /// A string, borrowed when it has no escapes.
    pub(crate) fn string(self) -> Result<Option<Cow<'a, str>>, WrongType> {
        self.0.map(string).transpose()
    }

    /// An unsigned 32-bit integer.
    pub(crate) fn u32(self) -> Result<Option<u32>, WrongType> {
        self.integer()?.map(u32::try_from).transpose().map_err(|_| WrongType)
    }

    /// An unsigned 64-bit integer.
    pub(crate) fn u64(self) -> Result<Option<u64>, WrongType> {
        self.integer()?.map(u64::try_from).transpose().map_err(|_| WrongType)
    }

    /// A signed 64-bit integer.
    pub(crate) fn i64(self) -> Result<Option<i64>, WrongType> {
        self.integer()?.map(i64::try_from).transpose().map_err(|_| WrongType)
    }

    /// 0 or 1, or `false` or `true`; absent is `false`.
    pub(crate) fn flag(self) -> Result<bool, WrongType> {
        match self.0.map(RawValue::get) {
            Some("true") => Ok(true),
            Some("false") => Ok(false),
            _ => match self.u32()? {
                None | Some(0) => Ok(false),
                Some(1) => Ok(true),
                Some(_) => Err(WrongType),
            },
        }
    }

    /// An array, as the JSON text of its items.
    pub(crate) fn array(self) -> Result<Option<Vec<Slot<'a>>>, WrongType> {
        let Some(raw) = self.0 else { return Ok(None) };
        let items: Vec<&RawValue> = serde_json::from_str(raw.get()).map_err(|_| WrongType)?;
        Ok(Some(items.into_iter().map(Slot::new).collect()))
    }

    /// An object, read into the type that one of the `slots!` macros made.
    pub(crate) fn object<T: Deserialize<'a>>(self) -> Result<Option<T>, WrongType> {
        self.0.map(|raw| serde_json::from_str(raw.get())).transpose().map_err(|_| WrongType)
    }

    /// An object whose names the sender chose, in its order.
    pub(crate) fn entries(self) -> Result<Option<Vec<Entry<'a>>>, WrongType> {
        self.object::<Entries<'a>>().map(|entries| entries.map(|entries| entries.0))
    }

    fn integer(self) -> Result<Option<i128>, WrongType> {
        let Some(raw) = self.0 else { return Ok(None) };
        let text = raw.get();
        let number = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
        integer(number).map(Some).ok_or(WrongType)
    }
}

fn string(raw: &RawValue) -> Result<Cow<'_, str>, WrongType> {
    let text = raw.get();
    let inner = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).ok_or(WrongType)?;
    if !inner.contains('\\') {
        return Ok(Cow::Borrowed(inner));
    }
    // Half of a surrogate pair passes the outer parser and is found only here.
    serde_json::from_str(text).map(Cow::Owned).map_err(|_| WrongType)
}

/// The value of the text as a whole number; i128 holds every u64 and i64, and the caller narrows it.
pub(crate) fn integer(text: &str) -> Option<i128> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.as_bytes()[0].is_ascii_digit() {
        return None;
    }
    // Up to 19 digits fit a u64, which is what nearly every number is.
    if digits.len() <= 19 && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        let magnitude = i128::from(digits.parse::<u64>().ok()?);
        return Some(if digits.len() == text.len() { magnitude } else { -magnitude });
    }
    if let Ok(value) = text.parse::<i128>() {
        return Some(value);
    }
    // Beyond 2^53 a float no longer says which integer was meant.
    const EXACT_MAX: f64 = 9_007_199_254_740_992.0;
    let value: f64 = text.parse().ok()?;
    (value.fract() == 0.0 && value.abs() <= EXACT_MAX).then_some(value as i128)
}

/// Parses a whole body into slots. The bytes must be UTF-8 and one JSON object.
pub(crate) fn body<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, WrongType> {
    // One check of the whole text is cheaper than one per string, which is what parsing from bytes does.
    let text = std::str::from_utf8(bytes).map_err(|_| WrongType)?;
    serde_json::from_str(text).map_err(|_| WrongType)
}

/// The name of a member, borrowed unless it is written with escapes.
pub(crate) struct Name<'a>(pub(crate) Cow<'a, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameVisitor;
        impl<'de> Visitor<'de> for NameVisitor {
            type Value = Name<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a member name")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Borrowed(text)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(NameVisitor)
    }
}

/// A member whose name the sender chose, and its value.
pub(crate) type Entry<'a> = (Cow<'a, str>, Slot<'a>);

struct Entries<'a>(Vec<Entry<'a>>);

impl<'de> Deserialize<'de> for Entries<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EntriesVisitor;
        impl<'de> Visitor<'de> for EntriesVisitor {
            type Value = Entries<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Entries<'de>, M::Error> {
                let mut entries = Vec::new();
                while let Some(Name(name)) = map.next_key()? {
                    entries.push((name, Slot::new(map.next_value()?)));
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(EntriesVisitor)
    }
}

/// Makes a struct of [`Slot`]s with the names that its members have on the wire.
macro_rules! slots {
    (struct $type:ident { $( $field:ident: $($name:literal)|+, )+ }) => {
        #[derive(Default)]
        struct $type<'a> { $( $field: $crate::lenient::Slot<'a>, )+ }

        impl<'de> serde::Deserialize<'de> for $type<'de> {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct SlotsVisitor;
                impl<'de> serde::de::Visitor<'de> for SlotsVisitor {
                    type Value = $type<'de>;
                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str("an object")
                    }
                    fn visit_map<M: serde::de::MapAccess<'de>>(self, mut map: M) -> Result<$type<'de>, M::Error> {
                        #[cfg(test)]
                        $crate::lenient::known_names::note(&[ $( $($name),+ ),+ ]);
                        let mut slots = <$type<'de>>::default();
                        while let Some($crate::lenient::Name(name)) = map.next_key()? {
                            match &*name {
                                $( $($name)|+ => slots.$field = $crate::lenient::Slot::new(map.next_value()?), )+
                                _ => { map.next_value::<serde::de::IgnoredAny>()?; }
                            }
                        }
                        Ok(slots)
                    }
                }
                deserializer.deserialize_map(SlotsVisitor)
            }
        }
    };
}
pub(crate) use slots;

/// Which names the parsers know, so that a test can hold what is written about them to it.
#[cfg(test)]
pub(crate) mod known_names {
    use std::cell::RefCell;

    thread_local! {
        static NOTED: RefCell<Vec<&'static [&'static str]>> = const { RefCell::new(Vec::new()) };
    }

    /// Called with the names of every object that is read.
    pub(crate) fn note(names: &'static [&'static str]) {
        NOTED.with_borrow_mut(|noted| noted.push(names));
    }

    /// What was noted while something was read.
    pub(crate) fn during<T>(read: impl FnOnce() -> T) -> (T, Vec<&'static [&'static str]>) {
        NOTED.take();
        (read(), NOTED.take())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    slots! { struct Sample { first: "First" | "Old", second: "Second", } }

    fn slot(text: &str) -> Slot<'_> {
        Slot::new(serde_json::from_str(text).unwrap())
    }

    #[test]
    fn integers() {
        let table = [
            ("0", Some(0)),
            ("\"12\"", Some(12)),
            ("12.0", Some(12)),
            ("1e3", Some(1000)),
            ("4294967295", Some(4_294_967_295)),
            ("-7", Some(-7)),
            ("\"-7\"", Some(-7)),
            ("-0", Some(0)),
            ("-0.0", Some(0)),
            ("9223372036854775807", Some(i64::MAX)),
            ("-9223372036854775808", Some(i64::MIN)),
            ("9223372036854775808", None),
            ("12.5", None),
            ("1e300", None),
            ("1e999", None),
            ("\"\"", None),
            ("\"+1\"", None),
            ("\" 1\"", None),
            ("\"１\"", None),
            ("\"inf\"", None),
            ("\"\\u0031\"", None),
            ("\"1", None),
            ("true", None),
            ("[1]", None),
            ("{}", None),
        ];
        for (text, expected) in table {
            let Ok(raw) = serde_json::from_str(text) else {
                assert_eq!(expected, None);
                continue;
            };
            assert_eq!(Slot::new(raw).i64().ok().flatten(), expected, "{text}");
        }
        assert_eq!(slot("18446744073709551615").u64(), Ok(Some(u64::MAX)));
        assert_eq!(slot("18446744073709551616").u64(), Err(WrongType));
        assert_eq!(slot("4294967296").u32(), Err(WrongType));
        assert_eq!(slot("-1").u32(), Err(WrongType));
        assert_eq!(slot("null").u32(), Ok(None));
    }

    #[test]
    fn flags_and_strings() {
        let flags =
            [("0", Ok(false)), ("1", Ok(true)), ("\"1\"", Ok(true)), ("true", Ok(true)), ("null", Ok(false))];
        for (text, expected) in flags {
            assert_eq!(slot(text).flag(), expected, "{text}");
        }
        assert_eq!(slot("2").flag(), Err(WrongType));
        let strings = [
            ("\"a\"", Ok(Some("a"))),
            ("\"a\\n\"", Ok(Some("a\n"))),
            ("\"\"", Ok(Some(""))),
            ("null", Ok(None)),
            ("1", Err(WrongType)),
            ("\"\\ud800\"", Err(WrongType)),
        ];
        for (text, expected) in strings {
            assert_eq!(
                slot(text).string().as_ref().map(Option::as_deref),
                expected.as_ref().copied(),
                "{text}"
            );
        }
        assert!(matches!(slot("\"plain\"").string(), Ok(Some(Cow::Borrowed(_)))));
    }

    #[test]
    fn objects_with_names_of_the_senders_choice() {
        let entries = slot(r#"{"b":1,"\u0061":null,"b":"x"}"#).entries().unwrap().unwrap();
        let names: Vec<&str> = entries.iter().map(|(name, _)| &**name).collect();
        assert_eq!(names, ["b", "a", "b"]);
        assert_eq!(entries[0].1.u32(), Ok(Some(1)));
        assert!(entries[1].1.is_absent());
        assert!(slot("null").entries().unwrap().is_none());
        for bad in ["[]", "1", "\"x\"", r#"{"\ud800":1}"#] {
            assert!(slot(bad).entries().is_err(), "{bad}");
        }
    }

    #[test]
    fn objects() {
        let sample: Sample<'_> = body(br#" {"First":1,"x":[{}],"Old":2,"\u0053econd":null} "#).unwrap();
        assert_eq!(sample.first.u32(), Ok(Some(2)), "the last one counts, under either name");
        assert!(sample.second.is_absent());
        for bad in ["", "[]", "1", "null", "{", "{}x", "{\"First\":}", "\u{feff}{}"] {
            assert!(body::<Sample<'_>>(bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(body::<Sample<'_>>(b"{\"First\":\"\xff\"}").is_err());
    }
}
