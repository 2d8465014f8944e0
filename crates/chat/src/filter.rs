//! Word lists: what an app does not want said, and what happens to a message that says it.
//!
//! Words and texts are compared after NFKC, lower-casing, and removal of zero-width characters, so that full-width
//! letters or a hidden joiner do not help. Custom elements never come here: their bytes are the app's own.

use aho_corasick::{AhoCorasick, MatchKind};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::canonical_combining_class;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// Deliver, and tell everybody that a list matched.
    Mark,
    /// Deliver with the words replaced by asterisks.
    Mask,
    /// Refuse the message.
    Block,
}

/// One word list, ready to match.
#[derive(Debug, Clone)]
pub struct WordList {
    action: Action,
    matcher: AhoCorasick,
}

/// Why a word list cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WordListError {
    #[error("the word {0:?} is empty once normalised, and would match everything")]
    EmptyWord(String),
    #[error("the word list is too large to match: {0}")]
    TooLarge(String),
}

impl WordList {
    pub fn new(words: &[String], action: Action) -> Result<Self, WordListError> {
        let normalised: Vec<String> = words.iter().map(|word| Normalised::of(word).text).collect();
        if let Some(empty) = normalised.iter().position(String::is_empty) {
            return Err(WordListError::EmptyWord(words[empty].clone()));
        }
        let matcher = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .build(&normalised)
            .map_err(|error| WordListError::TooLarge(error.to_string()))?;
        Ok(Self { action, matcher })
    }
}

/// What the word lists say of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judgement {
    Clean,
    Marked,
    /// The texts to send instead, in the order of the given ones.
    Masked {
        texts: Vec<String>,
        marked: bool,
    },
    Blocked,
}

/// Judges all texts of a message by all lists. The strictest action wins; marking and masking may come together.
pub fn judge(lists: &[WordList], texts: &[String]) -> Judgement {
    if lists.is_empty() || texts.is_empty() {
        return Judgement::Clean;
    }
    let mut marked = false;
    let mut masked: Option<Vec<String>> = None;
    for (index, text) in texts.iter().enumerate() {
        let normalised = Normalised::of(text);
        let mut covered = vec![false; normalised.segments.len()];
        for list in lists {
            for found in list.matcher.find_iter(&normalised.text) {
                match list.action {
                    Action::Block => return Judgement::Blocked,
                    Action::Mark => marked = true,
                    Action::Mask => normalised.cover(found.range(), &mut covered),
                }
            }
        }
        if covered.contains(&true) {
            masked.get_or_insert_with(|| texts.to_vec())[index] = normalised.masked(text, &covered);
        }
    }
    match masked {
        Some(texts) => Judgement::Masked { texts, marked },
        None if marked => Judgement::Marked,
        None => Judgement::Clean,
    }
}

/// A text as the matcher sees it, and where each byte of it came from.
struct Normalised {
    text: String,
    /// For each byte of `text`, the segment of the original it came from.
    origin: Vec<u32>,
    /// Where each segment starts in the original.
    segments: Vec<usize>,
}

impl Normalised {
    /// Normalises segment by segment (a character with the marks that combine with it), since only then can a
    /// match be led back to the characters it came from.
    fn of(original: &str) -> Self {
        let mut this =
            Self { text: String::with_capacity(original.len()), origin: Vec::new(), segments: Vec::new() };
        let mut chars = original.char_indices().peekable();
        while let Some((start, first)) = chars.next() {
            let mut end = start + first.len_utf8();
            while let Some((_, mark)) = chars.next_if(|(_, next)| canonical_combining_class(*next) != 0) {
                end += mark.len_utf8();
            }
            let segment = this.segments.len() as u32;
            this.segments.push(start);
            let lowered = original[start..end].nfkc().flat_map(char::to_lowercase);
            this.text.extend(lowered.filter(|c| !is_zero_width(*c)));
            this.origin.resize(this.text.len(), segment);
        }
        this
    }

    fn cover(&self, matched: std::ops::Range<usize>, covered: &mut [bool]) {
        // Zero-width characters between the first and the last matched one go with them.
        let (first, last) = (self.origin[matched.start], self.origin[matched.end - 1]);
        covered[first as usize..=last as usize].fill(true);
    }

    fn masked(&self, original: &str, covered: &[bool]) -> String {
        let ends = self.segments.iter().skip(1).copied().chain([original.len()]);
        let pieces = self.segments.iter().zip(ends).zip(covered);
        pieces.map(|((start, end), hidden)| if *hidden { "*" } else { &original[*start..end] }).collect()
    }
}

fn is_zero_width(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}' | '\u{feff}' | '\u{ad}' | '\u{180e}' | '\u{fe00}'..='\u{fe0f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(words: &[&str], action: Action, text: &str) -> Judgement {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        judge(&[WordList::new(&words, action).unwrap()], &[text.to_owned()])
    }

    #[test]
    fn disguises_do_not_help() {
        for text in [
            "a red packet!",
            "A RED PACKET",
            "ｒｅｄ ｐａｃｋｅｔ",
            "r\u{200b}ed pac\u{200d}ket",
            "red\u{a0}packet",
            "𝐫𝐞𝐝 packet",
        ] {
            assert_eq!(judged(&["Red Packet"], Action::Block, text), Judgement::Blocked, "{text}");
        }
        for text in ["red", "redpacket", "reed packet", ""] {
            assert_eq!(judged(&["Red Packet"], Action::Block, text), Judgement::Clean, "{text}");
        }
        assert_eq!(judged(&["红包"], Action::Block, "发个红包吧"), Judgement::Blocked);
        assert_eq!(judged(&["café"], Action::Block, "Cafe\u{301}"), Judgement::Blocked);
    }

    #[test]
    fn masking_touches_only_what_matched() {
        let masked = |words: &[&str], text| match judged(words, Action::Mask, text) {
            Judgement::Masked { texts, marked: false } => texts.concat(),
            other => format!("{other:?}"),
        };
        assert_eq!(masked(&["bad"], "a BAD day"), "a *** day");
        assert_eq!(masked(&["红包"], "发个红包吧"), "发个**吧");
        assert_eq!(masked(&["bad"], "ｂ\u{200b}ad, badly"), "****, ***ly");
        assert_eq!(masked(&["ab", "abc"], "xabcx"), "x***x");
    }

    #[test]
    fn the_strictest_list_wins_and_marking_goes_with_masking() {
        let list = |word: &str, action| WordList::new(&[word.to_owned()], action).unwrap();
        let lists = [list("soft", Action::Mark), list("hard", Action::Mask), list("never", Action::Block)];
        let judged =
            |texts: &[&str]| judge(&lists, &texts.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>());
        assert_eq!(judged(&["fine"]), Judgement::Clean);
        assert_eq!(judged(&["soft"]), Judgement::Marked);
        assert_eq!(
            judged(&["soft", "is hard"]),
            Judgement::Masked { texts: vec!["soft".into(), "is ****".into()], marked: true }
        );
        assert_eq!(judged(&["hard", "never"]), Judgement::Blocked);
    }

    #[test]
    fn a_word_that_would_match_everything_is_refused() {
        let empty = WordList::new(&["ok".into(), "\u{200b}".into()], Action::Mask);
        assert_eq!(empty.unwrap_err(), WordListError::EmptyWord("\u{200b}".into()));
    }
}
