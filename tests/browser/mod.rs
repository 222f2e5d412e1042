//! A real browser for tests of pages.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// A Chromium on this machine. Where `GRADSCAPE_BROWSER_TESTS` is `required`
/// there has to be one.
pub fn browser() -> Option<PathBuf> {
    let names = [
        "chromium",
        "chromium-browser",
        "google-chrome",
        "google-chrome-stable",
    ];
    let folders: Vec<PathBuf> = std::env::split_paths(&std::env::var_os("PATH")?).collect();
    let found = names
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)))
        .find(|path| path.is_file());
    let required = std::env::var("GRADSCAPE_BROWSER_TESTS").is_ok_and(|v| v == "required");
    assert!(found.is_some() || !required, "no Chromium in PATH");
    if found.is_none() {
        println!("skipped: no Chromium in PATH");
    }
    found
}

/// Opens a page without a network and returns what the browser prints.
pub fn open_page(browser: &Path, page: &Path, dir: &Path, args: &[&str]) -> String {
    let printed = fs::File::create(dir.join("printed")).unwrap();
    let mut child = Command::new(browser)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--use-angle=swiftshader",
        ])
        .args(["--enable-unsafe-swiftshader", "--hide-scrollbars"])
        .args(["--host-resolver-rules=MAP * ~NOTFOUND"])
        .arg(format!("--user-data-dir={}", dir.join("profile").display()))
        .args(args)
        .arg(format!("file://{}", page.display()))
        .stdout(printed)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let begin = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if begin.elapsed() > Duration::from_secs(240) {
            child.kill().unwrap();
            panic!("the browser does not come to an end");
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    fs::read_to_string(dir.join("printed")).unwrap()
}
