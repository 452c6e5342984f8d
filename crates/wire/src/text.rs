//! Copying text while escaping what a format cannot carry.

/// How many bytes are looked at in one go; a loop without early exit, which the compiler turns into vector code.
const CHUNK_BYTES: usize = 32;

/// Appends `text`. Where `special` picks a byte, `escape` gets the text from there on, writes what stands for its
/// beginning and says how many bytes that was. What lies between is copied in one piece.
pub(crate) fn copy_escaped(
    out: &mut Vec<u8>,
    text: &[u8],
    special: impl Fn(u8) -> bool,
    escape: impl Fn(&mut Vec<u8>, &[u8]) -> usize,
) {
    let mut rest = text;
    loop {
        let clean = clean_length(rest, &special);
        let (plain, tail) = rest.split_at_checked(clean).unwrap_or((rest, &[]));
        out.extend_from_slice(plain);
        if tail.is_empty() {
            return;
        }
        let consumed = escape(out, tail).max(1);
        rest = tail.get(consumed..).unwrap_or_default();
    }
}

/// How many bytes from the start need no escape.
fn clean_length(text: &[u8], special: impl Fn(u8) -> bool) -> usize {
    let mut clean = 0_usize;
    for chunk in text.chunks(CHUNK_BYTES) {
        if chunk.iter().fold(false, |found, byte| found | special(*byte)) {
            let within = chunk
                .iter()
                .position(|byte| special(*byte))
                .unwrap_or(chunk.len());
            return clean.saturating_add(within);
        }
        clean = clean.saturating_add(chunk.len());
    }
    clean
}
