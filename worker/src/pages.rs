//! What a reader keeps of the pack files it reads: some pages of each.
//!
//! Objects that are asked for one after the other stand near each other in a pack, so most are in a page that is there.
//! A map of the file would be as fast, but it counts as memory in use, half of a large repository's peak, and kills
//! whoever reads it when the file is cut short meanwhile.

use std::io;

use crate::pack_file::Data;

/// What the system copies at a time anyway. Larger ones are copied for one object more often than they save a read.
const PAGE_BYTES: usize = 4 << 10;
const PAGES: usize = 4_096;
/// A longer object than this does not leave its buffer behind.
const LONG_BYTES: usize = 4 << 20;

pub(crate) struct Pages {
    /// Each has one place where it can be.
    pages: Vec<Page>,
    /// The last stretch that was in no single page.
    long: Vec<u8>,
}

#[derive(Clone, Default)]
struct Page {
    /// Pack and number, where there is any content.
    is: Option<(usize, u64)>,
    bytes: Vec<u8>,
}

impl Pages {
    pub(crate) fn new() -> Self {
        Self { pages: vec![Page::default(); PAGES], long: Vec::new() }
    }

    /// Returns the `count` bytes of `data`, which is the pack of that number, that begin at `from`; fewer where the
    /// pack ends.
    ///
    /// # Errors
    ///
    /// Where the file cannot be read, or has become shorter than it was.
    pub(crate) fn read(&mut self, pack: usize, data: &Data, from: u64, count: usize) -> io::Result<&[u8]> {
        let left = data.end.saturating_sub(from);
        let count = usize::try_from(left).map_or(count, |left| count.min(left));
        if count == 0 {
            return Ok(&[]);
        }
        let number = from / PAGE_BYTES as u64;
        let within = (from % PAGE_BYTES as u64) as usize;
        if within + count > PAGE_BYTES {
            return self.long(data, from, count);
        }
        let place = number.wrapping_add(pack as u64 * 31) as usize % PAGES;
        let page = &mut self.pages[place];
        if page.is != Some((pack, number)) {
            page.is = None;
            let begin = from - within as u64;
            let bytes = (data.end - begin).min(PAGE_BYTES as u64) as usize;
            page.bytes.resize(bytes, 0);
            data.read(begin, &mut page.bytes)?;
            page.is = Some((pack, number));
        }
        Ok(&page.bytes[within..within + count])
    }

    fn long(&mut self, data: &Data, from: u64, count: usize) -> io::Result<&[u8]> {
        if self.long.len() < count || self.long.len() > LONG_BYTES {
            self.long = vec![0; count.max(PAGE_BYTES)];
        }
        let bytes = &mut self.long[..count];
        data.read(from, bytes)?;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use gix::hash::Kind;

    use super::*;

    /// A pack of so many bytes without its hash, its content, and the folder that keeps it.
    fn pack(bytes: usize) -> (Data, Vec<u8>, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pack");
        let mut content: Vec<u8> = b"PACK\0\0\0\x02\0\0\0\x01".to_vec();
        content.extend((content.len()..bytes).map(|at| (at / 7) as u8));
        std::fs::write(&path, [&content[..], &[0xff; 20]].concat()).unwrap();
        (Data::open(&path, Kind::Sha1).unwrap(), content, folder)
    }

    #[test]
    fn what_is_read_is_what_is_there() {
        let (data, content, _folder) = pack(5 * PAGE_BYTES + 100);
        let (other, other_content, _other_folder) = pack(PAGE_BYTES);
        let mut pages = Pages::new();
        let froms =
            (0..content.len() + 50).step_by(1_003).chain([PAGE_BYTES - 1, PAGE_BYTES, 5 * PAGE_BYTES]);
        for from in froms {
            for count in [0, 1, 64, PAGE_BYTES - 1, PAGE_BYTES, 3 * PAGE_BYTES] {
                for (number, data, content) in [(0, &data, &content), (1, &other, &other_content)] {
                    let expected = content.get(from..).unwrap_or_default();
                    let expected = &expected[..count.min(expected.len())];
                    assert_eq!(
                        pages.read(number, data, from as u64, count).unwrap(),
                        expected,
                        "{from} {count}"
                    );
                }
            }
        }
    }

    #[test]
    fn what_was_cut_off_is_an_error_and_not_something_else() {
        let (data, content, folder) = pack(2 * PAGE_BYTES);
        let mut pages = Pages::new();
        let file = std::fs::File::options().write(true).open(folder.path().join("pack")).unwrap();
        file.set_len(PAGE_BYTES as u64 + 100).unwrap();
        for _ in 0..2 {
            assert!(pages.read(0, &data, PAGE_BYTES as u64, 10).is_err());
            assert!(pages.read(0, &data, 10, 2 * PAGE_BYTES - 10).is_err());
            assert_eq!(pages.read(0, &data, 10, 10).unwrap(), &content[10..20]);
        }
    }
}
