//! What the fuzz targets have in common. A target is a line or two: it gives a reader the
//! bytes that libFuzzer made, in the form in which the reader takes them.

use gradscape::data::{DataConfig, load};
use gradscape::interop::{ModelTable, read_model, translate};
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use zip::write::SimpleFileOptions;

/// Reads a model, and looks at whatever opens as `gradscape inspect` does. A refusal has to
/// name the file.
pub fn model(name: &str, bytes: &[u8]) {
    match read_model(Path::new(name), bytes.to_vec()) {
        Ok(model) => {
            let table = ModelTable::of(&model, &translate(&model));
            assert!(!table.text().is_empty());
        }
        Err(error) => assert!(error.to_string().contains(name), "{error}"),
    }
}

/// A zip archive of stored members: what lies inside is reached without a checksum that
/// chance never meets.
pub fn archive(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for (name, bytes) in members {
        zip.start_file(*name, stored).expect("a valid name");
        zip.write_all(bytes).expect("memory takes all");
    }
    zip.finish().expect("memory takes all").into_inner()
}

/// The input as two: its first two bytes say how long the first is.
pub fn halves(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    rest.split_at_checked(usize::from(u16::from_le_bytes(*length)))
}

/// A folder of this process for readers that take files alone, in memory where the system
/// has such a folder.
static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let memory = Path::new("/dev/shm");
    let root = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
    let folder = root.join(format!("gradscape-fuzz-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder for files");
    folder
});

/// Reads data from files of these names, of which the first is the source.
pub fn data(files: &[(&str, &[u8])]) {
    for (name, bytes) in files {
        std::fs::write(FOLDER.join(name), bytes).expect("a file is written");
    }
    let source = files[0].0;
    match load(&DataConfig::of(source), 0, &FOLDER) {
        Ok(data) => assert!(data.n_samples() > 0),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}
