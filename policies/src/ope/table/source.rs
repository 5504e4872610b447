//! Text in chunks of whole lines, plain or compressed.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;

/// Bytes of a chunk, about.
pub(crate) const CHUNK: usize = 1 << 20;

/// A file read from its start to its end.
///
/// Chunks end where lines end, at places that depend on the file alone.
pub(crate) struct TextSource {
    input: Box<dyn Read + Send>,
    /// What was read beyond the last whole line.
    rest: Vec<u8>,
    ended: bool,
}

impl TextSource {
    /// Opens a file; two magic bytes tell a compressed one, whatever it is called.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let mut magic = Vec::with_capacity(2);
        file.by_ref().take(2).read_to_end(&mut magic)?;
        let compressed = magic == [0x1f, 0x8b];
        let whole = io::Cursor::new(magic).chain(file);
        Ok(Self {
            input: if compressed {
                Box::new(MultiGzDecoder::new(whole))
            } else {
                Box::new(whole)
            },
            rest: Vec::new(),
            ended: false,
        })
    }

    /// The first line, with its end.
    pub(crate) fn first_line(&mut self) -> io::Result<Vec<u8>> {
        let mut text = self.chunk()?.unwrap_or_default();
        let length = memchr::memchr(b'\n', &text).map_or(text.len(), |at| at + 1);
        let line = text[..length].to_vec();
        text.drain(..length);
        text.append(&mut self.rest);
        self.rest = text;
        Ok(line)
    }

    /// The next whole lines, none after the last.
    pub(crate) fn chunk(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut text = Vec::with_capacity(CHUNK + CHUNK / 8);
        text.append(&mut self.rest);
        let mut searched = 0;
        loop {
            if !self.ended {
                let wanted = CHUNK.saturating_sub(text.len()).max(CHUNK / 8);
                let read = self
                    .input
                    .by_ref()
                    .take(wanted as u64)
                    .read_to_end(&mut text)?;
                self.ended = read < wanted;
            }
            if self.ended {
                return Ok((!text.is_empty()).then_some(text));
            }
            if let Some(end) = memchr::memrchr(b'\n', &text[searched..]) {
                self.rest = text.split_off(searched + end + 1);
                return Ok(Some(text));
            }
            searched = text.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn chunks_put_together_are_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let text: String = (0..300_000).map(|i| format!("{i},x\n")).collect();
        let (plain, packed) = (folder.path().join("a"), folder.path().join("b"));
        std::fs::write(&plain, &text).unwrap();
        let mut gz = flate2::write::GzEncoder::new(
            File::create(&packed).unwrap(),
            flate2::Compression::fast(),
        );
        gz.write_all(text.as_bytes()).unwrap();
        gz.finish().unwrap();
        for path in [plain, packed] {
            let mut source = TextSource::open(&path).unwrap();
            assert_eq!(source.first_line().unwrap(), b"0,x\n");
            let mut all = Vec::new();
            let mut chunks = 0;
            while let Some(chunk) = source.chunk().unwrap() {
                assert_eq!(chunk.last(), Some(&b'\n'));
                assert!(chunk.len() <= CHUNK * 9 / 8);
                all.extend(chunk);
                chunks += 1;
            }
            assert!(chunks > 1);
            assert!(text.as_bytes()[4..] == all);
        }
    }

    #[test]
    fn one_long_line_is_one_chunk() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("long");
        std::fs::write(&path, vec![b'7'; 3 * CHUNK]).unwrap();
        let mut source = TextSource::open(&path).unwrap();
        assert_eq!(source.first_line().unwrap().len(), 3 * CHUNK);
        assert!(source.chunk().unwrap().is_none());
    }
}
