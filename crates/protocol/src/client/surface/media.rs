//! Files: where they are uploaded, and what becomes of them.

use super::{
    Operation, PLAIN,
    kind::{Kind, Object, TEXT, TIME_S, U32, U64, Words, lines},
    member::{WRONG, optional, required, told, told_if},
};
use crate::code::ErrorCode;

const KIND_WORDS: Words = Words {
    name: "MediaKind",
    about: "What a file is to be in a message.",
    words: &["image", "sound", "video", "file"],
};

const IMAGE_SIZE: Object = Object {
    name: "ImageSize",
    about: "One size of an uploaded image.",
    members: &[
        told("Type", Kind::Choice(&[1, 2, 3]), "1 the original, 2 large, 3 small."),
        told("Url", TEXT, "Where it is found."),
        told("Size", U64, "Its bytes."),
        told("Width", U32, "Its width, as it is shown."),
        told("Height", U32, "Its height, as it is shown."),
    ],
};

/// The answer to the `POST` of a file, which is not a frame.
pub const UPLOADED: &Object = &Object {
    name: "Uploaded",
    about: "What the `POST` of a file to its `upload_url` answers.",
    members: &[
        told("UUID", TEXT, "What elements of messages name it by."),
        told("Url", TEXT, "Where everybody finds it."),
        told("Size", U64, "Its bytes."),
        told("Format", TEXT, "The usual file extension of its type; `bin` for one that is not looked into."),
        told_if("ImageFormat", U32, "it is an image", "The number of its format in a `TIMImageElem`."),
        told_if("Width", U32, "it is an image", "Its width, as it is shown."),
        told_if("Height", U32, "it is an image", "Its height, as it is shown."),
        told_if(
            "Thumbnails",
            lines(&Kind::Object(&IMAGE_SIZE)),
            "it is an image",
            "The image in its sizes, the original first.",
        ),
    ],
};

pub(super) const OPERATIONS: &[Operation] = &[Operation {
    name: "upload",
    about: "Asks where a file can be uploaded.",
    request: &[
        required("kind", Kind::Word(&KIND_WORDS), WRONG, "What it is to be in a message."),
        required("size", Kind::Integer { min: 1, max: u64::MAX }, WRONG, "Its exact length in bytes."),
        optional("name", TEXT, WRONG, "none", "What it is called."),
        optional("type", TEXT, WRONG, "unknown", "Its media type."),
    ],
    answer: &[
        told("upload_url", TEXT, "Where its bytes go with `POST`: a path on the server, or a whole URL."),
        told("expires", TIME_S, "Until when they have to begin to come, in Unix seconds."),
    ],
    codes: &[
        ErrorCode::MediaOff,
        ErrorCode::FileTooLarge,
        ErrorCode::MediaTypeRefused,
        ErrorCode::UploadsBusy,
    ],
    ..PLAIN
}];
