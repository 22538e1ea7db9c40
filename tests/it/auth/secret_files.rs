//! Files that hold a client secret: only the user's own, which nobody else can read.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::Path,
};

use mmd_elevate_engine::auth::{ClientSecretSource, Method, SignInError, Source};
use mmd_elevate_practice::Settings;
use rstest::rstest;

use super::{application, fetched, shown, tenant};

async fn with_file(authority: &str, path: &Path) -> Result<String, SignInError> {
    let secret = ClientSecretSource::File(path.to_owned());
    fetched(&Source::new(Method::ClientSecret(application(authority), secret)).unwrap()).await
}

fn write(path: &Path, text: &str, mode: u32) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[rstest]
#[case(0o600)]
#[case(0o400)]
#[case(0o700)]
#[tokio::test]
async fn a_private_file_is_read_also_through_a_link_and_anew_each_time(#[case] mode: u32) {
    let (tenant, folder) = (tenant(Settings::default()).await, tempfile::tempdir().unwrap());
    let (file, link) = (folder.path().join("secret"), folder.path().join("link"));
    write(&file, &format!("{}\n", tenant.secret), mode);
    symlink(&file, &link).unwrap();
    for path in [&file, &link] {
        assert!(with_file(&tenant.authority, path).await.unwrap().starts_with("practice."));
    }
    fs::remove_file(&file).unwrap();
    write(&file, "another", mode);
    assert!(shown(&with_file(&tenant.authority, &file).await.unwrap_err()).contains("AADSTS7000215"));
}

#[rstest]
#[tokio::test]
async fn a_file_that_others_can_use_is_refused_with_the_command_that_mends_it(
    #[values(0o640, 0o604, 0o620, 0o602, 0o610, 0o644, 0o666)] mode: u32,
    #[values(false, true)] linked: bool,
) {
    let folder = tempfile::tempdir().unwrap();
    let (file, link) = (folder.path().join("my secret"), folder.path().join("link"));
    write(&file, "canary", mode);
    symlink(&file, &link).unwrap();
    let path = if linked { link } else { file };
    let refused = with_file("http://127.0.0.1:1/t", &path).await.unwrap_err();
    shown(&refused);
    let quoted = if linked { path.display().to_string() } else { format!("'{}'", path.display()) };
    assert_eq!(refused.problem.hint, format!("run: chmod 600 {quoted}"));
}

#[rstest]
#[case::missing("missing", "cannot be read")]
#[case::folder("folder", "not a file")]
#[case::pipe("pipe", "not a file")]
#[case::dangling("dangling", "cannot be read")]
#[case::empty("empty", "it is empty")]
#[case::two_lines("two", "one line")]
#[case::long("long", "too long")]
#[case::binary("binary", "not text")]
#[case::wide("wide", "UTF-16 text")]
#[case::wide_without_a_mark("bare", "UTF-16 text")]
#[case::quoted("quoted", "it is in quotes")]
#[case::socket("socket", "not a file")]
#[case::device("/dev/zero", "not a file")]
#[tokio::test]
async fn what_holds_no_secret_is_told_apart(#[case] name: &str, #[case] words: &str) {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir(at("folder")).unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, at("pipe"), rustix::fs::Mode::RUSR).unwrap();
    symlink(at("nowhere"), at("dangling")).unwrap();
    write(&at("empty"), " \n", 0o600);
    write(&at("two"), "canary\ncanary\n", 0o600);
    write(&at("long"), &"canary".repeat(20_000), 0o600);
    fs::write(at("binary"), b"canary\xff").unwrap();
    fs::set_permissions(at("binary"), fs::Permissions::from_mode(0o600)).unwrap();
    let wide = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
    for (name, text) in [("wide", wide("\u{feff}canary\r\n")), ("bare", wide("canary"))] {
        fs::write(at(name), text).unwrap();
        fs::set_permissions(at(name), fs::Permissions::from_mode(0o600)).unwrap();
    }
    write(&at("quoted"), "\"canary\"\n", 0o600);
    let _socket = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
    let refused = with_file("http://127.0.0.1:1/t", &at(name)).await.unwrap_err();
    assert!(shown(&refused).contains(words), "{refused}");
}

#[rstest]
#[case("", "\n")]
#[case("\u{feff}", "\r\n")]
#[case(" \t\n", "\n\n")]
#[case("\u{feff}\u{a0}", "\u{200b}")]
#[tokio::test]
async fn what_an_editor_leaves_around_a_secret_is_dropped(#[case] before: &str, #[case] after: &str) {
    let (tenant, folder) = (tenant(Settings::default()).await, tempfile::tempdir().unwrap());
    let file = folder.path().join("secret");
    write(&file, &format!("{before}{}{after}", tenant.secret), 0o600);
    assert!(with_file(&tenant.authority, &file).await.unwrap().starts_with("practice."));
}

#[rstest]
#[case("canary~8Q7.secret")]
#[case("canary/8Q7+x=")]
#[case("deep/canary/x")]
#[tokio::test]
async fn a_path_that_leads_nowhere_and_may_be_a_secret_is_not_shown(#[case] written: &str) {
    let folder = tempfile::tempdir().unwrap();
    let refused = with_file("http://127.0.0.1:1/t", &folder.path().join(written)).await.unwrap_err();
    let said = shown(&refused);
    assert!(!said.contains("canary") && said.contains(folder.path().to_str().unwrap()), "{said}");
}

#[tokio::test]
async fn a_file_of_somebody_else_is_refused() {
    // Where the tests run as root, this file is the user's own, and every other user's can be made.
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    write(&file, "canary", 0o600);
    let is_root = rustix::process::geteuid().is_root();
    if is_root {
        std::os::unix::fs::chown(&file, Some(65_534), None).unwrap();
    }
    let path = if is_root { file } else { "/etc/shadow".into() };
    let refused = with_file("http://127.0.0.1:1/t", &path).await.unwrap_err();
    let words = if is_root { "belongs to somebody else" } else { "cannot be read" };
    assert!(shown(&refused).contains(words), "{refused}");
}
