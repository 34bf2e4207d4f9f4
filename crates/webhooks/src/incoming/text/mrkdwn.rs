//! Blocks of a text in Slack's formatting: paragraphs, quotations and code.
//!
//! Source: Slack's documentation, "Formatting message text".

use super::{
    parts::{Block, Inline},
    spans::{Reading, decoded, inlines},
};

/// Begins and ends lines of code.
const FENCE: &str = "```";

/// The blocks of a text.
pub(crate) fn blocks(text: &str, reading: &Reading) -> Vec<Block> {
    let mut blocks = Vec::new();
    if !reading.has_formatting() {
        lines(text, reading, &mut blocks);
        return blocks;
    }
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(FENCE) {
        let Some((code, after)) = after.split_once(FENCE) else { break };
        lines(before, reading, &mut blocks);
        let code = decoded(code.trim_matches('\n'));
        if !code.trim().is_empty() {
            blocks.push(Block::Code(code));
        }
        rest = after;
    }
    lines(rest, reading, &mut blocks);
    blocks
}

/// The parts of a text that is shown in one line or in few, such as a title.
pub(crate) fn line(text: &str, reading: &Reading) -> Vec<Inline> {
    joined(text.trim().lines().map(|line| inlines(line, reading)))
}

/// Quotations and paragraphs.
fn lines(text: &str, reading: &Reading, blocks: &mut Vec<Block>) {
    let (mut group, mut is_quote, mut is_rest) = (Vec::new(), false, false);
    for line in text.trim_matches(['\n', '\r']).lines() {
        let inner = if is_rest { Some(line) } else { quoted(line, reading) };
        if inner.is_some() != is_quote {
            flush(&mut group, is_quote, blocks);
            is_quote = inner.is_some();
        }
        let line = inner.unwrap_or(line);
        let line = match line.strip_prefix(">>").or_else(|| line.strip_prefix("&gt;&gt;")) {
            // Three signs quote the rest of the text.
            Some(rest) if is_quote && !is_rest => {
                is_rest = true;
                rest
            }
            _ => line,
        };
        group.push(inlines(if is_quote { line.trim_start() } else { line }, reading));
    }
    flush(&mut group, is_quote, blocks);
}

/// The rest of a line that is a quotation.
fn quoted<'t>(line: &'t str, reading: &Reading) -> Option<&'t str> {
    let rest = line.strip_prefix('>').or_else(|| line.strip_prefix("&gt;"));
    rest.filter(|_| reading.has_formatting())
}

fn flush(group: &mut Vec<Vec<Inline>>, is_quote: bool, blocks: &mut Vec<Block>) {
    let parts = joined(std::mem::take(group).into_iter());
    if parts.iter().all(|part| *part == Inline::Break) {
        return;
    }
    blocks.push(if is_quote { Block::Quote(parts) } else { Block::Paragraph(parts) });
}

/// Lines with ends between them.
fn joined(lines: impl Iterator<Item = Vec<Inline>>) -> Vec<Inline> {
    let mut all = Vec::new();
    for (index, line) in lines.enumerate() {
        if index > 0 {
            all.push(Inline::Break);
        }
        all.extend(line);
    }
    all
}
