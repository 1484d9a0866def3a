//! The lines that two contents begin and end with in common, cut off as fast as memory can be compared.

/// Compared at once.
const BLOCK: usize = 64;

/// Returns what is left of both without the whole lines they begin and end with in common.
pub(super) fn cut<'a>(old: &'a [u8], new: &'a [u8]) -> (&'a [u8], &'a [u8]) {
    let head = common_head(old, new);
    // A line that ends only one of them is not common.
    let whole = head == old.len() && head == new.len();
    let head =
        if whole { head } else { old[..head].iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1) };
    let (old, new) = (&old[head..], &new[head..]);
    let tail = common_tail(old, new);
    // Both rests begin a line, so where one of them is all tail, it begins with the line that the tail begins with;
    // in the other the tail may begin within a line, as anywhere else.
    let begins = |content: &[u8]| tail == content.len() || content[content.len() - tail - 1] == b'\n';
    let tail = if begins(old) && begins(new) {
        tail
    } else {
        let from = old.len() - tail;
        old[from..].iter().position(|b| *b == b'\n').map_or(0, |at| tail - at - 1)
    };
    (&old[..old.len() - tail], &new[..new.len() - tail])
}

fn common_head(a: &[u8], b: &[u8]) -> usize {
    let blocks = a.chunks_exact(BLOCK).zip(b.chunks_exact(BLOCK)).take_while(|(a, b)| a == b).count();
    let known = blocks * BLOCK;
    known + a[known..].iter().zip(&b[known..]).take_while(|(a, b)| a == b).count()
}

fn common_tail(a: &[u8], b: &[u8]) -> usize {
    let blocks = a.rchunks_exact(BLOCK).zip(b.rchunks_exact(BLOCK)).take_while(|(a, b)| a == b).count();
    let known = blocks * BLOCK;
    let (a, b) = (&a[..a.len() - known], &b[..b.len() - known]);
    known + a.iter().rev().zip(b.iter().rev()).take_while(|(a, b)| a == b).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_common_lines_are_cut() {
        let check = |old: &str, new: &str, expect: (&str, &str)| {
            let (a, b) = cut(old.as_bytes(), new.as_bytes());
            assert_eq!((a, b), (expect.0.as_bytes(), expect.1.as_bytes()), "{old:?} {new:?}");
        };
        check("", "", ("", ""));
        check("a\nb\n", "a\nb\n", ("", ""));
        check("a\nb", "a\nb\n", ("b", "b\n"));
        check("a\nb\nc\n", "a\nx\nc\n", ("b\n", "x\n"));
        check("a\nc\n", "a\nb\nc\n", ("", "b\n"));
        check("xa\nb\n", "a\nb\n", ("xa\n", "a\n"));
        check("a\nb\n", "xa\nb\n", ("a\n", "xa\n"));
        check("a\n", "a\na\n", ("", "a\n"));
        check("b", "ab", ("b", "ab"));
        let same = "a line like any other\n".repeat(100);
        check(&format!("{same}x\n{same}"), &format!("{same}yy\n{same}"), ("x\n", "yy\n"));
    }
}
