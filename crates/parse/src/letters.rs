//! Letters of words: their case folded, and the scripts that put no space between words.

/// Whether the script of this character is written without spaces between words: Chinese and Japanese
/// characters, Thai, Lao, Burmese and Khmer. Hangul has spaces.
pub(crate) fn is_unspaced(character: char) -> bool {
    matches!(character,
        '\u{0E00}'..='\u{0EFF}'
        | '\u{1000}'..='\u{109F}'
        | '\u{1780}'..='\u{17FF}'
        | '\u{3001}'..='\u{30FF}'
        | '\u{3400}'..='\u{4DBF}'
        | '\u{4E00}'..='\u{9FFF}'
        | '\u{F900}'..='\u{FAFF}'
        | '\u{20000}'..='\u{3FFFF}')
}

/// Calls `push` with a character in lower case, as `char::to_lowercase` has it: one, seldom two.
///
/// The alphabets that most pages are written in are answered without the standard library's tables.
#[inline]
pub(crate) fn fold_case(character: char, mut push: impl FnMut(char)) {
    let near = match character {
        '\0'..='@' | '['..='\u{BF}' | '×' | 'ß'..='ÿ' | 'α'..='ω' | 'а'..='џ' => {
            Some(character)
        }
        '\u{2000}'..='\u{20FF}' | '\u{3001}'..='\u{9FFF}' | '\u{AC00}'..='\u{D7A3}' => {
            Some(character)
        }
        'A'..='Z' | 'À'..='Þ' | 'Α'..='Ρ' | 'Σ'..='Ω' | 'А'..='Я' => {
            char::from_u32(u32::from(character) + 0x20)
        }
        'Ѐ'..='Џ' => char::from_u32(u32::from(character) + 0x50),
        _ => None,
    };
    match near {
        Some(folded) => push(folded),
        None => character.to_lowercase().for_each(push),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folding_is_the_standard_library_s_for_every_character() {
        for character in '\0'..=char::MAX {
            let mut folded = Vec::new();
            fold_case(character, |character| folded.push(character));
            assert!(
                character.to_lowercase().eq(folded.iter().copied()),
                "{character:?} became {folded:?}"
            );
        }
    }
}
