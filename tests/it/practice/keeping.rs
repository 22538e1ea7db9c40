//! What the tenant keeps in a folder: across restarts, damage, and processes.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use mmd_elevate_practice::{Endpoint, Misdeed, Practice, PracticeError, Rule, Rules, Settings};
use tempfile::tempdir;

use super::{LOOPBACK, Served, serve};

fn kept(folder: &Path) -> Settings {
    Settings { keep: Some(folder.to_owned()), ..Settings::default() }
}

async fn ended(served: Served) {
    served.task.abort();
    assert!(served.task.await.unwrap_err().is_cancelled());
}

fn titles(served: &Served) -> Vec<String> {
    served.observer.requests().unwrap().into_iter().map(|held| held.title).collect()
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_tenant_comes_back_as_it_was_and_private() {
    let home = tempdir().unwrap();
    let folder = home.path().join("state").join("mmd-elevate");
    let first = serve(kept(&folder)).await;
    let made = first.create("DeviceName", "kept").await.json();
    let credential = first.call("GET", "devices/DeviceName/elevationDetails", "").await.json();
    let closed = first.create("MMD-03690457680", "closed").await.json();
    let path = format!("elevationRequests/{}", closed["id"].as_str().unwrap());
    assert_eq!(first.call("PATCH", &path, r#"{"ActionsTaken": "done"}"#).await.status, 204);
    let (listed, held) = (first.list(&[]).await, first.observer.requests().unwrap());
    ended(first).await;

    let second = serve(kept(&folder)).await;
    assert_eq!(second.warning, None);
    assert_eq!(second.list(&[]).await, listed, "times were relative once, and are absolute since");
    assert_eq!(second.observer.requests().unwrap(), held);
    assert!(listed.iter().any(|request| request["id"] == made["id"]));
    assert_eq!(second.call("GET", "devices/DeviceName/elevationDetails", "").await.json(), credential);

    assert_eq!(names(&folder), ["practice.json", "practice.lock"]);
    let bits = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(bits(&folder), 0o700);
    assert!(names(&folder).iter().all(|name| bits(&folder.join(name)) == 0o600));
    let written = fs::read_to_string(folder.join("practice.json")).unwrap();
    let secret = |key: &str| credential[key].as_str().unwrap().to_owned();
    assert!(!written.contains(&secret("password")) && !written.contains(&second.token), "secrets are not written");
}

#[tokio::test]
async fn what_is_done_is_on_disk_when_it_is_answered_and_nothing_when_it_cannot_be() {
    let home = tempdir().unwrap();
    let served = serve(kept(home.path())).await;
    served.create("DeviceName", "on disk").await;
    assert!(fs::read_to_string(home.path().join("practice.json")).unwrap().contains("on disk"));

    // A folder in the way of the new file cannot be written, whoever asks.
    let in_the_way = home.path().join("practice.json.new");
    fs::create_dir(&in_the_way).unwrap();
    let heard = served.create("DeviceName", "not kept").await;
    assert_eq!(heard.status, 500);
    assert!(heard.body.contains("cannot be kept"), "{}", heard.body);
    fs::remove_dir(in_the_way).unwrap();
    assert!(!titles(&served).contains(&"not kept".to_owned()));
    assert_eq!(served.create("DeviceName", "kept again").await.status, 201);
}

#[tokio::test]
async fn a_damaged_file_is_set_aside_and_named() {
    let home = tempdir().unwrap();
    let first = serve(kept(home.path())).await;
    first.create("DeviceName", "lost to damage").await;
    ended(first).await;
    let file = home.path().join("practice.json");
    let whole = fs::read(&file).unwrap();
    let damaged = &whole[..whole.len() / 2];
    fs::write(&file, damaged).unwrap();

    let second = serve(kept(home.path())).await;
    let aside = names(home.path()).into_iter().find(|name| name.starts_with("practice.damaged-")).unwrap();
    let warning = second.warning.clone().unwrap();
    assert!(warning.contains(&aside), "{warning}");
    assert_eq!(fs::read(home.path().join(aside)).unwrap(), damaged, "not overwritten");
    assert!(!titles(&second).contains(&"lost to damage".to_owned()));

    // Damage while it is served: the tenant is still in memory and is written anew.
    second.create("DeviceName", "in memory").await;
    fs::write(&file, "{").unwrap();
    fs::write(home.path().join("practice.json.new"), "of one that was killed while it wrote").unwrap();
    assert_eq!(second.create("DeviceName", "after it").await.status, 201);
    ended(second).await;
    let third = serve(kept(home.path())).await;
    assert_eq!(third.warning, None);
    assert!(["in memory", "after it"].iter().all(|title| titles(&third).contains(&(*title).to_owned())));
}

#[tokio::test]
async fn fresh_begins_anew() {
    let home = tempdir().unwrap();
    let first = serve(kept(home.path())).await;
    let as_it_began = titles(&first);
    first.create("DeviceName", "from before").await;
    ended(first).await;
    let fresh = serve(Settings { fresh: true, ..kept(home.path()) }).await;
    assert_eq!(titles(&fresh), as_it_began);
    assert_eq!((fresh.warning.as_deref(), names(home.path()).len()), (None, 2));
}

#[tokio::test]
async fn two_that_serve_from_one_folder_serve_one_tenant() {
    let home = tempdir().unwrap();
    let (one, other) = (serve(kept(home.path())).await, serve(kept(home.path())).await);
    let made = one.create("DeviceName", "by one").await.json();
    assert_eq!(other.list(&[("$top", "1")]).await[0]["id"], made["id"]);
    let path = "devices/DeviceName/elevationDetails";
    assert_eq!(one.call("GET", path, "").await.json(), other.call("GET", path, "").await.json(), "one password");
    let id = made["id"].as_str().unwrap();
    let close = r#"{"ActionsTaken": "by the other"}"#;
    assert_eq!(other.call("PATCH", &format!("elevationRequests/{id}"), close).await.status, 204);
    let again = one.call("PATCH", &format!("elevationRequests/{id}"), close).await;
    again.refuses(400, "This elevation request was already closed.");

    // The limit of a device holds for both together, whoever is first.
    let (one, other) = (std::sync::Arc::new(one), std::sync::Arc::new(other));
    let calls = (0..12).map(|n| {
        let served = std::sync::Arc::clone(if n % 2 == 0 { &one } else { &other });
        tokio::spawn(async move { served.create("MMD-123456789", &format!("at once {n}")).await.status })
    });
    let before = one.observer.requests().unwrap();
    let open = before.iter().filter(|held| held.open && held.device == "MMD-123456789").count();
    let mut created = 0;
    for call in calls.collect::<Vec<_>>() {
        created += usize::from(call.await.unwrap() == 201);
    }
    assert_eq!(created, 3 - open);
    assert_eq!(one.observer.requests().unwrap(), other.observer.requests().unwrap());
    assert_eq!(one.observer.requests().unwrap().len(), before.len() + created);
}

#[tokio::test]
async fn a_folder_that_cannot_keep_is_an_error_and_a_link_is_not_followed() {
    let home = tempdir().unwrap();
    let bind = async |folder: &Path| Practice::bind(LOOPBACK, kept(folder)).await.err().unwrap();
    let file = home.path().join("file");
    fs::write(&file, "").unwrap();
    let refused = bind(&file).await;
    assert!(matches!(refused, PracticeError::Storage { .. }), "{refused}");
    assert!(refused.to_string().contains("file"), "{refused}");

    let folder = home.path().join("folder");
    fs::create_dir(&folder).unwrap();
    std::os::unix::fs::symlink(&file, folder.join("practice.json")).unwrap();
    assert!(matches!(bind(&folder).await, PracticeError::Storage { .. }));
    assert_eq!(fs::read(&file).unwrap(), b"");
}

#[tokio::test]
async fn what_is_late_is_late_after_a_restart_too() {
    let home = tempdir().unwrap();
    let late = Rule::new(Endpoint::Create, Misdeed::Late(std::time::Duration::from_secs(600)));
    let first = serve(Settings { rules: Rules::from([late]), ..kept(home.path()) }).await;
    first.create("DeviceName", "late").await;
    ended(first).await;
    let second = serve(kept(home.path())).await;
    assert!(titles(&second).contains(&"late".to_owned()));
    assert!(second.list(&[]).await.iter().all(|request| request["title"] != "late"));
}
