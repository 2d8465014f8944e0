//! Frames from devices: each is understood or refused with a code, however it is spelt.

use protocol::{
    ErrorCode, RawValue,
    callback::OptPlatform,
    client::{ClientFrame, Connect, FrameError, Request, SendRequest, refuse},
    element,
    limits::{DEVICE_ID_LEN_MAX, EPOCH_LEN_MAX},
    valid_user_id,
};

use super::respell::{spaced, squeezed, with_stranger};

/// The bytes are the text of the frame.
pub fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let shown = show(ClientFrame::parse(text));
    for respelt in [spaced(text), with_stranger(text)] {
        assert_eq!(show(ClientFrame::parse(&respelt)), shown, "{respelt}");
    }
    match ClientFrame::parse(text) {
        Ok(frame) => holds(&frame.request),
        Err(error) => can_be_answered(&error),
    }
}

fn show(frame: Result<ClientFrame<'_>, FrameError>) -> Result<String, (Option<u64>, u32)> {
    frame.map(|frame| squeezed(&format!("{frame:?}"))).map_err(|error| (error.id, error.failure.code))
}

fn holds(request: &Request<'_>) {
    match request {
        Request::Connect(Connect { user_id, platform, device_id, position, .. }) => {
            assert!(valid_user_id(user_id));
            assert_ne!(*platform, OptPlatform::RestApi);
            assert!(device_id.as_ref().is_none_or(|id| (1..=DEVICE_ID_LEN_MAX).contains(&id.len())));
            assert!(position.as_ref().is_none_or(|position| position.epoch.len() <= EPOCH_LEN_MAX));
        }
        Request::Send(SendRequest { to, body, inspected, custom_data, .. }) => {
            assert!(valid_user_id(to));
            assert_eq!(element::inspect(body, custom_data).as_ref(), Ok(inspected));
        }
        Request::History(history) => assert!(valid_user_id(&history.peer) && history.limit != Some(0)),
        Request::Read { peer } => assert!(valid_user_id(peer)),
        Request::Ping => {}
    }
}

fn can_be_answered(error: &FrameError) {
    assert!(ErrorCode::from_number(error.failure.code).is_some(), "{}", error.failure);
    let mut answer = Vec::new();
    refuse(error.id, &error.failure, &mut answer);
    let answer = String::from_utf8(answer).expect("an answer is text");
    RawValue::from_string(answer).expect("an answer is JSON");
}
