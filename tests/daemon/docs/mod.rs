//! README and the guide in `docs/`: every code block is run, and what can be counted is all there.
//!
//! How a block is run is said at the head of `blocks.rs`.

mod blocks;
mod complete;
mod links;
mod page;

use crate::common;
use std::{
    path::{Path, PathBuf},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

/// README and every page of the guide, as paths from the root.
fn pages() -> Vec<PathBuf> {
    let mut pages = vec![PathBuf::from("README.md"), PathBuf::from("templates/README.md")];
    collect(Path::new("docs/src"), &mut pages);
    pages.sort();
    pages
}

fn collect(folder: &Path, pages: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(common::root().join(folder)).unwrap() {
        let entry = entry.unwrap();
        let path = folder.join(entry.file_name());
        if entry.path().is_dir() {
            collect(&path, pages);
        } else if path.extension().is_some_and(|ending| ending == "md") {
            pages.push(path);
        }
    }
}

fn text(page: &Path) -> String {
    std::fs::read_to_string(common::root().join(page)).unwrap()
}

#[test]
fn every_code_block_of_readme_and_guide_works() {
    let (pages, failures, next) = (pages(), Mutex::new(Vec::new()), AtomicUsize::new(0));
    let work = || {
        while let Some(page) = pages.get(next.fetch_add(1, Ordering::Relaxed)) {
            let found = page::run(page, &text(page));
            failures.lock().unwrap().extend(found);
        }
    };
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(work);
        }
    });
    let failures = failures.into_inner().unwrap();
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

#[test]
fn the_readme_is_short_and_the_pictures_are_small() {
    assert!(text(Path::new("README.md")).lines().count() <= 200, "README.md has more than 200 lines");
    let mut total = 0;
    for entry in std::fs::read_dir(common::root().join("docs/src/images")).unwrap() {
        let entry = entry.unwrap();
        let size = entry.metadata().unwrap().len();
        assert!(size < 150 << 10, "{:?} has {size} bytes", entry.file_name());
        total += size;
    }
    assert!(total < 400 << 10, "all pictures have {total} bytes");
}
