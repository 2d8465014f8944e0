//! Seeds as ordinary tests see them.

use std::{fs, path::Path};

/// Seeds are read by people; whatever needs more than this is better written as a test.
const SEED_LEN_MAX: usize = 1024;

/// Hands every seed of a target to a function, in order of its name. The name is printed before, so that the output
/// of a test that panics ends with it.
pub(crate) fn for_each_seed(target: &str, mut check: impl FnMut(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let entries = fs::read_dir(&folder).expect("the corpus of a target is a folder of its name");
    let mut seeds: Vec<_> = entries.map(|entry| entry.expect("the folder can be listed").path()).collect();
    seeds.sort();
    assert!(!seeds.is_empty(), "{} has no seeds", folder.display());
    for seed in seeds {
        println!("{}", seed.display());
        let bytes = fs::read(&seed).expect("a seed can be read");
        assert!(bytes.len() <= SEED_LEN_MAX, "a seed of {} bytes", bytes.len());
        check(&bytes);
    }
}
