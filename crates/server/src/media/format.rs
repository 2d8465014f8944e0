//! Types of files: how they begin, what they are called, and as what they are served.
//!
//! The list is closed. What is not on it is [`Format::Bin`], which no browser shows: a page or a drawing with a script
//! in it must not run under the server's name.

use protocol::client::MediaKind;
use serde::Deserialize;

/// The type of a file, by the usual extension of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    Jpg,
    Png,
    Gif,
    Webp,
    Bmp,
    Mp3,
    M4a,
    Aac,
    Amr,
    Ogg,
    Wav,
    Weba,
    Mp4,
    Mov,
    Webm,
    Bin,
}

/// As much of a file's beginning as [`Format::sniff`] looks at.
pub(super) const HEAD_BYTES: usize = 16;

struct Row {
    format: Format,
    kind: MediaKind,
    extension: &'static str,
    media_type: &'static str,
    /// Other names that devices have for the type.
    also: &'static [&'static str],
}

const fn row(
    format: Format,
    kind: MediaKind,
    extension: &'static str,
    media_type: &'static str,
    also: &'static [&'static str],
) -> Row {
    Row { format, kind, extension, media_type, also }
}

/// In the order of the enum.
const ROWS: [Row; 16] = {
    use Format::{Aac, Amr, Bin, Bmp, Gif, Jpg, M4a, Mov, Mp3, Mp4, Ogg, Png, Wav, Weba, Webm, Webp};
    use MediaKind::{File, Image, Sound, Video};
    [
        row(Jpg, Image, "jpg", "image/jpeg", &["image/jpg"]),
        row(Png, Image, "png", "image/png", &["image/apng"]),
        row(Gif, Image, "gif", "image/gif", &[]),
        row(Webp, Image, "webp", "image/webp", &[]),
        row(Bmp, Image, "bmp", "image/bmp", &["image/x-ms-bmp"]),
        row(Mp3, Sound, "mp3", "audio/mpeg", &["audio/mp3"]),
        row(M4a, Sound, "m4a", "audio/mp4", &["audio/x-m4a", "audio/m4a"]),
        row(Aac, Sound, "aac", "audio/aac", &["audio/x-aac", "audio/aacp"]),
        row(Amr, Sound, "amr", "audio/amr", &[]),
        row(Ogg, Sound, "ogg", "audio/ogg", &["audio/opus"]),
        row(Wav, Sound, "wav", "audio/wav", &["audio/x-wav", "audio/wave"]),
        row(Weba, Sound, "weba", "audio/webm", &[]),
        row(Mp4, Video, "mp4", "video/mp4", &["video/x-m4v"]),
        row(Mov, Video, "mov", "video/quicktime", &[]),
        row(Webm, Video, "webm", "video/webm", &[]),
        row(Bin, File, "bin", "application/octet-stream", &[]),
    ]
};

impl Format {
    fn row(self) -> &'static Row {
        &ROWS[self as usize]
    }

    pub fn kind(self) -> MediaKind {
        self.row().kind
    }

    pub fn extension(self) -> &'static str {
        self.row().extension
    }

    /// What the file is served as.
    pub(super) fn media_type(self) -> &'static str {
        self.row().media_type
    }

    pub(super) fn of_extension(extension: &str) -> Option<Self> {
        ROWS.iter().find(|row| row.extension == extension).map(|row| row.format)
    }

    /// What a device calls the type of a file of this kind; `None` for what is not on the list. Parameters, such as a
    /// codec, do not matter.
    pub(super) fn of_media_type(kind: MediaKind, media_type: &str) -> Option<Self> {
        let name = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let is_named = |row: &&Row| row.media_type == name || row.also.contains(&name.as_str());
        ROWS.iter().filter(|row| row.kind == kind).find(is_named).map(|row| row.format)
    }

    /// The type of a file of this kind, by how it begins. Containers hold sounds as well as videos: the kind decides.
    pub(super) fn sniff(kind: MediaKind, head: &[u8]) -> Option<Self> {
        let within = |at: usize, magic: &[u8]| head.get(at..).is_some_and(|rest| rest.starts_with(magic));
        let is_mpeg4 = within(4, b"ftyp");
        let is_matroska = within(0, b"\x1a\x45\xdf\xa3");
        match kind {
            MediaKind::File => Some(Self::Bin),
            MediaKind::Image if within(0, b"\xff\xd8\xff") => Some(Self::Jpg),
            MediaKind::Image if within(0, b"\x89PNG\r\n\x1a\n") => Some(Self::Png),
            MediaKind::Image if within(0, b"GIF87a") || within(0, b"GIF89a") => Some(Self::Gif),
            MediaKind::Image if within(0, b"RIFF") && within(8, b"WEBP") => Some(Self::Webp),
            MediaKind::Image if within(0, b"BM") => Some(Self::Bmp),
            MediaKind::Sound if within(0, b"ID3") => Some(Self::Mp3),
            MediaKind::Sound if within(0, b"#!AMR") => Some(Self::Amr),
            MediaKind::Sound if within(0, b"OggS") => Some(Self::Ogg),
            MediaKind::Sound if within(0, b"RIFF") && within(8, b"WAVE") => Some(Self::Wav),
            MediaKind::Sound if is_mpeg4 => Some(Self::M4a),
            MediaKind::Sound if is_matroska => Some(Self::Weba),
            MediaKind::Sound => Self::of_mpeg_frame(head),
            MediaKind::Video if within(4, b"ftypqt  ") => Some(Self::Mov),
            MediaKind::Video if is_mpeg4 => Some(Self::Mp4),
            MediaKind::Video if is_matroska => Some(Self::Webm),
            MediaKind::Image | MediaKind::Video => None,
        }
    }

    /// A stream without a header begins with a frame: eleven bits set, then version and layer. AAC has layer 0.
    fn of_mpeg_frame(head: &[u8]) -> Option<Self> {
        match head {
            [0xff, second, ..] if second & 0xf6 == 0xf0 => Some(Self::Aac),
            [0xff, second, ..] if second & 0xe6 == 0xe2 => Some(Self::Mp3),
            _ => None,
        }
    }

    /// The number of an image's format in a `TIMImageElem`; 255 is any other.
    pub(super) fn image_format(self) -> u32 {
        match self {
            Self::Jpg => 1,
            Self::Gif => 2,
            Self::Png => 3,
            Self::Bmp => 4,
            _ => 255,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stand_in_the_order_of_the_enum() {
        for row in &ROWS {
            assert_eq!(row.format.extension(), row.extension);
            assert_eq!(Format::of_extension(row.extension), Some(row.format));
            assert_eq!(Format::of_media_type(row.kind, row.media_type), Some(row.format));
        }
    }

    #[test]
    fn files_are_known_by_how_they_begin() {
        use MediaKind::{File, Image, Sound, Video};
        let table: &[(MediaKind, &[u8], Option<&str>)] = &[
            (Image, b"\xff\xd8\xff\xe0\x00\x10JFIF", Some("jpg")),
            (Image, b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", Some("png")),
            (Image, b"GIF89a\x01\x00", Some("gif")),
            (Image, b"RIFF\x24\x00\x00\x00WEBPVP8 ", Some("webp")),
            (Image, b"RIFF\x24\x00\x00\x00WAVEfmt ", None),
            (Image, b"BM\x46\x00", Some("bmp")),
            (Image, b"<svg xmlns=\"http", None),
            (Image, b"<!DOCTYPE html>", None),
            (Image, b"%PDF-1.7", None),
            (Image, b"", None),
            (Image, b"\x00\x00\x00\x18ftypheic", None),
            (Sound, b"ID3\x04\x00", Some("mp3")),
            (Sound, b"\xff\xfb\x90\x44", Some("mp3")),
            (Sound, b"\xff\xf1\x50\x80", Some("aac")),
            (Sound, b"\xff\xd8\xff\xe0", None),
            (Sound, b"#!AMR\n", Some("amr")),
            (Sound, b"OggS\x00\x02", Some("ogg")),
            (Sound, b"RIFF\x24\x00\x00\x00WAVEfmt ", Some("wav")),
            (Sound, b"\x00\x00\x00\x18ftypM4A ", Some("m4a")),
            (Sound, b"\x1a\x45\xdf\xa3\x01", Some("weba")),
            (Video, b"\x00\x00\x00\x18ftypisom", Some("mp4")),
            (Video, b"\x00\x00\x00\x14ftypqt  ", Some("mov")),
            (Video, b"\x1a\x45\xdf\xa3\x01", Some("webm")),
            (Video, b"\xff\xd8\xff\xe0", None),
            (File, b"<!DOCTYPE html>", Some("bin")),
            (File, b"\xff\xd8\xff\xe0", Some("bin")),
        ];
        for (kind, head, expected) in table {
            let found = Format::sniff(*kind, head).map(Format::extension);
            assert_eq!(found, *expected, "{kind:?} {}", String::from_utf8_lossy(head));
        }
    }

    #[test]
    fn devices_name_types_in_many_ways() {
        let of = |kind, name| Format::of_media_type(kind, name).map(Format::extension);
        assert_eq!(of(MediaKind::Image, "image/JPG"), Some("jpg"));
        assert_eq!(of(MediaKind::Sound, "audio/webm; codecs=opus"), Some("weba"));
        assert_eq!(of(MediaKind::Image, "image/svg+xml"), None);
        assert_eq!(of(MediaKind::Image, "video/mp4"), None);
    }
}
