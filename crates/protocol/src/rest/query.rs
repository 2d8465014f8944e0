//! The query of a REST call: which app, who calls, and the proof of it.

use std::{borrow::Cow, fmt};

use crate::{code::ErrorCode, lenient, url, user_id::valid_user_id};

/// `sdkappid`, `identifier` and `usersig`, in any order. `random`, `contenttype` and unknown parameters are ignored.
#[derive(Clone, PartialEq, Eq)]
pub struct Query<'a> {
    /// The app.
    pub sdkappid: u32,
    /// The caller, a valid UserID.
    pub identifier: Cow<'a, str>,
    /// The caller's UserSig, not yet verified; may be empty.
    pub usersig: Cow<'a, str>,
}

impl<'a> Query<'a> {
    /// Parses what stands behind the `?`. Names are case-sensitive, values may be escaped, of a doubled parameter the
    /// last counts, and a plus sign stands for itself.
    ///
    /// Refused with [`ErrorCode::BadUrl`] (a broken escape), [`ErrorCode::SdkAppIdMissing`] or
    /// [`ErrorCode::BadUrlParameter`] (sdkappid not a number, identifier missing or not a UserID). A missing UserSig is
    /// left for its verification to refuse.
    pub fn parse(query: &'a str) -> Result<Query<'a>, ErrorCode> {
        let mut sdkappid = "";
        let mut identifier = "";
        let mut usersig = "";
        for (name, value) in url::pairs(query) {
            match name {
                "sdkappid" => sdkappid = value,
                "identifier" => identifier = value,
                "usersig" => usersig = value,
                _ => {}
            }
        }
        if sdkappid.is_empty() {
            return Err(ErrorCode::SdkAppIdMissing);
        }
        let sdkappid = lenient::integer(sdkappid).and_then(|number| u32::try_from(number).ok());
        let sdkappid = sdkappid.ok_or(ErrorCode::BadUrlParameter)?;
        let identifier = url::decode(identifier).ok_or(ErrorCode::BadUrl)?;
        if !valid_user_id(&identifier) {
            return Err(ErrorCode::BadUrlParameter);
        }
        let usersig = url::decode(usersig).ok_or(ErrorCode::BadUrl)?;
        Ok(Query { sdkappid, identifier, usersig })
    }
}

impl fmt::Debug for Query<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Query")
            .field("sdkappid", &self.sdkappid)
            .field("identifier", &self.identifier)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_as_clients_write_them() {
        let table = [
            (
                "sdkappid=14&identifier=ada&usersig=eJy*-_&random=9&contenttype=json",
                Ok((14, "ada", "eJy*-_")),
            ),
            ("usersig=eJy%2A%2D%5f&identifier=%E7%94%A8&sdkappid=14", Ok((14, "用", "eJy*-_"))),
            ("sdkappid=14&identifier=a+b&&x", Ok((14, "a+b", ""))),
            ("sdkappid=1&sdkappid=2&identifier=a&usersig=b", Ok((2, "a", "b"))),
            ("", Err(ErrorCode::SdkAppIdMissing)),
            ("SdkAppid=14&identifier=ada", Err(ErrorCode::SdkAppIdMissing)),
            ("sdkappid=&identifier=ada", Err(ErrorCode::SdkAppIdMissing)),
            ("sdkappid=x&identifier=ada", Err(ErrorCode::BadUrlParameter)),
            ("sdkappid=4294967296&identifier=ada", Err(ErrorCode::BadUrlParameter)),
            ("sdkappid=14", Err(ErrorCode::BadUrlParameter)),
            ("sdkappid=14&identifier=a%0Ab", Err(ErrorCode::BadUrlParameter)),
            ("sdkappid=14&identifier=a%", Err(ErrorCode::BadUrl)),
            ("sdkappid=14&identifier=a&usersig=%ff", Err(ErrorCode::BadUrl)),
        ];
        for (text, expected) in table {
            let query = Query::parse(text);
            let seen = query.as_ref().map(|query| (query.sdkappid, &*query.identifier, &*query.usersig));
            assert_eq!(seen, expected.as_ref().copied(), "{text}");
        }
    }
}
