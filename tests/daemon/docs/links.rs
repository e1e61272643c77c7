//! Every page is in the table of contents, and every link inside the repository leads somewhere.

use super::{pages, text};
use crate::common::root;
use std::{collections::BTreeSet, path::Path};

/// What stands behind `](` in a page, outside of code blocks.
fn links(page: &str) -> Vec<String> {
    let mut fenced = false;
    let prose = page.lines().filter(|line| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        !fenced && !fence
    });
    let targets = prose.flat_map(|line| line.split("](").skip(1)).filter_map(|rest| rest.split(')').next());
    targets.map(ToOwned::to_owned).collect()
}

/// The anchors of a page's headings, as GitHub and mdBook make them.
fn anchors(page: &str) -> BTreeSet<String> {
    let headings = page.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    let slug = |heading: &str| {
        let kept =
            heading.to_lowercase().chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c)).collect::<String>();
        kept.replace(' ', "-")
    };
    headings.map(slug).collect()
}

#[test]
fn every_page_is_in_the_table_of_contents() {
    let summary = text(Path::new("docs/src/SUMMARY.md"));
    let listed: BTreeSet<String> = links(&summary).into_iter().collect();
    for page in pages() {
        if let Ok(inside) = page.strip_prefix("docs/src")
            && inside != Path::new("SUMMARY.md")
        {
            let name = inside.display().to_string();
            assert!(listed.contains(&name), "docs/src/SUMMARY.md does not list {name}");
        }
    }
}

/// Folders whose files the guide names.
const ROOMS: [&str; 7] = ["src/", "tests/", "docs/", "matrix/", "templates/", "systemd/", "examples/"];

#[test]
fn every_file_that_the_guide_names_is_there() {
    let mut absent = Vec::new();
    for page in pages() {
        let text = text(&page);
        for word in text.lines().flat_map(|line| line.split('`').skip(1).step_by(2)) {
            // `src/channel/NAME/`, and what a reader writes, are still to be made.
            let is_ours = !word.contains("NAME") && !text.contains(&format!("<!-- file: {word} -->"));
            let named = ROOMS.iter().any(|room| word.starts_with(room)) && !word.contains([' ', '*']);
            if named && is_ours && !root().join(word).exists() {
                absent.push(format!("{}: {word}", page.display()));
            }
        }
    }
    assert!(absent.is_empty(), "{}", absent.join("\n"));
}

#[test]
fn every_link_inside_the_repository_leads_somewhere() {
    let mut broken = Vec::new();
    for page in pages() {
        let text = text(&page);
        for link in links(&text).into_iter().filter(|link| !link.contains("://")) {
            let (file, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = if file.is_empty() { page.clone() } else { page.parent().unwrap().join(file) };
            let full = root().join(&target);
            let found = match anchor {
                "" => full.exists(),
                anchor => std::fs::read_to_string(&full).is_ok_and(|text| anchors(&text).contains(anchor)),
            };
            if !found {
                broken.push(format!("{}: {link}", page.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}
