//! What the tasks read out of a Markdown page: its fenced blocks, its links, its anchors.

/// A fenced block.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Block {
    /// The line of the opening fence, from 1.
    pub(crate) line: usize,
    /// The first word after the fence: the language; empty when there is none.
    pub(crate) language: String,
    /// The other words after the fence.
    pub(crate) flags: Vec<String>,
    /// The lines between the fences, without the fence's own indentation.
    pub(crate) body: String,
}

/// A page split into its blocks and the text around them.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) blocks: Vec<Block>,
    /// Lines outside every block, with their number from 1.
    pub(crate) prose: Vec<(usize, String)>,
}

/// A fence that is open: its character, how many of them, how far it is indented.
struct Fence {
    mark: char,
    length: usize,
    indent: usize,
}

/// Splits a page. A fence that is never closed reaches to the end, as CommonMark has it.
pub(crate) fn split(text: &str) -> Page {
    let mut page = Page::default();
    let mut open: Option<(Fence, Block)> = None;
    for (index, line) in text.lines().enumerate() {
        match open.take() {
            Some((fence, block)) if closes(line, &fence) => page.blocks.push(block),
            Some((fence, mut block)) => {
                block.body.push_str(without_indent(line, fence.indent));
                block.body.push('\n');
                open = Some((fence, block));
            }
            None => match opening(line, index + 1) {
                Some(opened) => open = Some(opened),
                None => page.prose.push((index + 1, line.to_string())),
            },
        }
    }
    page.blocks.extend(open.map(|(_, block)| block));
    page
}

fn opening(line: &str, number: usize) -> Option<(Fence, Block)> {
    let trimmed = line.trim_start();
    let mark = trimmed
        .chars()
        .next()
        .filter(|mark| matches!(mark, '`' | '~'))?;
    let info = trimmed.trim_start_matches(mark);
    let length = trimmed.len() - info.len();
    if length < 3 || (mark == '`' && info.contains('`')) {
        return None;
    }
    let mut words = info.split_whitespace().map(String::from);
    let fence = Fence {
        mark,
        length,
        indent: line.len() - trimmed.len(),
    };
    let block = Block {
        line: number,
        language: words.next().unwrap_or_default(),
        flags: words.collect(),
        body: String::new(),
    };
    Some((fence, block))
}

fn closes(line: &str, fence: &Fence) -> bool {
    let trimmed = line.trim();
    trimmed.len() >= fence.length && trimmed.chars().all(|c| c == fence.mark)
}

fn without_indent(line: &str, indent: usize) -> &str {
    let present = line.len() - line.trim_start().len();
    line.get(indent.min(present)..).unwrap_or(line)
}

/// The targets of the inline links, images and reference definitions, each with its line.
pub(crate) fn links(page: &Page) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in &page.prose {
        let line = without_code_spans(line);
        found.extend(
            inline_targets(&line)
                .into_iter()
                .map(|target| (*number, target)),
        );
        found.extend(definition_target(&line).map(|target| (*number, target)));
    }
    found
}

/// `[text](target "title")`, any number of them in a line.
fn inline_targets(line: &str) -> Vec<String> {
    let mut targets = Vec::new();
    let mut rest = line;
    while let Some((_, after)) = rest.split_once("](") {
        let end = closing_parenthesis(after).unwrap_or(after.len());
        let (inside, next) = after.split_at(end);
        targets.extend(target_of(inside));
        rest = next;
    }
    targets
}

fn closing_parenthesis(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (index, character) in text.char_indices() {
        match character {
            '(' => depth += 1,
            ')' if depth == 0 => return Some(index),
            ')' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// `[name]: target` at the start of a line.
fn definition_target(line: &str) -> Option<String> {
    let (name, target) = line.trim_start().strip_prefix('[')?.split_once("]:")?;
    if name.contains(']') {
        None
    } else {
        target_of(target)
    }
}

fn target_of(inside: &str) -> Option<String> {
    let inside = inside.trim();
    if let Some((target, _)) = inside
        .strip_prefix('<')
        .and_then(|rest| rest.split_once('>'))
    {
        return Some(target.to_string());
    }
    inside.split_whitespace().next().map(String::from)
}

fn without_code_spans(line: &str) -> String {
    let parts: Vec<&str> = line.split('`').collect();
    let last = parts.len().saturating_sub(1);
    let mut kept = String::new();
    for (index, part) in parts.iter().enumerate() {
        // An odd part stands between two marks, unless its mark is the line's last one.
        if index % 2 == 0 || index == last {
            kept.push_str(part);
        }
        kept.push(' ');
    }
    kept
}

/// The anchors of a page's headings, made as GitHub makes them.
pub(crate) fn anchors(page: &Page) -> Vec<String> {
    let headings = page.prose.iter().filter_map(|(_, line)| {
        let text = line.trim_start_matches('#');
        (text.len() < line.len() && text.starts_with(' ')).then(|| text.trim())
    });
    headings.map(anchor).collect()
}

fn anchor(heading: &str) -> String {
    let lower = heading.to_lowercase();
    let kept = lower
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_carry_line_language_flags_and_body() {
        let page = split("one\n```sh no-run\na\n\nb\n```\ntwo\n~~~\n```\n~~~\n");
        assert_eq!(page.blocks.len(), 2);
        assert_eq!(page.blocks[0].line, 2);
        assert_eq!(page.blocks[0].language, "sh");
        assert_eq!(page.blocks[0].flags, ["no-run"]);
        assert_eq!(page.blocks[0].body, "a\n\nb\n");
        assert_eq!(page.blocks[1].language, "");
        assert_eq!(page.blocks[1].body, "```\n");
        assert_eq!(page.prose, [(1, "one".to_string()), (7, "two".to_string())]);
    }

    #[test]
    fn a_block_in_a_list_loses_the_lists_indentation_only() {
        let page = split("- item\n  ```sh\n  if x\n    y\n  ```\n");
        assert_eq!(page.blocks[0].body, "if x\n  y\n");
    }

    #[test]
    fn a_longer_fence_holds_a_shorter_one_and_an_open_one_reaches_the_end() {
        let page = split("````sh\n```\n````\n```text\nend");
        assert_eq!(page.blocks[0].body, "```\n");
        assert_eq!(page.blocks[1].body, "end\n");
        assert!(split("```inline``` text").blocks.is_empty());
    }

    #[test]
    fn links_of_all_forms_are_found_and_code_is_not() {
        let text = "[a](x.md) ![b](i(1).png \"t\") <https://e.org> `[c](no.md)`\n[d]: y.md\n\
                    ```text\n[e](no.md)\n```\n[f](<with space.md>) don't` [g](z.md)\n";
        let targets: Vec<_> = links(&split(text))
            .into_iter()
            .map(|(_, target)| target)
            .collect();
        assert_eq!(
            targets,
            ["x.md", "i(1).png", "y.md", "with space.md", "z.md"]
        );
    }

    #[test]
    fn anchors_are_made_as_on_github() {
        let page = split("# The row, field by field\n## `--delay`\n#no heading\n");
        assert_eq!(anchors(&page), ["the-row-field-by-field", "--delay"]);
    }
}
