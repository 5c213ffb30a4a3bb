use proptest::prelude::*;

use super::*;

fn simhash(text: &str) -> Option<u64> {
    let mut hasher = SimHasher::new(usize::MAX);
    hasher.push(text);
    hasher.finish()
}

/// The same, as the module's text has it: word by word, count by count.
fn plainly(text: &str) -> Option<u64> {
    let mut words: Vec<String> = Vec::new();
    for run in text.split(|c: char| c <= ' ' || c.is_whitespace()) {
        let mut word = String::new();
        for character in run.chars() {
            if is_unspaced(character) {
                words.push(std::mem::take(&mut word));
                words.push(character.to_lowercase().collect());
            } else {
                word.extend(character.to_lowercase());
            }
        }
        words.push(word);
    }
    let hashes: Vec<u64> = words
        .iter()
        .filter(|word| !word.is_empty())
        .map(|word| {
            word.as_bytes().chunks(8).fold(SEED, |hash, chunk| {
                let mut piece = [0; 8];
                piece[..chunk.len()].copy_from_slice(chunk);
                fold(hash ^ u64::from_le_bytes(piece), A)
            })
        })
        .collect();
    let features: Vec<u64> = hashes
        .windows(3)
        .map(|words| {
            fold(
                (words[0].rotate_left(21) ^ words[1]).rotate_left(21) ^ words[2],
                B,
            )
        })
        .collect();
    let bit = |place: u32| {
        let votes = features.iter().filter(|hash| *hash >> place & 1 == 1);
        u64::from(2 * votes.count() > features.len()) << place
    };
    (features.len() >= 8).then(|| (0..64).map(bit).sum())
}

/// Values that stand in rows of the past.
#[test]
fn stored_values_never_change() {
    let known = [
        (
            "The quick brown fox jumps over the lazy dog and runs away",
            PINNED_ASCII,
        ),
        (
            "Съешь же ещё этих мягких французских булок, да выпей чаю и кофе",
            PINNED_CYRILLIC,
        ),
        ("吾輩は猫である。名前はまだ無い。", PINNED_JAPANESE),
    ];
    for (text, value) in known {
        assert_eq!(simhash(text), Some(value), "{text}");
    }
}

const PINNED_ASCII: u64 = 0xab880be0411ee651;
const PINNED_CYRILLIC: u64 = 0xb80c02d4d8d71582;
const PINNED_JAPANESE: u64 = 0x202430aebbf47367;

#[test]
fn little_text_has_none_and_long_text_is_bounded() {
    assert_eq!(simhash(""), None);
    assert_eq!(
        simhash("one two three four five six seven eight nine"),
        None
    );
    assert!(simhash("one two three four five six seven eight nine ten").is_some());
    let text = "one two three four five six seven eight nine ten ";
    let mut bounded = SimHasher::new(text.len());
    bounded.push(text);
    bounded.push("more of it");
    bounded.push("x");
    assert_eq!(bounded.finish(), simhash(text));
}

#[test]
fn references_and_case_do_not_matter() {
    let plain = "caf\u{e9} & bar \u{416}uk one TWO three four five six seven eight";
    let written =
        "Caf&eacute; &amp;&nbsp;bar&#32;&#x436;uk one two three four five six Seven eight";
    let mut hasher = SimHasher::new(1000);
    hasher.push_raw(written);
    assert_eq!(hasher.finish(), simhash(plain));
    assert_eq!(simhash(plain), plainly(plain));
}

/// A text of `words` words out of a vocabulary of 5,000, by a seed.
fn text_of(seed: u64, words: u64) -> Vec<String> {
    (0..words)
        .map(|place| {
            let draw = fold(seed ^ fold(place + 1, A), B) % 5_000;
            format!("w{draw:x}")
        })
        .collect()
}

/// Near texts are near and unlike ones are far: the distances of 400 pairs.
#[test]
fn one_word_of_two_hundred_changes_few_bits() {
    let (mut near_sum, mut near_over_six, mut far_min) = (0, 0, 64);
    for seed in 0..400 {
        let words = text_of(seed, 200);
        let mut changed = words.clone();
        changed[(seed as usize * 7) % 200] = "another".to_owned();
        let own = simhash(&words.join(" ")).unwrap();
        let near = simhash_distance(own, simhash(&changed.join(" ")).unwrap());
        let other = text_of(seed + 1_000, 200).join(" ");
        let far = simhash_distance(own, simhash(&other).unwrap());
        near_sum += near;
        near_over_six += u32::from(near > 6);
        far_min = far_min.min(far);
    }
    assert!(near_sum <= 400 * 4, "mean over 4 bits: {near_sum} of 400");
    assert!(near_over_six <= 40, "{near_over_six} of 400 over 6 bits");
    assert!(far_min >= 12, "unlike texts at {far_min} bits");
}

proptest! {
    /// However the text is cut into runs, and whatever is in it, it is what the definition says.
    #[test]
    fn runs_do_not_matter(text in "(\\PC| |\u{0}|\u{3042}|[a-zA-Z]{1,12} ){0,300}", cuts in prop::collection::vec(0usize..2000, 0..20)) {
        let whole = simhash(&text);
        prop_assert_eq!(whole, plainly(&text));
        let mut hasher = SimHasher::new(usize::MAX);
        let mut cuts: Vec<usize> = cuts.into_iter().filter(|cut| text.is_char_boundary(*cut) && *cut <= text.len()).collect();
        cuts.push(0);
        cuts.push(text.len());
        cuts.sort_unstable();
        for pair in cuts.windows(2) {
            hasher.push(&text[pair[0]..pair[1]]);
        }
        prop_assert_eq!(hasher.finish(), whole);
    }

    /// The counts in slices are the counts.
    #[test]
    fn votes_are_counted(hashes in prop::collection::vec(any::<u64>(), 0..400)) {
        let mut votes = Votes::default();
        let (batches, rest) = hashes.as_chunks();
        batches.iter().for_each(|batch| votes.add_batch(*batch));
        let expected = (0..64).map(|place| {
            let set = hashes.iter().filter(|hash| *hash >> place & 1 == 1).count();
            u64::from(2 * set > hashes.len()) << place
        });
        prop_assert_eq!(votes.majority(rest), expected.sum::<u64>());
    }
}
