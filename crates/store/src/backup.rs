//! The stream of a backup: a header, the rows of table after table, and behind them how many there were.
//!
//! Every table ends with its number of rows and a checksum, and the stream with a mark, so that one that was cut or
//! damaged is known as such. Rows stand in it as they stand in the store; what they mean is not known here, and it is
//! not compressed either: both are the business of whoever reads and writes it.
//!
//! A reader refuses a stream of a version that it does not know. Rows have versions of their own.

use crate::notation::put_number;
use std::io::{self, Read, Write};
use xxhash_rust::xxh3::xxh3_128;

const MAGIC: &[u8; 15] = b"couplet backup\n";
const VERSION: u8 = 1;
/// Behind the last table, and nothing behind it.
const END: &[u8; 4] = b"end\n";

const NAME_BYTES_MAX: u64 = 256;
const KEY_BYTES_MAX: u64 = 1 << 20;
/// A row is never so large; this only keeps a broken length from being believed.
const VALUE_BYTES_MAX: u64 = 64 << 20;
const FILES_MAX: u64 = 16;

/// What stands in front.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Header {
    /// When it was begun. Everything that was acknowledged before is in it.
    pub taken_ms: u64,
    /// Version of the program that wrote it.
    pub program: String,
    /// About so many rows, for whoever shows progress.
    pub rows_expected: u64,
    /// Small files that belong to the store, by their names.
    pub files: Vec<(String, Vec<u8>)>,
}

/// What a table came to. The checksum does not depend on the order of the rows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Totals {
    pub table: String,
    pub rows: u64,
    /// Of keys and values.
    pub bytes: u64,
    pub checksum: u128,
}

impl Totals {
    pub(crate) fn of(table: &str) -> Self {
        // The name is in it too: rows are not those of another table.
        let checksum = xxh3_128(table.as_bytes());
        Self { table: table.to_owned(), rows: 0, bytes: 0, checksum }
    }

    /// Counts a row that was put into `encoded`.
    pub(crate) fn count(&mut self, bytes: usize, encoded: &[u8]) {
        self.rows += 1;
        self.bytes += bytes as u64;
        self.checksum = self.checksum.wrapping_add(xxh3_128(encoded));
    }
}

/// Why a stream cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("it is not a backup")]
    Stranger,
    #[error("it is of version {0}, and this program knows versions up to {VERSION}")]
    Newer(u8),
    #[error("it was cut: it ends in the middle")]
    Cut,
    #[error("it is damaged: {0}")]
    Damaged(String),
}

/// Writes a stream. Tables and rows come in any order, but the rows of a table together.
#[derive(Debug)]
pub struct Writer<W> {
    out: W,
    row: Vec<u8>,
    table: Option<Totals>,
    done: Vec<Totals>,
    rows: u64,
}

impl<W: Write> Writer<W> {
    pub fn begin(mut out: W, header: &Header) -> io::Result<Self> {
        let mut head = Vec::new();
        put_number(&mut head, header.taken_ms);
        put_part(&mut head, header.program.as_bytes());
        put_number(&mut head, header.rows_expected);
        put_number(&mut head, header.files.len() as u64);
        for (name, content) in &header.files {
            put_part(&mut head, name.as_bytes());
            put_part(&mut head, content);
        }
        let mut front = [&MAGIC[..], &[VERSION]].concat();
        put_part(&mut front, &head);
        front.extend_from_slice(&xxh3_128(&head).to_be_bytes());
        out.write_all(&front)?;
        Ok(Self { out, row: Vec::new(), table: None, done: Vec::new(), rows: 0 })
    }

    pub fn table(&mut self, name: &str) -> io::Result<()> {
        self.end_table()?;
        self.row.clear();
        put_part(&mut self.row, name.as_bytes());
        self.table = Some(Totals::of(name));
        self.out.write_all(&self.row)
    }

    pub fn row(&mut self, key: &[u8], value: &[u8]) -> io::Result<()> {
        assert!(!key.is_empty(), "an empty key would end the table");
        self.row.clear();
        put_part(&mut self.row, key);
        put_part(&mut self.row, value);
        let table = self.table.as_mut().expect("a row is of a table");
        table.count(key.len() + value.len(), &self.row);
        self.rows += 1;
        self.out.write_all(&self.row)
    }

    /// Rows so far.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Ends the stream, and says what was in it.
    pub fn end(mut self) -> io::Result<(W, Vec<Totals>)> {
        self.end_table()?;
        self.row.clear();
        put_part(&mut self.row, b"");
        put_number(&mut self.row, self.rows);
        self.row.extend_from_slice(END);
        self.out.write_all(&self.row)?;
        self.out.flush()?;
        Ok((self.out, self.done))
    }

    fn end_table(&mut self) -> io::Result<()> {
        let Some(totals) = self.table.take() else { return Ok(()) };
        self.row.clear();
        put_part(&mut self.row, b"");
        put_number(&mut self.row, totals.rows);
        self.row.extend_from_slice(&totals.checksum.to_be_bytes());
        self.out.write_all(&self.row)?;
        self.done.push(totals);
        Ok(())
    }
}

/// What comes next in a stream.
#[derive(Debug, PartialEq, Eq)]
pub enum Item<'a> {
    Table(&'a str),
    Row {
        key: &'a [u8],
        value: &'a [u8],
    },
    /// The stream was whole.
    End,
}

/// Reads a stream, and compares what it says with what it holds. What was read from one that turns out to be broken
/// is worth nothing.
#[derive(Debug)]
pub struct Reader<R> {
    from: R,
    header: Header,
    table: Option<Totals>,
    done: Vec<Totals>,
    key: Vec<u8>,
    value: Vec<u8>,
    row: Vec<u8>,
    rows: u64,
}

impl<R: Read> Reader<R> {
    pub fn begin(mut from: R) -> Result<Self, Unreadable> {
        let mut front = [0; MAGIC.len() + 1];
        from.read_exact(&mut front).map_err(|_| Unreadable::Stranger)?;
        if front[..MAGIC.len()] != MAGIC[..] {
            return Err(Unreadable::Stranger);
        }
        match front[MAGIC.len()] {
            VERSION => {}
            newer => return Err(Unreadable::Newer(newer)),
        }
        let mut head = Vec::new();
        take_part(&mut from, VALUE_BYTES_MAX, &mut head)?;
        if take_array(&mut from)? != xxh3_128(&head).to_be_bytes() {
            return Err(Unreadable::Damaged("its header is not what was written".to_owned()));
        }
        let header = take_header(&head)?;
        let (key, value, row) = (Vec::new(), Vec::new(), Vec::new());
        Ok(Self { from, header, table: None, done: Vec::new(), key, value, row, rows: 0 })
    }

    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Rows so far.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// What comes next. Must not be called again behind the end.
    pub fn item(&mut self) -> Result<Item<'_>, Unreadable> {
        if let Some(table) = &mut self.table {
            take_part(&mut self.from, KEY_BYTES_MAX, &mut self.key)?;
            if !self.key.is_empty() {
                take_part(&mut self.from, VALUE_BYTES_MAX, &mut self.value)?;
                self.row.clear();
                put_part(&mut self.row, &self.key);
                put_part(&mut self.row, &self.value);
                table.count(self.key.len() + self.value.len(), &self.row);
                self.rows += 1;
                return Ok(Item::Row { key: &self.key, value: &self.value });
            }
            self.end_table()?;
        }
        take_part(&mut self.from, NAME_BYTES_MAX, &mut self.key)?;
        if self.key.is_empty() {
            self.end()?;
            return Ok(Item::End);
        }
        let name = std::str::from_utf8(&self.key)
            .map_err(|_| Unreadable::Damaged("the name of a table is not UTF-8".to_owned()))?;
        if self.done.iter().any(|done| done.table == name) {
            return Err(Unreadable::Damaged(format!("table {name} comes twice")));
        }
        self.table = Some(Totals::of(name));
        Ok(Item::Table(name))
    }

    /// What the tables came to that have ended.
    pub fn totals(&self) -> &[Totals] {
        &self.done
    }

    fn end_table(&mut self) -> Result<(), Unreadable> {
        let Some(counted) = self.table.take() else { return Ok(()) };
        let rows = take_number(&mut self.from)?;
        let checksum = u128::from_be_bytes(take_array(&mut self.from)?);
        if (rows, checksum) != (counted.rows, counted.checksum) {
            let words = format!("the rows of table {} are not those that were written", counted.table);
            return Err(Unreadable::Damaged(words));
        }
        self.done.push(counted);
        Ok(())
    }

    fn end(&mut self) -> Result<(), Unreadable> {
        let rows = take_number(&mut self.from)?;
        if rows != self.rows || &take_array(&mut self.from)? != END {
            return Err(Unreadable::Damaged("its end is not what was written".to_owned()));
        }
        match self.from.read(&mut [0])? {
            0 => Ok(()),
            _ => Err(Unreadable::Damaged("it goes on after its end".to_owned())),
        }
    }
}

pub(crate) fn put_part(out: &mut Vec<u8>, part: &[u8]) {
    put_number(out, part.len() as u64);
    out.extend_from_slice(part);
}

fn take_header(mut head: &[u8]) -> Result<Header, Unreadable> {
    let taken_ms = take_number(&mut head)?;
    let program = take_text(&mut head)?;
    let rows_expected = take_number(&mut head)?;
    let count = take_number(&mut head)?;
    if count > FILES_MAX {
        return Err(Unreadable::Damaged("it names too many files".to_owned()));
    }
    let mut files = Vec::new();
    for _ in 0..count {
        let name = take_text(&mut head)?;
        let mut content = Vec::new();
        take_part(&mut head, VALUE_BYTES_MAX, &mut content)?;
        files.push((name, content));
    }
    Ok(Header { taken_ms, program, rows_expected, files })
}

fn take_text(from: &mut impl Read) -> Result<String, Unreadable> {
    let mut text = Vec::new();
    take_part(from, NAME_BYTES_MAX, &mut text)?;
    String::from_utf8(text).map_err(|_| Unreadable::Damaged("a name is not UTF-8".to_owned()))
}

/// Room is made as the bytes come: a broken length must not be believed.
fn take_part(from: &mut impl Read, bytes_max: u64, part: &mut Vec<u8>) -> Result<(), Unreadable> {
    let len = take_number(from)?;
    if len > bytes_max {
        return Err(Unreadable::Damaged("a length is too large".to_owned()));
    }
    part.clear();
    let read = from.by_ref().take(len).read_to_end(part).map_err(cut)?;
    if read as u64 == len { Ok(()) } else { Err(Unreadable::Cut) }
}

fn take_number(from: &mut impl Read) -> Result<u64, Unreadable> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let [byte] = take_array(from)?;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(number);
        }
    }
    Err(Unreadable::Damaged("a number is too long".to_owned()))
}

fn take_array<const N: usize>(from: &mut impl Read) -> Result<[u8; N], Unreadable> {
    let mut array = [0; N];
    from.read_exact(&mut array).map_err(cut)?;
    Ok(array)
}

fn cut(error: io::Error) -> Unreadable {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => Unreadable::Cut,
        _ => Unreadable::Io(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> Header {
        let files = vec![("apps.toml".to_owned(), b"[[app]]".to_vec())];
        Header { taken_ms: 5, program: "0.1.0".to_owned(), rows_expected: 3, files }
    }

    fn stream() -> Vec<u8> {
        let mut writer = Writer::begin(Vec::new(), &header()).unwrap();
        writer.table("accounts").unwrap();
        writer.row(b"ana", b"1").unwrap();
        writer.row(b"bo", b"").unwrap();
        writer.table("logs").unwrap();
        writer.table("events").unwrap();
        writer.row(b"x", &[7; 300]).unwrap();
        let (stream, totals) = writer.end().unwrap();
        let counts = totals.iter().map(|table| (&*table.table, table.rows, table.bytes));
        assert_eq!(counts.collect::<Vec<_>>(), [("accounts", 2, 6), ("logs", 0, 0), ("events", 1, 301)]);
        stream
    }

    /// All items in short, or why there is no end.
    fn read(stream: &[u8]) -> Result<Vec<String>, Unreadable> {
        let mut reader = Reader::begin(stream)?;
        let mut items = Vec::new();
        loop {
            match reader.item()? {
                Item::Table(name) => items.push(name.to_owned()),
                Item::Row { key, value } => items.push(format!("{} {}", key.escape_ascii(), value.len())),
                Item::End => return Ok(items),
            }
        }
    }

    #[test]
    fn what_was_written_is_read() {
        let stream = stream();
        assert_eq!(*Reader::begin(&*stream).unwrap().header(), header());
        assert_eq!(read(&stream).unwrap(), ["accounts", "ana 1", "bo 0", "logs", "events", "x 300"]);
    }

    #[test]
    fn no_stream_that_was_cut_has_an_end() {
        let stream = stream();
        for len in 0..stream.len() {
            assert!(read(&stream[..len]).is_err(), "{len}");
        }
        assert!(matches!(read(&stream[..stream.len() - 1]), Err(Unreadable::Cut)));
    }

    #[test]
    fn no_byte_can_be_another() {
        let stream = stream();
        for at in 0..stream.len() {
            for flip in [1, 0x80] {
                let mut damaged = stream.clone();
                damaged[at] ^= flip;
                assert!(read(&damaged).is_err(), "{at}");
            }
        }
        assert!(read(&[&*stream, b"x"].concat()).is_err());
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        let stream = stream();
        assert!(matches!(read(b"something else entirely"), Err(Unreadable::Stranger)));
        let mut newer = stream;
        newer[MAGIC.len()] = 2;
        assert!(matches!(read(&newer), Err(Unreadable::Newer(2))));
    }

    #[test]
    fn a_checksum_is_of_the_rows_and_not_of_their_order() {
        let totals = |rows: &[(&[u8], &[u8])]| {
            let mut writer = Writer::begin(Vec::new(), &Header::default()).unwrap();
            writer.table("t").unwrap();
            rows.iter().for_each(|(key, value)| writer.row(key, value).unwrap());
            writer.end().unwrap().1[0].checksum
        };
        let one = totals(&[(b"a", b"1"), (b"b", b"2")]);
        assert_eq!(one, totals(&[(b"b", b"2"), (b"a", b"1")]));
        assert_ne!(one, totals(&[(b"a", b"2"), (b"b", b"1")]));
        assert_ne!(one, totals(&[(b"a1", b""), (b"b", b"2")]));
    }
}
