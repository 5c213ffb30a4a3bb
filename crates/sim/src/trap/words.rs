//! Drawing: numbers and words that follow from a seed.

const WORDS: u64 = 4_000;

/// A number that follows from others, spread over all bits (SplitMix64's finalizer).
pub(super) fn draw(one: u64, other: u64) -> u64 {
    let mut mixed = one
        .wrapping_mul(0x9E37_79B9_7F4A_7C15)
        .wrapping_add(other)
        .wrapping_add(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

/// The number that a text stands for.
pub(super) fn draw_of(text: &str) -> u64 {
    text.bytes().fold(1, |sum, byte| draw(sum, u64::from(byte)))
}

/// Appends a paragraph of `count` words.
pub(super) fn push_words(seed: u64, count: u64, out: &mut String) {
    const SYLLABLES: [&str; 16] = [
        "ba", "ce", "di", "fo", "gu", "ha", "je", "ki", "lo", "mu", "na", "pe", "ri", "so", "tu",
        "va",
    ];
    out.push_str("<p>");
    for place in 0..count {
        let mut word = draw(seed, place) % WORDS;
        for _ in 0..3 {
            out.push_str(SYLLABLES.get((word % 16) as usize).copied().unwrap_or("a"));
            word /= 16;
        }
        out.push(' ');
    }
    out.push_str("</p>\n");
}
