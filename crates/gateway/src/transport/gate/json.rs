//! How deep JSON is nested, before anything parses it.

/// Whether no more than `max` arrays and objects of `json` are ever open at once.
///
/// Counts by bytes and knows strings; whether it is JSON at all is for the parser to say.
#[must_use]
pub fn json_nested_within(json: &[u8], max: usize) -> bool {
    let mut open = 0usize;
    let mut bytes = json.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'[' | b'{' => {
                open += 1;
                if open > max {
                    return false;
                }
            }
            b']' | b'}' => open = open.saturating_sub(1),
            b'"' => {
                while let Some(byte) = bytes.next() {
                    match byte {
                        b'\\' => drop(bytes.next()),
                        b'"' => break,
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    true
}
