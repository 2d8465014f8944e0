//! What a certificate says of itself, for showing it. Whether it is to be trusted is decided elsewhere.
//!
//! Only the four members that a person looks for are read, which is less than what a parser of all of X.509 brings.

use crate::cli::moment::Moment;
use std::net::IpAddr;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Certificate {
    pub(super) subject: String,
    pub(super) issuer: String,
    /// Names and addresses that it is for.
    pub(super) names: Vec<String>,
    /// `None`: not readable, or before 1970.
    pub(super) not_before_ms: Option<u64>,
    pub(super) not_after_ms: Option<u64>,
}

const INTEGER: u8 = 0x02;
const OCTET_STRING: u8 = 0x04;
const OBJECT_ID: u8 = 0x06;
const UTC_TIME: u8 = 0x17;
const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;
const DNS_NAME: u8 = 0x82;
const IP_ADDRESS: u8 = 0x87;
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
const ORGANISATION: &[u8] = &[0x55, 0x04, 0x0a];
const ALTERNATIVE_NAMES: &[u8] = &[0x55, 0x1d, 0x11];

/// What is left of a sequence of DER elements.
struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    /// The next element: its tag, and what is in it.
    fn next(&mut self) -> Option<(u8, &'a [u8])> {
        let (&tag, rest) = self.0.split_first()?;
        let (&first, mut rest) = rest.split_first()?;
        let mut len = usize::from(first);
        if first & 0x80 != 0 {
            let count = usize::from(first & 0x7f);
            let bytes = rest.get(..count).filter(|_| (1..=4).contains(&count))?;
            len = bytes.iter().fold(0, |len, byte| len << 8 | usize::from(*byte));
            rest = &rest[count..];
        }
        let content = rest.get(..len)?;
        self.0 = &rest[len..];
        Some((tag, content))
    }

    fn expect(&mut self, wanted: u8) -> Option<&'a [u8]> {
        self.next().filter(|(tag, _)| *tag == wanted).map(|(_, content)| content)
    }
}

impl Certificate {
    /// `None`: it is not laid out as a certificate is.
    pub(super) fn read(der: &[u8]) -> Option<Self> {
        let mut signed = Der(Der(der).expect(SEQUENCE)?);
        let mut facts = Der(signed.expect(SEQUENCE)?);
        let (tag, _) = facts.next()?;
        if tag == VERSION {
            facts.expect(INTEGER)?;
        }
        facts.expect(SEQUENCE)?; // The algorithm of the signature.
        let issuer = name(facts.expect(SEQUENCE)?);
        let mut validity = Der(facts.expect(SEQUENCE)?);
        let (not_before_ms, not_after_ms) = (time_ms(validity.next()?), time_ms(validity.next()?));
        let subject = name(facts.expect(SEQUENCE)?);
        let mut names = Vec::new();
        while let Some((tag, content)) = facts.next() {
            if tag == EXTENSIONS {
                names = alternative_names(content).unwrap_or_default();
            }
        }
        Some(Self { subject, issuer, names, not_before_ms, not_after_ms })
    }
}

/// `CN=…, O=…`; other parts are left out.
fn name(content: &[u8]) -> String {
    let (mut sets, mut parts) = (Der(content), Vec::new());
    while let Some((_, set)) = sets.next() {
        let read = || {
            let mut part = Der(Der(set).expect(SEQUENCE)?);
            let kind = part.expect(OBJECT_ID)?;
            let (_, text) = part.next()?;
            Some((kind, String::from_utf8_lossy(text).into_owned()))
        };
        match read() {
            Some((COMMON_NAME, text)) => parts.insert(0, format!("CN={text}")),
            Some((ORGANISATION, text)) => parts.push(format!("O={text}")),
            _ => {}
        }
    }
    if parts.is_empty() { "nobody by name".to_owned() } else { parts.join(", ") }
}

fn time_ms((tag, content): (u8, &[u8])) -> Option<u64> {
    let text = std::str::from_utf8(content).ok().filter(|text| text.is_ascii())?;
    let (year, rest) = match tag {
        UTC_TIME => {
            let (year, rest) = text.split_at_checked(2)?;
            // Two digits stand for the years from 1950 to 2049.
            let century = if year.parse::<u8>().ok()? < 50 { "20" } else { "19" };
            (format!("{century}{year}"), rest)
        }
        _ => text.split_at_checked(4).map(|(year, rest)| (year.to_owned(), rest))?,
    };
    let part = |at: usize| rest.get(at..at + 2);
    let (month, day, hour, minute, second) = (part(0)?, part(2)?, part(4)?, part(6)?, part(8)?);
    match Moment::parse(&format!("{year}-{month}-{day}T{hour}:{minute}:{second}Z")) {
        Ok(Moment::At { unix_ms }) => Some(unix_ms),
        _ => None,
    }
}

fn alternative_names(content: &[u8]) -> Option<Vec<String>> {
    let mut extensions = Der(Der(content).expect(SEQUENCE)?);
    while let Some((_, extension)) = extensions.next() {
        let mut extension = Der(extension);
        if extension.expect(OBJECT_ID)? != ALTERNATIVE_NAMES {
            continue;
        }
        let (mut tag, mut value) = extension.next()?;
        if tag != OCTET_STRING {
            // Whether it is critical comes first.
            (tag, value) = extension.next()?;
        }
        let mut names = Der(Der(value).expect(SEQUENCE).filter(|_| tag == OCTET_STRING)?);
        let mut found = Vec::new();
        while let Some((tag, name)) = names.next() {
            match tag {
                DNS_NAME => found.push(String::from_utf8_lossy(name).into_owned()),
                IP_ADDRESS => found.extend(ip(name).map(|ip| ip.to_string())),
                _ => {}
            }
        }
        return Some(found);
    }
    Some(Vec::new())
}

fn ip(bytes: &[u8]) -> Option<IpAddr> {
    match bytes.len() {
        4 => <[u8; 4]>::try_from(bytes).ok().map(IpAddr::from),
        _ => <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, DnType, KeyPair, SanType, date_time_ymd};

    fn made() -> Vec<u8> {
        let mut params = CertificateParams::new(vec!["chat.example.com".to_owned()]).unwrap();
        params.subject_alt_names.push(SanType::IpAddress("127.0.0.1".parse().unwrap()));
        params.distinguished_name.push(DnType::CommonName, "A receiver");
        params.distinguished_name.push(DnType::OrganizationName, "Example");
        params.not_before = date_time_ymd(2024, 2, 29);
        params.not_after = date_time_ymd(2050, 1, 1);
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
    }

    #[test]
    fn what_a_certificate_says() {
        let expected = Certificate {
            subject: "CN=A receiver, O=Example".to_owned(),
            issuer: "CN=A receiver, O=Example".to_owned(),
            names: vec!["chat.example.com".to_owned(), "127.0.0.1".to_owned()],
            not_before_ms: Some(1_709_164_800_000),
            not_after_ms: Some(2_524_608_000_000),
        };
        assert_eq!(Certificate::read(&made()), Some(expected));
    }

    #[test]
    fn what_is_no_certificate_is_none() {
        let whole = made();
        for end in 0..whole.len() {
            assert_eq!(Certificate::read(&whole[..end]), None, "cut after {end} bytes");
        }
        // Nothing that comes from outside may stop the walk: each byte wrong once.
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 0xff;
            drop(Certificate::read(&bytes));
        }
    }
}
