//! The tags of a profile and what may stand under them.

use std::borrow::Cow;

use super::bad;
use crate::{
    callback::words,
    code::{ErrorCode, Failure},
    json,
    lenient::Slot,
    limits::{KEYWORD_LEN_MAX, PROFILE_LOCATION_LEN_MAX, PROFILE_VALUE_LEN_MAX},
};

/// The name of a value in a profile.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Tag<'a> {
    /// One that every profile has.
    Standard(StandardTag),
    /// One that the app made up, with its whole name: `Tag_Profile_Custom_` and 1 to 8 letters.
    Custom(Cow<'a, str>),
}

words! {
    /// A tag that every profile has.
    enum StandardTag;
    /// A name to show, at most 500 bytes.
    Nick = "Tag_Profile_IM_Nick";
    /// A word of [`Gender`].
    Gender = "Tag_Profile_IM_Gender";
    /// A number such as 20190419.
    BirthDay = "Tag_Profile_IM_BirthDay";
    /// At most 16 bytes.
    Location = "Tag_Profile_IM_Location";
    /// At most 500 bytes.
    SelfSignature = "Tag_Profile_IM_SelfSignature";
    /// A word of [`AllowType`].
    AllowType = "Tag_Profile_IM_AllowType";
    /// A number, which the app gives its meaning.
    Language = "Tag_Profile_IM_Language";
    /// The URL of a picture, at most 500 bytes.
    Image = "Tag_Profile_IM_Image";
    /// A number made of bits.
    MsgSettings = "Tag_Profile_IM_MsgSettings";
    /// A word of [`AdminForbid`].
    AdminForbidType = "Tag_Profile_IM_AdminForbidType";
    /// A number, which the app gives its meaning.
    Level = "Tag_Profile_IM_Level";
    /// A number, which the app gives its meaning.
    Role = "Tag_Profile_IM_Role";
}

words! {
    /// The values of [`StandardTag::Gender`].
    enum Gender;
    /// Not said; the default.
    Unknown = "Gender_Type_Unknown";
    /// Female.
    Female = "Gender_Type_Female";
    /// Male.
    Male = "Gender_Type_Male";
}

words! {
    /// The values of [`StandardTag::AllowType`]: what happens to those who want to be the user's friend.
    enum AllowType;
    /// The user is asked.
    NeedConfirm = "AllowType_Type_NeedConfirm";
    /// They become friends at once; the default.
    AllowAny = "AllowType_Type_AllowAny";
    /// They are turned down.
    DenyAny = "AllowType_Type_DenyAny";
}

words! {
    /// The values of [`StandardTag::AdminForbidType`].
    enum AdminForbid;
    /// Nothing is forbidden; the default.
    None = "AdminForbid_Type_None";
    /// The user may not ask others to be friends.
    SendOut = "AdminForbid_Type_SendOut";
}

/// The value of a tag; which of the two it is depends on the tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TagValue<'a> {
    /// A JSON number.
    Number(u32),
    /// A JSON string.
    Text(Cow<'a, str>),
}

impl<'a> Tag<'a> {
    /// The tag with this name; case matters.
    pub fn parse(name: impl Into<Cow<'a, str>>) -> Option<Tag<'a>> {
        let name = name.into();
        if let Some(standard) = StandardTag::parse(&name) {
            return Some(Tag::Standard(standard));
        }
        is_keyword(name.strip_prefix("Tag_Profile_Custom_")?).then_some(Tag::Custom(name))
    }

    /// The name on the wire.
    pub fn as_str(&self) -> &str {
        match self {
            Tag::Standard(tag) => tag.as_str(),
            Tag::Custom(name) => name,
        }
    }

    /// What a profile has where nothing was set; `None` for a custom tag, which is then not in the profile.
    pub fn default_value(&self) -> Option<TagValue<'static>> {
        let Tag::Standard(tag) = self else { return None };
        Some(match tag {
            tag if tag.is_number() => TagValue::Number(0),
            StandardTag::Gender => TagValue::Text(Gender::Unknown.as_str().into()),
            StandardTag::AllowType => TagValue::Text(AllowType::AllowAny.as_str().into()),
            StandardTag::AdminForbidType => TagValue::Text(AdminForbid::None.as_str().into()),
            _ => TagValue::Text("".into()),
        })
    }

    /// Whether the tag may have this value: [`ErrorCode::ProfileValueWrongType`] for the wrong kind,
    /// [`ErrorCode::ValueTooLong`] and [`ErrorCode::ProfileValueInvalid`] for one that the tag does not allow.
    pub fn check(&self, value: &TagValue<'_>) -> Result<(), Failure> {
        let text = match value {
            TagValue::Number(_) if self.is_number() => return Ok(()),
            TagValue::Text(text) if !self.is_number() => text,
            _ => return Err(self.wrong_type()),
        };
        let is_known_word = match self {
            Tag::Standard(StandardTag::Gender) => Gender::parse(text).is_some(),
            Tag::Standard(StandardTag::AllowType) => AllowType::parse(text).is_some(),
            Tag::Standard(StandardTag::AdminForbidType) => AdminForbid::parse(text).is_some(),
            _ => true,
        };
        if !is_known_word {
            let info = format!("{} does not have such a value", self.as_str());
            return Err(ErrorCode::ProfileValueInvalid.with(info));
        }
        let len_max = match self {
            Tag::Standard(StandardTag::Location) => PROFILE_LOCATION_LEN_MAX,
            _ => PROFILE_VALUE_LEN_MAX,
        };
        if text.len() > len_max {
            let info = format!("{} is longer than {len_max} bytes", self.as_str());
            return Err(ErrorCode::ValueTooLong.with(info));
        }
        Ok(())
    }

    /// The value of an item, checked.
    pub(super) fn read<'v>(&self, slot: Slot<'v>) -> Result<TagValue<'v>, Failure> {
        if slot.is_absent() {
            return Err(bad("Value", "there"));
        }
        if self.is_number() {
            let value = slot.i64().ok().flatten().ok_or_else(|| self.wrong_type())?;
            let value = u32::try_from(value).map_err(|_| {
                let info = format!("{} must be an unsigned 32-bit integer", self.as_str());
                ErrorCode::ProfileValueInvalid.with(info)
            })?;
            return Ok(TagValue::Number(value));
        }
        let text = slot.string().ok().flatten().ok_or_else(|| self.wrong_type())?;
        let value = TagValue::Text(text);
        self.check(&value)?;
        Ok(value)
    }

    fn is_number(&self) -> bool {
        matches!(self, Tag::Standard(tag) if tag.is_number())
    }

    fn wrong_type(&self) -> Failure {
        let wanted = if self.is_number() { "an integer" } else { "a String" };
        ErrorCode::ProfileValueWrongType.with(format!("{} must be {wanted}", self.as_str()))
    }
}

impl StandardTag {
    fn is_number(self) -> bool {
        matches!(
            self,
            StandardTag::BirthDay
                | StandardTag::Language
                | StandardTag::MsgSettings
                | StandardTag::Level
                | StandardTag::Role
        )
    }
}

impl TagValue<'_> {
    /// Appends the value as JSON.
    pub fn write(&self, out: &mut Vec<u8>) {
        match self {
            TagValue::Number(value) => json::number(out, u64::from(*value)),
            TagValue::Text(text) => json::string(out, text),
        }
    }
}

/// Whether an app may choose this word: 1 to 8 ASCII letters.
pub(in crate::rest) fn is_keyword(word: &str) -> bool {
    (1..=KEYWORD_LEN_MAX).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> TagValue<'_> {
        TagValue::Text(text.into())
    }

    #[test]
    fn tags_and_their_defaults() {
        let table = [
            ("Tag_Profile_IM_Nick", Some(text(""))),
            ("Tag_Profile_IM_Gender", Some(text("Gender_Type_Unknown"))),
            ("Tag_Profile_IM_BirthDay", Some(TagValue::Number(0))),
            ("Tag_Profile_IM_Location", Some(text(""))),
            ("Tag_Profile_IM_SelfSignature", Some(text(""))),
            ("Tag_Profile_IM_AllowType", Some(text("AllowType_Type_AllowAny"))),
            ("Tag_Profile_IM_Language", Some(TagValue::Number(0))),
            ("Tag_Profile_IM_Image", Some(text(""))),
            ("Tag_Profile_IM_MsgSettings", Some(TagValue::Number(0))),
            ("Tag_Profile_IM_AdminForbidType", Some(text("AdminForbid_Type_None"))),
            ("Tag_Profile_IM_Level", Some(TagValue::Number(0))),
            ("Tag_Profile_IM_Role", Some(TagValue::Number(0))),
            ("Tag_Profile_Custom_Vip", None),
        ];
        assert_eq!(StandardTag::ALL.len(), 12);
        for (name, default) in table {
            let tag = Tag::parse(name).unwrap();
            assert_eq!((tag.as_str(), tag.default_value()), (name, default.clone()));
            assert!(default.is_none_or(|value| tag.check(&value).is_ok()), "{name}");
        }
        let nick = Tag::Standard(StandardTag::Nick);
        assert_eq!(nick.check(&TagValue::Number(1)).unwrap_err().code, 40610);
        let role = Tag::Standard(StandardTag::Role);
        assert_eq!(role.check(&text("1")).unwrap_err().code, 40610);
    }
}
