//! Settings of the files that messages point to.

use super::{ConfigError, unusable};
use crate::media::Format;
use protocol::client::MediaKind;
use serde::Deserialize;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Media {
    pub enabled: bool,
    pub store: MediaStore,
    pub public_url: String,
    pub url_secs: u64,
    pub image_bytes_max: u64,
    pub sound_bytes_max: u64,
    pub video_bytes_max: u64,
    pub file_bytes_max: u64,
    pub image_types: Vec<Format>,
    pub sound_types: Vec<Format>,
    pub video_types: Vec<Format>,
    pub image_pixels_max: u64,
    pub image_works_max: usize,
    pub uploads_max: usize,
    pub user_bytes_per_day: u64,
    pub free_bytes_min: u64,
    pub downloads_max: usize,
    pub s3: S3,
}

/// Where files are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MediaStore {
    File,
    S3,
}

/// A bucket, and how to get at it.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct S3 {
    pub bucket: String,
    pub region: String,
    pub prefix: String,
    pub endpoint: String,
    pub access_key: String,
    pub secret_key: String,
}

// Without the secret.
impl std::fmt::Debug for S3 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("S3")
            .field("bucket", &self.bucket)
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}

impl Media {
    pub fn bytes_max(&self, kind: MediaKind) -> u64 {
        match kind {
            MediaKind::Image => self.image_bytes_max,
            MediaKind::Sound => self.sound_bytes_max,
            MediaKind::Video => self.video_bytes_max,
            MediaKind::File => self.file_bytes_max,
        }
    }

    /// What is taken as this kind. Of a file it does not matter.
    pub fn types(&self, kind: MediaKind) -> &[Format] {
        match kind {
            MediaKind::Image => &self.image_types,
            MediaKind::Sound => &self.sound_types,
            MediaKind::Video => &self.video_types,
            MediaKind::File => &[Format::Bin],
        }
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let positive = [
            ("media.image_bytes_max", self.image_bytes_max),
            ("media.sound_bytes_max", self.sound_bytes_max),
            ("media.video_bytes_max", self.video_bytes_max),
            ("media.file_bytes_max", self.file_bytes_max),
            ("media.image_pixels_max", self.image_pixels_max),
            ("media.image_works_max", self.image_works_max as u64),
            ("media.uploads_max", self.uploads_max as u64),
            ("media.downloads_max", self.downloads_max as u64),
        ];
        if let Some((key, _)) = positive.iter().find(|(_, value)| *value == 0) {
            return unusable(format!(
                "{key} is 0: nothing could pass; media.enabled = false turns all of it off"
            ));
        }
        for kind in MediaKind::ALL {
            if let Some(format) = self.types(kind).iter().find(|format| format.kind() != kind) {
                let (name, extension) = (kind.name(), format.extension());
                return unusable(format!("media.{name}_types has {extension:?}, which is no {name}"));
            }
        }
        let url = &self.public_url;
        if !url.is_empty() && !is_base_url(url) {
            return unusable(
                "media.public_url must begin with http:// or https:// and a host, and have no query",
            );
        }
        if self.store == MediaStore::S3 {
            self.s3.check()?;
        }
        Ok(())
    }
}

impl S3 {
    fn check(&self) -> Result<(), ConfigError> {
        if self.bucket.is_empty() {
            return unusable("media.store is \"s3\", and media.s3.bucket does not say where");
        }
        if self.access_key.is_empty() != self.secret_key.is_empty() {
            return unusable("media.s3.access_key and media.s3.secret_key go together: set both, or neither");
        }
        if !self.endpoint.is_empty() && !is_base_url(&self.endpoint) {
            return unusable("media.s3.endpoint must begin with http:// or https:// and a host");
        }
        if self.prefix.starts_with('/') || self.prefix.contains("//") {
            return unusable("media.s3.prefix must not begin with a slash, nor have two in a row");
        }
        Ok(())
    }
}

/// Whether something can be appended to it.
fn is_base_url(url: &str) -> bool {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'))
        && url.bytes().all(|byte| byte.is_ascii_graphic() && !b"?#\"<>\\".contains(&byte))
}
