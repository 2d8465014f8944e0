//! A `MsgBody`: [`inspect`] and [`mask_texts`] agree on what it is, and masking changes texts alone.

use protocol::{
    ErrorCode, RawValue,
    element::{inspect, mask_texts},
    limits::{MESSAGE_LEN_MAX, MSG_BODY_JSON_LEN_MAX},
};

use super::respell::spaced;

/// Spacing makes four bytes of one, and writing a text anew up to six; beyond this both could run into the limit on
/// the JSON, which says nothing about the body.
const COMPARED_LEN_MAX: usize = MSG_BODY_JSON_LEN_MAX / 6;

/// The bytes are the JSON of the body.
pub fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(body) = RawValue::from_string(text.to_owned()) else { return };
    if text.len() > COMPARED_LEN_MAX {
        return;
    }
    let spaced = RawValue::from_string(spaced(text)).expect("white space keeps JSON valid");
    let inspected = match inspect(&body, "") {
        Ok(inspected) => inspected,
        Err(failure) => {
            assert!(ErrorCode::from_number(failure.code).is_some(), "{failure}");
            assert_eq!(inspect(&spaced, "").map_err(|spaced| spaced.code), Err(failure.code));
            if failure.code != ErrorCode::MessageTooLong.number() {
                assert_eq!(mask_texts(&body, |_| None).expect_err("refused like by inspect"), failure);
            }
            return;
        }
    };
    assert!(inspected.size_bytes <= MESSAGE_LEN_MAX && inspected.element_count > 0);
    assert_eq!(inspect(&spaced, "").as_ref(), Ok(&inspected));
    match inspect(&body, "é") {
        Ok(heavier) => assert_eq!(heavier.size_bytes, inspected.size_bytes + 2),
        Err(failure) => assert!(inspected.size_bytes + 2 > MESSAGE_LEN_MAX, "{failure}"),
    }
    let written_anew = masked(&body, |text| Some(text.to_owned()));
    assert_eq!(inspect(written_anew.as_ref(), "").as_ref(), Ok(&inspected), "the same texts, written anew");
    starred(&body);
}

/// Stars in the place of every character: no larger, and nothing but the texts is different.
fn starred(body: &RawValue) {
    let before = inspect(body, "").expect("the body was inspected before");
    let stars = |text: &str| "*".repeat(text.chars().count());
    let body = masked(body, |text| Some(stars(text)));
    let after = inspect(&body, "").expect("a masked body is a valid one");
    let saved_bytes: usize = before.texts.iter().map(|text| text.len() - text.chars().count()).sum();
    assert_eq!(after.size_bytes, before.size_bytes - saved_bytes);
    assert_eq!((after.element_count, after.custom_count), (before.element_count, before.custom_count));
    assert_eq!(after.texts, before.texts.iter().map(|text| stars(text)).collect::<Vec<_>>());
}

/// The body after a masking that may leave everything as it is.
fn masked(body: &RawValue, replace: impl FnMut(&str) -> Option<String>) -> Box<RawValue> {
    let masked = mask_texts(body, replace).expect("what can be inspected can be masked");
    masked.unwrap_or_else(|| body.to_owned())
}
