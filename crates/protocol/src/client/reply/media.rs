//! Answers about media: over the WebSocket where to upload, and over HTTP what became of the upload.

use crate::{
    code::Failure,
    json::{self, write_json},
};

/// What is answered about media.
#[derive(Debug, Clone, Copy)]
pub enum MediaReply<'a> {
    /// To `upload`.
    UploadTo {
        /// Where the bytes go, with `POST`: a path on the server, or a whole URL.
        url: &'a str,
        /// Until when they have to begin to come, in Unix seconds.
        expires_s: u64,
    },
}

/// What a file has become, as the answer to its `POST`. The names are those of the elements of messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uploaded<'a> {
    /// `UUID`.
    pub uuid: &'a str,
    /// `Url`: where everybody finds it.
    pub url: &'a str,
    /// `Size`, in bytes.
    pub size: u64,
    /// `Format`: the usual file extension of its type, such as `jpg`; `bin` for one that is not looked into.
    pub format: &'a str,
    /// Of an image.
    pub image: Option<UploadedImage<'a>>,
}

/// What only images have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadedImage<'a> {
    /// `ImageFormat`, the number that stands for the format in a `TIMImageElem`.
    pub image_format: u32,
    /// `Thumbnails`: the image in its sizes, the original first.
    pub sizes: Vec<ImageSize<'a>>,
}

/// One size of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageSize<'a> {
    /// `Type`: 1 original, 2 large, 3 small.
    pub size_type: u32,
    /// `Url`.
    pub url: &'a str,
    /// `Size`, in bytes.
    pub size: u64,
    /// `Width`, as it is shown.
    pub width: u32,
    /// `Height`, as it is shown.
    pub height: u32,
}

impl MediaReply<'_> {
    pub(super) fn write_members(&self, out: &mut Vec<u8>) {
        match self {
            MediaReply::UploadTo { url, expires_s } => {
                write_json!(out, r#""upload_url":"#, string(url), r#","expires":"#, number(*expires_s));
            }
        }
    }
}

impl Uploaded<'_> {
    /// Appends the JSON object.
    pub fn write(&self, out: &mut Vec<u8>) {
        write_json!(out, r#"{"UUID":"#, string(self.uuid), r#","Url":"#, string(self.url));
        write_json!(out, r#","Size":"#, number(self.size), r#","Format":"#, string(self.format));
        if let Some(image) = &self.image {
            image.write_members(out);
        }
        json::raw(out, b"}");
    }
}

impl UploadedImage<'_> {
    fn write_members(&self, out: &mut Vec<u8>) {
        write_json!(out, r#","ImageFormat":"#, number(u64::from(self.image_format)));
        if let Some(original) = self.sizes.first() {
            json::raw(out, b",");
            original.write_extent(out);
        }
        json::raw(out, br#","Thumbnails":"#);
        json::array(out, &self.sizes, |out, size| size.write(out));
    }
}

impl ImageSize<'_> {
    fn write(&self, out: &mut Vec<u8>) {
        write_json!(out, r#"{"Type":"#, number(u64::from(self.size_type)), r#","Url":"#, string(self.url));
        write_json!(out, r#","Size":"#, number(self.size), ",");
        self.write_extent(out);
        json::raw(out, b"}");
    }

    fn write_extent(&self, out: &mut Vec<u8>) {
        write_json!(out, r#""Width":"#, number(u64::from(self.width)));
        write_json!(out, r#","Height":"#, number(u64::from(self.height)));
    }
}

/// Appends what a `POST` that failed is answered: the same object as over the WebSocket, without an id.
pub fn refuse_upload(failure: &Failure, out: &mut Vec<u8>) {
    write_json!(out, r#"{"error":{"code":"#, number(u64::from(failure.code)));
    write_json!(out, r#","text":"#, string(&failure.info));
    write_json!(out, r#","temporary":"#, boolean(failure.temporary()), "}}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ErrorCode, client::Reply};

    fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn says_where_to_upload() {
        let reply = MediaReply::UploadTo { url: "/media/upload?token=t", expires_s: 9 };
        assert_eq!(
            written(|out| Reply::Media(reply).write(1, out)),
            r#"{"id":1,"ok":{"upload_url":"/media/upload?token=t","expires":9}}"#
        );
    }

    #[test]
    fn says_what_an_upload_became() {
        let file = Uploaded { uuid: "u", url: "https://m/u", size: 3, format: "bin", image: None };
        assert_eq!(
            written(|out| file.write(out)),
            r#"{"UUID":"u","Url":"https://m/u","Size":3,"Format":"bin"}"#
        );
        let size = |size_type, url, width| ImageSize { size_type, url, size: 3, width, height: 4 };
        let sizes = vec![size(1, "https://m/u", 8), size(3, "https://m/s", 2)];
        let image = Uploaded { image: Some(UploadedImage { image_format: 3, sizes }), format: "png", ..file };
        assert_eq!(
            written(|out| image.write(out)),
            r#"{"UUID":"u","Url":"https://m/u","Size":3,"Format":"png","ImageFormat":3,"Width":8,"Height":4,"Thumbnails":[{"Type":1,"Url":"https://m/u","Size":3,"Width":8,"Height":4},{"Type":3,"Url":"https://m/s","Size":3,"Width":2,"Height":4}]}"#
        );
    }

    #[test]
    fn refuses() {
        assert_eq!(
            written(|out| refuse_upload(&ErrorCode::UploadsBusy.into(), out)),
            r#"{"error":{"code":11015,"text":"no room for this upload now","temporary":true}}"#
        );
    }
}
