//! Members of a tar archive, for tests.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

/// Name and contents of each member of a tar archive (POSIX ustar) compressed by gzip.
pub fn members(path: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).unwrap();
    flate2::read::GzDecoder::new(file)
        .read_to_end(&mut bytes)
        .unwrap();
    let mut all = BTreeMap::new();
    let mut at = 0;
    while at + 512 <= bytes.len() && bytes[at] != 0 {
        let text = |from: usize, n: usize| {
            let field = &bytes[at + from..at + from + n];
            let end = field.iter().position(|&b| b == 0).unwrap_or(n);
            String::from_utf8_lossy(&field[..end]).trim().to_owned()
        };
        let size = usize::from_str_radix(&text(124, 12), 8).unwrap();
        let begin = at + 512;
        all.insert(text(0, 100), bytes[begin..begin + size].to_vec());
        at = begin + size.div_ceil(512) * 512;
    }
    all
}
