//! Disks that are full or may not be written: real small file systems.

use super::*;

/// A small file system in memory; none where this user may not mount one.
struct Mount(tempfile::TempDir);

impl Mount {
    fn new(options: &str) -> Option<Self> {
        let dir = tempfile::tempdir().expect("a directory");
        let mut mount = std::process::Command::new("mount");
        let done = mount.args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(dir.path()).output();
        if done.is_ok_and(|done| done.status.success()) {
            return Some(Self(dir));
        }
        eprintln!("SKIPPED: mounting a small tmpfs needs root");
        None
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg("-l").arg(self.0.path()).output();
    }
}

/// Writes until nothing is left.
fn fill(path: &Path) {
    use std::io::Write;
    let mut file = std::fs::File::create(path).expect("a file");
    for size in [64 << 10, 4 << 10, 1 << 10] {
        while file.write_all(&vec![b'x'; size]).is_ok() {}
    }
}

#[tokio::test]
async fn on_a_full_disk_open_ladders_go_on_and_new_alerts_are_refused() {
    let Some(disk) = Mount::new("size=12m") else { return };
    let (dir, hands) = (disk.0.path().join("state"), Hands::new());
    let limits = SpaceLimits { reserve: 2 << 20, floor: 1 << 20, look_every: Duration::ZERO };
    let open = || SqliteStore::open_with(&dir, Arc::new(hands.clone()), limits);
    let (reserve, filler) = (dir.join("reserve"), disk.0.path().join("filler"));

    let store = open().await.expect("a store");
    let id = try_open(&*store, "A").await.expect("there is room");
    assert_eq!(std::fs::metadata(&reserve).expect("a reserve").len(), limits.reserve);
    fill(&filler);
    assert!(matches!(try_open(&*store, "B").await, Err(StoreError::Full)));
    let mut kept = 0;
    for n in 0..400 {
        hands.pass(Duration::from_secs(1));
        let answered = step(&*store, id, says("cy", Answer::Roger)).await;
        kept += answered.map_err(|error| format!("{n}: {error}")).expect("the ladder goes on").events.len();
    }
    assert!(400 <= kept, "{kept} lines");
    step(&*store, id, says("ana", Answer::Wilco)).await.expect("an answer counts");
    assert!(!reserve.exists(), "it was given up");
    assert!(matches!(try_open(&*store, "C").await, Err(StoreError::Full)));
    store.renew_lease().await.expect("the lease needs no disk");
    let before = view(&*store, id).await;
    store.close().await;

    let store = open().await.expect("it opens on a full disk");
    assert_eq!(view(&*store, id).await, before);
    step(&*store, id, says("cy", Answer::Roger)).await.expect("the ladder goes on");
    assert!(matches!(try_open(&*store, "D").await, Err(StoreError::Full)));
    std::fs::remove_file(&filler).expect("removed");
    try_open(&*store, "E").await.expect("there is room again");
    assert_eq!(std::fs::metadata(&reserve).expect("a reserve").len(), limits.reserve);
    assert_eq!(folded(&*store, id).await, *view(&*store, id).await);
    assert_sound(all_lines(&*store).await);
    store.close().await;
}

#[tokio::test]
async fn on_a_full_disk_admissions_alone_do_not_use_up_the_reserve() {
    let Some(disk) = Mount::new("size=12m") else { return };
    let (dir, hands) = (disk.0.path().join("state"), Hands::new());
    // The floor is nothing: only the failed write can tell.
    let limits = SpaceLimits { reserve: 2 << 20, floor: 0, look_every: Duration::from_secs(3600) };
    let store = SqliteStore::open_with(&dir, Arc::new(hands), limits).await.expect("a store");
    fill(&disk.0.path().join("filler"));
    let mut refused = 0;
    for n in 0..50 {
        refused += usize::from(matches!(try_open(&*store, &format!("key {n}")).await, Err(StoreError::Full)));
    }
    assert!(0 < refused);
    assert!(dir.join("reserve").exists());
    store.close().await;
}

#[tokio::test]
async fn a_directory_that_can_not_be_written_says_so() {
    use std::os::unix::fs::PermissionsExt;
    let mount = Mount::new("ro");
    let own = tempfile::tempdir().expect("a directory");
    let dir = mount.as_ref().map_or(own.path(), |mount| mount.0.path());
    if mount.is_none() {
        std::fs::set_permissions(dir, PermissionsExt::from_mode(0o500)).expect("set");
    }
    if mount.is_none() && std::fs::write(dir.join("x"), "").is_ok() {
        eprintln!("SKIPPED: this user may write anywhere and mount nothing");
        return;
    }
    let refused = open(dir, &Hands::new()).await.err();
    assert!(matches!(refused, Some(StoreError::ReadOnly(_))), "{refused:?}");
}
