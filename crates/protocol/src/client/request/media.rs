//! What a device asks before it uploads a file.

use std::borrow::Cow;

use super::{members_of, text, wrong};
use crate::{code::Failure, lenient::slots};

/// What a device asks about media.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MediaRequest<'a> {
    /// `upload`: where can this file be uploaded?
    Upload(Upload<'a>),
}

/// `upload`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload<'a> {
    /// `kind`: what the file is to be in a message.
    pub kind: MediaKind,
    /// `size`: its exact length in bytes, at least 1.
    pub size: u64,
    /// `name`: what it is called; may be empty.
    pub name: Cow<'a, str>,
    /// `type`: its media type, as far as the device knows it; may be empty.
    pub media_type: Cow<'a, str>,
}

/// What a file is in a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MediaKind {
    /// Of a `TIMImageElem`, or the picture that stands for a video.
    Image,
    /// Of a `TIMSoundElem`.
    Sound,
    /// Of a `TIMVideoFileElem`.
    Video,
    /// Of a `TIMFileElem`.
    File,
}

impl MediaKind {
    /// Every kind.
    pub const ALL: [MediaKind; 4] = [MediaKind::Image, MediaKind::Sound, MediaKind::Video, MediaKind::File];

    /// Its word on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            MediaKind::Image => "image",
            MediaKind::Sound => "sound",
            MediaKind::Video => "video",
            MediaKind::File => "file",
        }
    }

    /// The kind of this name.
    pub fn parse(name: &str) -> Option<MediaKind> {
        MediaKind::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

slots! {
    struct Members {
        kind: "kind",
        size: "size",
        name: "name",
        media_type: "type",
    }
}

/// Reads the frame if the operation is one of this area.
pub(super) fn parse<'a>(op: &str, text: &'a str) -> Option<Result<MediaRequest<'a>, Failure>> {
    (op == "upload").then(|| members_of(text).and_then(|members| upload(&members)))
}

fn upload<'a>(members: &Members<'a>) -> Result<MediaRequest<'a>, Failure> {
    let kind = text(members.kind, "kind")?.and_then(|kind| MediaKind::parse(&kind));
    let size = members.size.u64().ok().flatten().filter(|size| *size > 0);
    Ok(MediaRequest::Upload(Upload {
        kind: kind.ok_or_else(|| wrong("kind"))?,
        size: size.ok_or_else(|| wrong("size"))?,
        name: text(members.name, "name")?.unwrap_or_default(),
        media_type: text(members.media_type, "type")?.unwrap_or_default(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(members: &str) -> Result<MediaRequest<'static>, u32> {
        let text = format!("{{{members}}}").leak();
        parse("upload", text).expect("one of this area").map_err(|failure| failure.code)
    }

    #[test]
    fn uploads() {
        let full = request(r#""kind":"image","size":3,"name":"a.png","type":"image/png""#);
        assert_eq!(
            full,
            Ok(MediaRequest::Upload(Upload {
                kind: MediaKind::Image,
                size: 3,
                name: "a.png".into(),
                media_type: "image/png".into()
            }))
        );
        let Ok(MediaRequest::Upload(least)) = request(r#""kind":"file","size":1"#) else {
            panic!("an upload");
        };
        assert_eq!((least.kind, &*least.name, &*least.media_type), (MediaKind::File, "", ""));
        for wrong in [
            r#""size":3"#,
            r#""kind":"song","size":3"#,
            r#""kind":7,"size":3"#,
            r#""kind":"image""#,
            r#""kind":"image","size":0"#,
            r#""kind":"image","size":-1"#,
            r#""kind":"image","size":1.5"#,
            r#""kind":"image","size":1,"name":7"#,
            r#""kind":"image","size":1,"type":[]"#,
        ] {
            assert_eq!(request(wrong), Err(11002), "{wrong}");
        }
        assert!(parse("download", "{}").is_none());
    }
}
