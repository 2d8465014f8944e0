//! Word lists: the three actions agree on what matches, masking hides all of it, and simple disguises do not help.

use chat::filter::{Action, Judgement, WordList, WordListError, judge};

/// Lists, words of a list and texts beyond these are not looked at: a slow input finds no more than a fast one.
const LISTS_MAX: usize = 3;
const WORDS_MAX: usize = 4;
const TEXTS_MAX: usize = 3;

/// Lines with word lists, an empty line, lines with texts. A list is its action (`!` block, `*` mask, anything else
/// mark) and its words, with bars between them: `*red packet|gold`.
struct Case {
    lists: Vec<List>,
    texts: Vec<String>,
}

/// A word list, alone and taken apart.
struct List {
    /// With the action that the case wants.
    wanted: WordList,
    /// The same words with each of the actions.
    blocks: WordList,
    masks: WordList,
    marks: WordList,
    /// Each word with a list of its own, which blocks.
    words: Vec<(String, WordList)>,
}

/// The bytes are a [`Case`].
pub fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(case) = Case::read(text) else { return };
    for list in &case.lists {
        list.actions_agree(&case.texts);
        list.disguises_do_not_help();
    }
    let lists: Vec<_> = case.lists.iter().map(|list| list.wanted.clone()).collect();
    let judgement = judge(&lists, &case.texts);
    case.the_strictest_wins(&judgement);
    if let Judgement::Masked { texts: masked, marked } = &judgement {
        case.nothing_but_words_is_hidden(masked);
        // The asterisks themselves may be what a list looks for, and then it may find more every time.
        if !case.has_asterisks() {
            let again = judge(&lists, masked);
            assert!(again == Judgement::Clean || (*marked && again == Judgement::Marked), "{again:?}");
        }
    }
}

impl Case {
    fn read(text: &str) -> Result<Case, WordListError> {
        let (lists, texts) = text.split_once("\n\n").unwrap_or((text, ""));
        let lists = lists.lines().filter(|line| !line.is_empty()).take(LISTS_MAX);
        Ok(Case {
            lists: lists.map(List::read).collect::<Result<_, _>>()?,
            texts: texts.lines().take(TEXTS_MAX).map(str::to_owned).collect(),
        })
    }

    fn the_strictest_wins(&self, together: &Judgement) {
        let alone: Vec<_> = self.lists.iter().map(|list| judged(&list.wanted, &self.texts)).collect();
        let any = |wanted: fn(&Judgement) -> bool| alone.iter().any(wanted);
        let blocks = any(|judgement| *judgement == Judgement::Blocked);
        let masks = any(|judgement| matches!(judgement, Judgement::Masked { .. }));
        let marks = any(|judgement| *judgement == Judgement::Marked);
        match together {
            Judgement::Blocked => assert!(blocks),
            Judgement::Masked { marked, .. } => assert_eq!((blocks, masks, marks), (false, true, *marked)),
            Judgement::Marked => assert_eq!((blocks, masks, marks), (false, false, true)),
            Judgement::Clean => assert_eq!((blocks, masks, marks), (false, false, false)),
        }
    }

    fn nothing_but_words_is_hidden(&self, masked: &[String]) {
        assert_eq!(masked.len(), self.texts.len());
        for (before, after) in self.texts.iter().zip(masked) {
            assert!(after.len() <= before.len(), "the size was judged before");
            assert!(is_partly_hidden(before, after), "{before:?} became {after:?}");
            let found = self
                .lists
                .iter()
                .any(|list| judged(&list.marks, std::slice::from_ref(before)) != Judgement::Clean);
            assert!(found || before == after, "{before:?} became {after:?}");
        }
    }

    /// Whether a word has an asterisk, in whatever disguise.
    fn has_asterisks(&self) -> bool {
        let asterisk = WordList::new(&["*".to_owned()], Action::Block).expect("an asterisk is a word");
        let words = self.lists.iter().flat_map(|list| &list.words).map(|(word, _)| word.clone());
        judged(&asterisk, &words.collect::<Vec<_>>()) == Judgement::Blocked
    }
}

impl List {
    /// Reads a line that is not empty. Refused if one of the words alone would be, and for the same reason.
    fn read(line: &str) -> Result<List, WordListError> {
        let first = line.chars().next().expect("a line that is not empty");
        let words: Vec<_> = line[first.len_utf8()..].split('|').take(WORDS_MAX).map(str::to_owned).collect();
        let each = words.iter().map(|word| WordList::new(std::slice::from_ref(word), Action::Block));
        let each = each.collect::<Result<Vec<_>, _>>();
        let blocks = WordList::new(&words, Action::Block);
        assert_eq!(blocks.as_ref().err(), each.as_ref().err());
        let (blocks, each) = (blocks?, each?);
        let masks = WordList::new(&words, Action::Mask)?;
        let marks = WordList::new(&words, Action::Mark)?;
        let wanted = match first {
            '!' => &blocks,
            '*' => &masks,
            _ => &marks,
        };
        Ok(List {
            wanted: wanted.clone(),
            blocks,
            masks,
            marks,
            words: words.into_iter().zip(each).collect(),
        })
    }

    fn actions_agree(&self, texts: &[String]) {
        let finds = self.words.iter().any(|(_, word)| judged(word, texts) == Judgement::Blocked);
        assert_eq!(judged(&self.blocks, texts) == Judgement::Blocked, finds);
        assert_eq!(judged(&self.marks, texts) == Judgement::Marked, finds);
        assert_eq!(matches!(judged(&self.masks, texts), Judgement::Masked { marked: false, .. }), finds);
    }

    /// Each word is found, and hidden as a whole, also where a shorter one begins at the same place.
    fn disguises_do_not_help(&self) {
        for (word, blocks) in &self.words {
            assert_eq!(judged(blocks, &[format!("a {word} z")]), Judgement::Blocked, "{word:?}");
            for text in disguises(word) {
                let judgement = judged(&self.masks, std::slice::from_ref(&text));
                let Judgement::Masked { texts, .. } = judgement else { panic!("{word:?} in {text:?}") };
                assert!(is_hidden(&texts[0]), "{word:?} in {text:?} became {texts:?}");
            }
        }
    }
}

/// A word on its own, and a Latin one also in what is commonly done to hide it.
fn disguises(word: &str) -> Vec<String> {
    let mut disguises = vec![word.to_owned()];
    if word.chars().all(|c| c < '\u{250}') {
        disguises.push(word.chars().flat_map(|c| [c, '\u{200b}']).collect());
    }
    if word.is_ascii() {
        disguises.push(word.to_ascii_uppercase());
        disguises.push(word.chars().map(full_width).collect());
    }
    disguises
}

/// Whether nothing is left to see: what a list refuses as a word is invisible.
fn is_hidden(text: &str) -> bool {
    text.chars().all(|c| c == '*' || WordList::new(&[c.to_string()], Action::Mask).is_err())
}

fn judged(list: &WordList, texts: &[String]) -> Judgement {
    judge(std::slice::from_ref(list), texts)
}

/// The letter of the same name that takes the place of a Chinese character.
fn full_width(c: char) -> char {
    match c {
        ' ' => '\u{3000}',
        '!'..='~' => char::from_u32(u32::from(c) + 0xfee0).expect("ASCII has a full-width block"),
        _ => c,
    }
}

/// Whether the second text is the first one with asterisks in the place of some of its characters.
fn is_partly_hidden(before: &str, after: &str) -> bool {
    let mut rest = before.chars();
    after.chars().all(|shown| shown == '*' || rest.any(|c| c == shown))
}
