//! The elements of a `MsgBody`: what each may contain, how much a message weighs, and its texts.
//!
//! The JSON that the app sent is what is stored and passed on; it is looked at here and never written anew, save for
//! [`mask_texts`]. Members that are not known are kept and ignored. A known member that appears twice is refused:
//! readers differ in which of the two they show, and a content filter must not be looking at the other one.

use std::{borrow::Cow, fmt};

use serde_json::value::RawValue;

use crate::{
    code::{ErrorCode, Failure},
    json, lenient,
    limits::{MESSAGE_LEN_MAX, MSG_BODY_JSON_LEN_MAX, RELAY_DEPTH_MAX},
    scan::{Cursor, Kind, Malformed, Value},
};

/// What a look at a valid `MsgBody` shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inspected<'a> {
    /// Decoded strings and digits of every `MsgContent`, plus the custom data, in bytes.
    pub size_bytes: usize,
    /// Elements of every type.
    pub element_count: usize,
    /// Elements of type `TIMCustomElem`: 0 or 1.
    pub custom_count: usize,
    /// The text of every `TIMTextElem`, in order; texts inside a combined message are not among them.
    pub texts: Vec<Cow<'a, str>>,
}

/// Checks a `MsgBody` and weighs it together with the message's `CloudCustomData`.
///
/// Refused with [`ErrorCode::PacketTooLarge`] (JSON text above 128 KiB), [`ErrorCode::MsgBodyNotArray`],
/// [`ErrorCode::BadElement`] (no elements, or one without `MsgType` or `MsgContent`), [`ErrorCode::BadFormat`] (unknown
/// type, a member missing or of the wrong type, a second custom element) or [`ErrorCode::MessageTooLong`].
pub fn inspect<'a>(body: &'a RawValue, custom_data: &str) -> Result<Inspected<'a>, Failure> {
    let mut texts = Vec::new();
    let sums = walk(body.get(), |text| {
        texts.push(text.string()?);
        Ok(())
    })?;
    let size_bytes = sums.size_bytes + custom_data.len();
    if size_bytes > MESSAGE_LEN_MAX {
        let info = format!("the message has {size_bytes} bytes; {MESSAGE_LEN_MAX} are allowed");
        return Err(ErrorCode::MessageTooLong.with(info));
    }
    Ok(Inspected { size_bytes, element_count: sums.element_count, custom_count: sums.custom_count, texts })
}

/// Replaces texts: `replace` sees the text of every `TIMTextElem` in turn and returns the one to put in its place.
/// Everything else stays byte for byte as it was. `None` when nothing was replaced; refused like [`inspect`], except
/// that the size is not judged.
pub fn mask_texts(
    body: &RawValue,
    mut replace: impl FnMut(&str) -> Option<String>,
) -> Result<Option<Box<RawValue>>, Failure> {
    let source = body.get();
    let mut masked = Vec::new();
    let mut copied = 0;
    walk(source, |text| {
        if let Some(replacement) = replace(&text.string()?) {
            masked.extend_from_slice(&source.as_bytes()[copied..text.at]);
            json::string(&mut masked, &replacement);
            copied = text.at + text.text.len();
        }
        Ok(())
    })?;
    if copied == 0 {
        return Ok(None);
    }
    masked.extend_from_slice(&source.as_bytes()[copied..]);
    let masked = String::from_utf8(masked).expect("pieces of a string between JSON strings are UTF-8");
    let masked =
        RawValue::from_string(masked).expect("a JSON string in the place of another keeps JSON valid");
    Ok(Some(masked))
}

/// A type of element.
#[derive(Debug)]
pub struct Element {
    /// `MsgType`.
    pub name: &'static str,
    /// What `MsgContent` may have. Others are kept and not looked at.
    pub fields: &'static [Field],
}

/// A member of a `MsgContent`, or of an object in one.
#[derive(Debug)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// What it may hold.
    pub shape: Shape,
    /// Whether it has to be there.
    pub required: bool,
}

/// What a member of a `MsgContent` may hold.
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    /// A string.
    Text,
    /// The string that is shown: what content filters look at.
    ShownText,
    /// A number, or a string with a number in it.
    Number,
    /// The only allowed value of a download flag: fetch from the URL.
    DownloadFlag,
    /// An array of strings.
    Texts,
    /// A non-empty array of objects with these fields.
    Objects(&'static [Field]),
    /// The same, but only its items are looked at, not what they contain.
    Messages(&'static [Field]),
    /// Any array.
    Array,
}

const fn required(name: &'static str, shape: Shape) -> Field {
    Field { name, shape, required: true }
}

const fn optional(name: &'static str, shape: Shape) -> Field {
    Field { name, shape, required: false }
}

/// The types of elements that there are.
pub static ELEMENTS: [Element; 9] = [
    Element { name: "TIMTextElem", fields: &[required("Text", Shape::ShownText)] },
    Element {
        name: CUSTOM,
        fields: &[
            optional("Data", Shape::Text),
            optional("Desc", Shape::Text),
            optional("Ext", Shape::Text),
            optional("Sound", Shape::Text),
        ],
    },
    Element {
        name: "TIMFaceElem",
        fields: &[optional("Index", Shape::Number), optional("Data", Shape::Text)],
    },
    Element {
        name: "TIMLocationElem",
        fields: &[
            optional("Desc", Shape::Text),
            optional("Latitude", Shape::Number),
            optional("Longitude", Shape::Number),
        ],
    },
    Element {
        name: "TIMImageElem",
        fields: &[
            required("UUID", Shape::Text),
            optional("ImageFormat", Shape::Number),
            required("ImageInfoArray", Shape::Objects(IMAGE_FIELDS)),
        ],
    },
    Element {
        name: "TIMSoundElem",
        fields: &[
            required("Url", Shape::Text),
            required("UUID", Shape::Text),
            optional("Size", Shape::Number),
            optional("Second", Shape::Number),
            required("Download_Flag", Shape::DownloadFlag),
        ],
    },
    Element {
        name: "TIMFileElem",
        fields: &[
            required("Url", Shape::Text),
            // Documented as required. A server SDK that is in wide use does not send it.
            optional("UUID", Shape::Text),
            optional("FileSize", Shape::Number),
            optional("FileName", Shape::Text),
            required("Download_Flag", Shape::DownloadFlag),
        ],
    },
    Element {
        name: "TIMVideoFileElem",
        fields: &[
            required("VideoUrl", Shape::Text),
            required("VideoUUID", Shape::Text),
            optional("VideoSize", Shape::Number),
            optional("VideoSecond", Shape::Number),
            optional("VideoFormat", Shape::Text),
            required("VideoDownloadFlag", Shape::DownloadFlag),
            required("ThumbUrl", Shape::Text),
            required("ThumbUUID", Shape::Text),
            optional("ThumbSize", Shape::Number),
            required("ThumbWidth", Shape::Number),
            required("ThumbHeight", Shape::Number),
            optional("ThumbFormat", Shape::Text),
            required("ThumbDownloadFlag", Shape::DownloadFlag),
        ],
    },
    Element {
        name: RELAY,
        fields: &[
            optional(MSG_LIST, Shape::Messages(RELAYED_FIELDS)),
            optional(JSON_MSG_KEY, Shape::Text),
            optional("Title", Shape::Text),
            optional("MsgNum", Shape::Number),
            optional("CompatibleText", Shape::Text),
            optional("AbstractList", Shape::Texts),
        ],
    },
];

/// Whether this is the `MsgType` of an element that a message can have.
pub fn is_type(name: &str) -> bool {
    ELEMENTS.iter().any(|element| element.name == name)
}

const CUSTOM: &str = "TIMCustomElem";
const RELAY: &str = "TIMRelayElem";
const MSG_LIST: &str = "MsgList";
const JSON_MSG_KEY: &str = "JsonMsgKey";

const IMAGE_FIELDS: &[Field] = &[
    optional("Type", Shape::Number),
    optional("Size", Shape::Number),
    required("Width", Shape::Number),
    required("Height", Shape::Number),
    required("URL", Shape::Text),
];

const RELAYED_FIELDS: &[Field] = &[
    required("From_Account", Shape::Text),
    optional("To_Account", Shape::Text),
    optional("GroupId", Shape::Text),
    optional("MsgSeq", Shape::Number),
    optional("MsgRandom", Shape::Number),
    optional("MsgTimeStamp", Shape::Number),
    required("MsgBody", Shape::Array),
    optional("CloudCustomData", Shape::Text),
];

/// What adds up over the elements.
#[derive(Default)]
struct Sums {
    size_bytes: usize,
    element_count: usize,
    custom_count: usize,
}

fn walk<'a>(
    text: &'a str,
    mut on_text: impl FnMut(&Value<'a>) -> Result<(), Malformed>,
) -> Result<Sums, Failure> {
    if text.len() > MSG_BODY_JSON_LEN_MAX {
        return Err(ErrorCode::PacketTooLarge.into());
    }
    let mut cursor = Cursor::new(text);
    if !cursor.open(b'[') {
        return Err(ErrorCode::MsgBodyNotArray.into());
    }
    let mut sums = Sums::default();
    while cursor.more(b']') {
        let place = Place { index: sums.element_count, element: None };
        let (element, size_bytes) = walk_element(&mut cursor, place, &mut on_text)?;
        sums.element_count += 1;
        sums.size_bytes += size_bytes;
        sums.custom_count += usize::from(element.name == CUSTOM);
    }
    if sums.element_count == 0 {
        return Err(ErrorCode::BadElement.into());
    }
    if sums.custom_count > 1 {
        return Err(ErrorCode::BadFormat.with("a message may have only one TIMCustomElem"));
    }
    Ok(sums)
}

fn walk_element<'a>(
    cursor: &mut Cursor<'a>,
    mut place: Place,
    on_text: &mut impl FnMut(&Value<'a>) -> Result<(), Malformed>,
) -> Result<(&'static Element, usize), Failure> {
    if !cursor.open(b'{') {
        return Err(ErrorCode::BadElement.with(format!("{place} must be an Object")));
    }
    let mut content = None;
    let mut size_bytes = None;
    while cursor.more(b'}') {
        match &*cursor.name().map_err(|error| place.broken(error))? {
            "MsgType" if place.element.is_some() => return Err(place.twice("MsgType")),
            "MsgType" => place.element = element_named(cursor, place)?,
            "MsgContent" if content.is_some() => return Err(place.twice("MsgContent")),
            "MsgContent" => {
                content = Some(cursor.clone());
                if let Some(element) = place.element {
                    size_bytes = Some(walk_content(cursor, element, place, on_text)?);
                } else {
                    cursor.value().map_err(|error| place.broken(error))?;
                }
            }
            _ => {
                cursor.value().map_err(|error| place.broken(error))?;
            }
        }
    }
    let (Some(element), Some(mut content)) = (place.element, content) else {
        return Err(ErrorCode::BadElement.with(format!("{place} must have MsgType and MsgContent")));
    };
    // The type may stand behind the content, which can be understood only now.
    let size_bytes = match size_bytes {
        Some(size_bytes) => size_bytes,
        None => walk_content(&mut content, element, place, on_text)?,
    };
    Ok((element, size_bytes))
}

fn element_named(cursor: &mut Cursor<'_>, place: Place) -> Result<Option<&'static Element>, Failure> {
    let value = cursor.value().map_err(|error| place.broken(error))?;
    if value.kind == Kind::Null {
        return Ok(None);
    }
    let name = value.string().map_err(|_| place.wrong("MsgType", "a String"))?;
    let element = ELEMENTS.iter().find(|element| element.name == name);
    element.map(Some).ok_or_else(|| place.wrong("MsgType", "one of the documented types"))
}

fn walk_content<'a>(
    cursor: &mut Cursor<'a>,
    element: &'static Element,
    place: Place,
    on_text: &mut impl FnMut(&Value<'a>) -> Result<(), Malformed>,
) -> Result<usize, Failure> {
    let mut fields = Fields { place, size_bytes: 0, on_text };
    let seen = fields.walk(cursor, element.fields)?;
    let size_bytes = fields.size_bytes;
    if element.name == RELAY {
        let has = |name| {
            element.fields.iter().position(|field| field.name == name).is_some_and(|at| seen >> at & 1 == 1)
        };
        if has(MSG_LIST) == has(JSON_MSG_KEY) {
            return Err(place.wrong("MsgContent", "an Object with either MsgList or JsonMsgKey"));
        }
    }
    Ok(size_bytes)
}

/// Walks over objects whose fields are known by a table.
struct Fields<'f, F> {
    place: Place,
    size_bytes: usize,
    on_text: &'f mut F,
}

impl<'a, F: FnMut(&Value<'a>) -> Result<(), Malformed>> Fields<'_, F> {
    /// Steps over one object; returns the fields seen, as bits in the order of the table.
    fn walk(&mut self, cursor: &mut Cursor<'a>, fields: &'static [Field]) -> Result<u32, Failure> {
        let place = self.place;
        if !cursor.open(b'{') {
            return Err(place.wrong("MsgContent", "an Object, and so must every item of its lists"));
        }
        let mut seen = 0_u32;
        while cursor.more(b'}') {
            let name = cursor.name().map_err(|error| place.broken(error))?;
            let Some(index) = fields.iter().position(|field| field.name == name) else {
                self.size_bytes += cursor.value().map_err(|error| place.broken(error))?.weight_bytes;
                continue;
            };
            if seen >> index & 1 == 1 {
                return Err(place.twice(fields[index].name));
            }
            let is_null = self.field(cursor, &fields[index])?;
            seen |= u32::from(!is_null) << index;
        }
        let missing =
            fields.iter().enumerate().find(|(index, field)| field.required && seen >> index & 1 == 0);
        match missing {
            Some((_, field)) => Err(place.wrong(field.name, "given")),
            None => Ok(seen),
        }
    }

    /// Steps over the value of one field; returns whether it is `null`, which is the same as absent.
    fn field(&mut self, cursor: &mut Cursor<'a>, field: &Field) -> Result<bool, Failure> {
        let place = self.place;
        let mut inside = cursor.clone();
        let value = cursor.value().map_err(|error| place.broken(error))?;
        self.size_bytes += value.weight_bytes;
        if value.kind == Kind::Null {
            return Ok(true);
        }
        let wanted = match field.shape {
            Shape::Text if value.kind == Kind::String => return Ok(false),
            Shape::Text => "a String",
            Shape::ShownText if value.kind == Kind::String => {
                (self.on_text)(&value).map_err(|error| place.broken(error))?;
                return Ok(false);
            }
            Shape::ShownText => "a String",
            Shape::Number if is_number(&value) => return Ok(false),
            Shape::Number => "a Number",
            Shape::DownloadFlag if is_two(&value) => return Ok(false),
            Shape::DownloadFlag => "2",
            Shape::Texts if value.kind == Kind::Array && all_strings(&mut inside) => return Ok(false),
            Shape::Texts => "an Array of Strings",
            Shape::Objects(fields) | Shape::Messages(fields) if value.kind == Kind::Array => {
                return self.items(&mut inside, field, fields, &value).map(|()| false);
            }
            Shape::Objects(_) | Shape::Messages(_) => "an Array of Objects",
            Shape::Array if value.kind == Kind::Array => return Ok(false),
            Shape::Array => "an Array",
        };
        Err(place.wrong(field.name, wanted))
    }

    fn items(
        &mut self,
        inside: &mut Cursor<'a>,
        field: &Field,
        fields: &'static [Field],
        array: &Value<'a>,
    ) -> Result<(), Failure> {
        if matches!(field.shape, Shape::Messages(_)) && array.relay_depth + 1 > RELAY_DEPTH_MAX {
            let info =
                format!("{}: at most {RELAY_DEPTH_MAX} messages may lie within each other", self.place);
            return Err(ErrorCode::BadFormat.with(info));
        }
        // The array as a whole was weighed already.
        let mut items = Fields { place: self.place, size_bytes: 0, on_text: &mut *self.on_text };
        let mut count = 0;
        inside.open(b'[');
        while inside.more(b']') {
            items.walk(inside, fields)?;
            count += 1;
        }
        if count == 0 { Err(self.place.wrong(field.name, "an Array that is not empty")) } else { Ok(()) }
    }
}

fn is_number(value: &Value<'_>) -> bool {
    match value.kind {
        Kind::Number => true,
        Kind::String => value.text.trim_matches('"').parse::<f64>().is_ok_and(f64::is_finite),
        _ => false,
    }
}

fn is_two(value: &Value<'_>) -> bool {
    is_number(value) && lenient::integer(value.text.trim_matches('"')) == Some(2)
}

fn all_strings(array: &mut Cursor<'_>) -> bool {
    array.open(b'[');
    while array.more(b']') {
        if !array.value().is_ok_and(|value| value.kind == Kind::String) {
            return false;
        }
    }
    true
}

/// Which element is being looked at, for the texts of refusals.
#[derive(Clone, Copy)]
struct Place {
    index: usize,
    element: Option<&'static Element>,
}

impl Place {
    fn wrong(self, name: &str, wanted: &str) -> Failure {
        ErrorCode::BadFormat.with(format!("{self}: {name} must be {wanted}"))
    }

    fn twice(self, name: &str) -> Failure {
        ErrorCode::BadFormat.with(format!("{self}: {name} is given twice"))
    }

    fn broken(self, Malformed: Malformed) -> Failure {
        ErrorCode::BadFormat.with(format!("{self} is nested too deeply or has half a surrogate pair"))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MsgBody[{}]", self.index)?;
        self.element.map_or(Ok(()), |element| write!(f, " ({})", element.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(text: &str) -> &RawValue {
        serde_json::from_str(text).unwrap()
    }

    fn check(content: &str, type_name: &str) -> Option<u32> {
        let body = format!(r#"[{{"MsgType":"{type_name}","MsgContent":{content}}}]"#);
        let reversed = format!(r#"[{{"MsgContent":{content},"MsgType":"{type_name}"}}]"#);
        let code = inspect(raw(&body), "").err().map(|failure| failure.code);
        assert_eq!(inspect(raw(&reversed), "").err().map(|failure| failure.code), code, "order of members");
        code
    }

    #[test]
    fn contents_of_every_type() {
        const BAD: Option<u32> = Some(90010);
        let image = r#"{"Type":1,"Size":9,"Width":1,"Height":"2","URL":"u"}"#;
        let sound = r#""Url":"u","UUID":"i","Size":1,"Second":2"#;
        let video = r#""VideoUrl":"u","VideoUUID":"i","VideoDownloadFlag":2,"ThumbUrl":"t","ThumbUUID":"j","ThumbWidth":1,"ThumbHeight":1"#;
        let item = r#"{"From_Account":"ada","To_Account":"bo","MsgSeq":1,"MsgBody":[]}"#;
        let table = [
            ("TIMTextElem", r#"{"Text":"hi"}"#.to_owned(), None),
            ("TIMTextElem", r#"{"Text":""}"#.into(), None),
            ("TIMTextElem", r#"{"Text":"hi","Unknown":[{"x":null}]}"#.into(), None),
            ("TIMTextElem", r#"{"Text":5}"#.into(), BAD),
            ("TIMTextElem", r#"{"Text":null}"#.into(), BAD),
            ("TIMTextElem", r#"{"text":"hi"}"#.into(), BAD),
            ("TIMTextElem", r#"{"Text":"a","Te\u0078t":"b"}"#.into(), BAD),
            ("TIMTextElem", r#"{"Text":"\ud800"}"#.into(), BAD),
            ("TIMTextElem", r#""hi""#.into(), BAD),
            ("TIMLocationElem", r#"{"Desc":"d","Latitude":-1.5,"Longitude":"2.25"}"#.into(), None),
            ("TIMLocationElem", r#"{"Latitude":"north"}"#.into(), BAD),
            ("TIMFaceElem", r#"{"Index":"4","Data":"wave"}"#.into(), None),
            ("TIMFaceElem", r#"{"Index":[4]}"#.into(), BAD),
            ("TIMCustomElem", r#"{"Data":"d","Desc":"e","Ext":"f","Sound":"s"}"#.into(), None),
            ("TIMCustomElem", "{}".into(), None),
            ("TIMCustomElem", r#"{"Data":{"no":1}}"#.into(), BAD),
            ("TIMSoundElem", format!(r#"{{{sound},"Download_Flag":2}}"#), None),
            ("TIMSoundElem", format!(r#"{{{sound},"Download_Flag":"2"}}"#), None),
            ("TIMSoundElem", format!(r#"{{{sound},"Download_Flag":1}}"#), BAD),
            ("TIMSoundElem", format!(r#"{{{sound}}}"#), BAD),
            (
                "TIMFileElem",
                r#"{"Url":"u","UUID":"i","FileSize":1,"FileName":"n","Download_Flag":2}"#.into(),
                None,
            ),
            ("TIMFileElem", r#"{"Url":"u","Download_Flag":2}"#.into(), None),
            ("TIMFileElem", r#"{"UUID":"i","Download_Flag":2}"#.into(), BAD),
            (
                "TIMImageElem",
                format!(r#"{{"UUID":"i","ImageFormat":3,"ImageInfoArray":[{image},{image}]}}"#),
                None,
            ),
            ("TIMImageElem", r#"{"UUID":"i","ImageInfoArray":[{"URL":"u","Width":1}]}"#.into(), BAD),
            ("TIMImageElem", r#"{"UUID":"i","ImageInfoArray":[]}"#.into(), BAD),
            ("TIMImageElem", r#"{"UUID":"i","ImageInfoArray":["u"]}"#.into(), BAD),
            ("TIMImageElem", r#"{"UUID":"i"}"#.into(), BAD),
            ("TIMVideoFileElem", format!(r#"{{{video},"ThumbDownloadFlag":2,"VideoFormat":"mp4"}}"#), None),
            ("TIMVideoFileElem", format!(r#"{{{video}}}"#), BAD),
            (
                "TIMRelayElem",
                format!(r#"{{"Title":"t","MsgNum":1,"AbstractList":["a"],"MsgList":[{item}]}}"#),
                None,
            ),
            ("TIMRelayElem", r#"{"JsonMsgKey":"k","CompatibleText":"c"}"#.into(), None),
            ("TIMRelayElem", format!(r#"{{"JsonMsgKey":"k","MsgList":[{item}]}}"#), BAD),
            ("TIMRelayElem", r#"{"Title":"t"}"#.into(), BAD),
            ("TIMRelayElem", r#"{"JsonMsgKey":"k","AbstractList":[1]}"#.into(), BAD),
            ("TIMRelayElem", r#"{"MsgList":[{"From_Account":"ada"}]}"#.into(), BAD),
            ("TIMRelayElem", r#"{"MsgList":[{"From_Account":"ada","MsgBody":"x"}]}"#.into(), BAD),
            ("TIMSomethingElem", "{}".into(), BAD),
        ];
        for (type_name, content, code) in table {
            assert_eq!(check(&content, type_name), code, "{type_name} {content}");
        }
    }

    #[test]
    fn bodies() {
        let text = r#"{"MsgType":"TIMTextElem","MsgContent":{"Text":"hi"}}"#;
        let custom = r#"{"MsgType":"TIMCustomElem","MsgContent":{}}"#;
        let table = [
            (format!("[{text},{custom},{text}]"), None),
            (format!("[{custom},{custom}]"), Some(90010)),
            ("[]".into(), Some(90002)),
            ("{}".into(), Some(90007)),
            ("\"[]\"".into(), Some(90007)),
            ("[1]".into(), Some(90002)),
            (r#"[{"MsgType":"TIMTextElem"}]"#.into(), Some(90002)),
            (r#"[{"MsgContent":{"Text":"hi"}}]"#.into(), Some(90002)),
            (r#"[{"MsgType":null,"MsgContent":{"Text":"hi"}}]"#.into(), Some(90002)),
            (r#"[{"MsgType":1,"MsgContent":{"Text":"hi"}}]"#.into(), Some(90010)),
            (
                r#"[{"MsgType":"TIMTextElem","MsgContent":{"Text":"a"},"MsgContent":{"Text":"b"}}]"#.into(),
                Some(90010),
            ),
            (r#"[{"MsgType":"TIMTextElem","MsgType":"TIMFaceElem","MsgContent":{}}]"#.into(), Some(90010)),
            (format!("[{text}{}]", " ".repeat(MSG_BODY_JSON_LEN_MAX)), Some(93000)),
            (format!("[{text}{}]", " ".repeat(1000)), None),
        ];
        for (body, code) in table {
            let shown = &body[..body.len().min(100)];
            assert_eq!(inspect(raw(&body), "").err().map(|failure| failure.code), code, "{shown}");
        }
    }

    #[test]
    fn what_a_look_shows() {
        let body = r#"[{"MsgType":"TIMTextElem","MsgContent":{"Text":"caf\u00e9","n":10}},
            {"MsgContent" : { "Text" : "plain" } , "MsgType" : "TIMTextElem" },
            {"MsgType":"TIMCustomElem","MsgContent":{"Data":"{\"a\":1}"}}]"#;
        let inspected = inspect(raw(body), "data").unwrap();
        assert_eq!(inspected.texts, ["café", "plain"]);
        assert!(matches!(inspected.texts[1], Cow::Borrowed(_)));
        assert_eq!((inspected.element_count, inspected.custom_count), (3, 1));
        assert_eq!(inspected.size_bytes, 5 + 2 + 5 + 7 + 4);
    }

    #[test]
    fn the_size_limit_counts_text_not_json() {
        let body = |text: &str| format!(r#"[{{"MsgType":"TIMTextElem","MsgContent":{{"Text":"{text}"}}}}]"#);
        let table = [
            ("a".repeat(12_288), "", None),
            ("a".repeat(12_289), "", Some(80002)),
            ("a".repeat(12_287), "é", Some(80002)),
            ("a".repeat(12_286), "é", None),
            ("\\u0041".repeat(12_288), "", None),
            ("\\u4e2d".repeat(4_096), "", None),
            ("\\u4e2d".repeat(4_097), "", Some(80002)),
        ];
        for (text, custom_data, code) in table {
            let body = body(&text);
            assert_eq!(
                inspect(raw(&body), custom_data).err().map(|failure| failure.code),
                code,
                "{}",
                text.len()
            );
        }
    }

    #[test]
    fn combined_messages_within_each_other() {
        let nested = |depth| {
            let mut body = r#"[{"MsgType":"TIMTextElem","MsgContent":{"Text":"x"}}]"#.to_owned();
            for _ in 0..depth {
                let item = format!(r#"{{"From_Account":"a","MsgBody":{body}}}"#);
                body = format!(r#"[{{"MsgType":"TIMRelayElem","MsgContent":{{"MsgList":[{item}]}}}}]"#);
            }
            inspect(raw(&body), "").err().map(|failure| failure.code)
        };
        assert_eq!((nested(1), nested(100), nested(101)), (None, None, Some(90010)));
    }

    #[test]
    fn masking_changes_the_texts_and_nothing_else() {
        let body = raw(r#"[ {"MsgType":"TIMTextElem", "MsgContent":{"x":1.0,"Text":"b\u0061d" }},
            {"MsgContent":{"Text":"good"},"MsgType":"TIMTextElem"},{"MsgType":"TIMCustomElem","MsgContent":{"Data":"bad"}},
            {"MsgType":"TIMTextElem","MsgContent":{"Text":"bad \"too\""}}]"#);
        let masked =
            mask_texts(body, |text| text.contains("bad").then(|| text.replace("bad", "*\n*"))).unwrap();
        let expected =
            body.get().replacen(r"b\u0061d", r"*\n*", 1).replacen(r#""bad \"too\"""#, r#""*\n* \"too\"""#, 1);
        assert_eq!(masked.unwrap().get(), expected);
        assert!(mask_texts(body, |_| None).unwrap().is_none());
        assert_eq!(mask_texts(raw("[]"), |_| None).unwrap_err().code, 90002);
    }

    proptest::proptest! {
        #[test]
        fn any_json_is_answered(text in crate::arbitrary::any_json()) {
            let body = RawValue::from_string(text).unwrap();
            if let Ok(inspected) = inspect(&body, "") {
                proptest::prop_assert!(inspected.size_bytes <= MESSAGE_LEN_MAX);
            }
        }
    }
}
