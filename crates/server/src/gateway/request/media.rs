//! Where a device uploads a file.

use super::Asked;
use protocol::client::{MediaReply, MediaRequest, Reply, Upload};
use protocol::{ErrorCode, Failure};

impl Asked<'_> {
    pub(super) fn media(
        &self,
        id: u64,
        request: &MediaRequest<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Failure> {
        match request {
            MediaRequest::Upload(upload) => self.upload(id, upload, out),
        }
    }

    fn upload(&self, id: u64, upload: &Upload<'_>, out: &mut Vec<u8>) -> Result<(), Failure> {
        let media = self.gateway.media.as_ref().ok_or(ErrorCode::MediaOff)?;
        let (url, expires_s) = media.upload_to(self.caller.app.id.0, self.caller.user, upload)?;
        Reply::Media(MediaReply::UploadTo { url: &url, expires_s }).write(id, out);
        Ok(())
    }
}
