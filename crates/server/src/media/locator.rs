//! Names of stored files: in addresses, and in the store.
//!
//! An address is `/media/{sdkappid}/{file}/{name}`. The file part says all that the server has to know, so that there
//! is no list of files to keep; the name is only there for people, and never a part of a path.

use super::format::Format;
use std::fmt;
use std::str::FromStr;

/// Longest name that is kept, in bytes. It stands in every address, with up to three characters a byte.
const NAME_BYTES_MAX: usize = 100;

/// What files of one upload have in common: so random that nobody finds one by trying.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct MediaId(pub(super) u128);

impl MediaId {
    pub(super) fn random() -> Result<Self, getrandom::Error> {
        Ok(Self(u128::from(getrandom::u64()?) << 64 | u128::from(getrandom::u64()?)))
    }
}

impl fmt::Display for MediaId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for MediaId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for MediaId {
    type Err = ();

    /// Only the one way in which it is written: two addresses of one file would be cached twice.
    fn from_str(text: &str) -> Result<Self, ()> {
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if text.len() != 32 || !text.bytes().all(is_digit) {
            return Err(());
        }
        u128::from_str_radix(text, 16).map(Self).map_err(|_| ())
    }
}

/// The file that came, or one that was made of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Variant {
    Original,
    Large,
    Small,
}

impl Variant {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Original => "original",
            Self::Large => "large",
            Self::Small => "small",
        }
    }
}

/// A file of one upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Part {
    pub(super) variant: Variant,
    pub(super) format: Format,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.variant.name(), self.format.extension())
    }
}

/// One stored file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Locator {
    pub(super) sdkappid: u32,
    pub(super) id: MediaId,
    pub(super) part: Part,
}

impl Locator {
    /// Reads two parts of an address. Nothing else of it is ever used for a path.
    pub(super) fn parse(sdkappid: &str, file: &str) -> Option<Self> {
        let is_number = sdkappid.bytes().all(|byte| byte.is_ascii_digit()) && !sdkappid.starts_with('0');
        let (id, part) = file.split_once('.')?;
        let (variant, extension) = match part.split_once('.') {
            None => (Variant::Original, part),
            Some(("large", extension)) => (Variant::Large, extension),
            Some(("small", extension)) => (Variant::Small, extension),
            Some(_) => return None,
        };
        Some(Self {
            sdkappid: sdkappid.parse().ok().filter(|_| is_number)?,
            id: id.parse().ok()?,
            part: Part { variant, format: Format::of_extension(extension)? },
        })
    }

    /// What it is called in the address.
    pub(super) fn file(&self) -> String {
        let (id, extension) = (self.id, self.part.format.extension());
        match self.part.variant {
            Variant::Original => format!("{id}.{extension}"),
            variant => format!("{id}.{}.{extension}", variant.name()),
        }
    }
}

/// A name that people can be shown, whatever the device called the file: without folders, line ends and the like.
pub(super) fn tame_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let kept = last.chars().filter(|c| !c.is_control() && !is_invisible(*c)).collect::<String>();
    let mut kept = kept.trim().trim_start_matches('.').to_owned();
    if kept.len() > NAME_BYTES_MAX {
        kept = shortened(&kept);
    }
    if kept.is_empty() { "file".to_owned() } else { kept }
}

/// Characters that turn the order of others around, or cannot be seen: they make an extension look like another.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// As much of the name as there is room for, with its extension, which says how to open it.
fn shortened(name: &str) -> String {
    let extension = name.rfind('.').map(|at| &name[at..]).filter(|extension| extension.len() <= 16);
    let extension = extension.unwrap_or_default();
    let mut end = NAME_BYTES_MAX - extension.len();
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{extension}", &name[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0123456789abcdef0123456789abcdef";

    #[test]
    fn an_address_names_one_file() {
        for file in [format!("{ID}.png"), format!("{ID}.large.jpg"), format!("{ID}.small.png")] {
            let locator = Locator::parse("1400000001", &file).unwrap();
            assert_eq!((locator.sdkappid, locator.file()), (1_400_000_001, file));
        }
        let upper = ID.to_uppercase();
        for (sdkappid, file) in [
            ("1400000001", ID.to_owned()),
            ("1400000001", format!("{ID}.svg")),
            ("1400000001", format!("{ID}.original.png")),
            ("1400000001", format!("{ID}.huge.png")),
            ("1400000001", format!("{ID}.large.")),
            ("1400000001", format!("{upper}.png")),
            ("1400000001", format!("{}.png", &ID[1..])),
            ("1400000001", format!("+{}.png", &ID[1..])),
            ("1400000001", "../key".to_owned()),
            ("01", format!("{ID}.png")),
            ("+1", format!("{ID}.png")),
            ("..", format!("{ID}.png")),
            ("99999999999", format!("{ID}.png")),
        ] {
            assert_eq!(Locator::parse(sdkappid, &file), None, "{sdkappid} {file}");
        }
    }

    #[test]
    fn names_are_tamed() {
        let long = "n".repeat(300);
        let table = [
            ("holiday.png", "holiday.png"),
            ("../../etc/passwd", "passwd"),
            ("C:\\Users\\ana\\cv.pdf", "cv.pdf"),
            ("a/", "file"),
            ("..", "file"),
            (".htaccess", "htaccess"),
            ("", "file"),
            ("two\r\nlines.txt", "twolines.txt"),
            ("gpj\u{202e}.exe", "gpj.exe"),
            ("résumé 用.pdf", "résumé 用.pdf"),
            (&long, &long[..100]),
        ];
        for (name, expected) in table {
            assert_eq!(tame_name(name), expected);
        }
        let long = format!("{}.pdf", "用".repeat(100));
        let tame = tame_name(&long);
        assert!(tame.len() <= 100 && tame.ends_with("用.pdf"), "{tame}");
    }
}
