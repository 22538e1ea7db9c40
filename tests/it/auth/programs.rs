//! Tokens and secrets that other programs print, and programs that do not.

use std::{fs, path::Path, time::Duration};

use jiff::Timestamp;
use mmd_elevate_engine::auth::{ClientSecretSource, Method, Renewal, SignInError, Source, TokenSession};
use mmd_elevate_practice::Settings;
use rstest::rstest;

use super::{application, fetched, shown, tenant};
use crate::support::{shown_in_a_process_of_its_own, within};

const PATIENT: Duration = Duration::from_secs(20);

fn shell(script: &str) -> (String, Vec<String>) {
    ("sh".to_owned(), vec!["-c".to_owned(), script.to_owned()])
}

fn command(script: &str, limit: Duration) -> Source {
    let (program, arguments) = shell(script);
    Source::new(Method::Command { program, arguments }).unwrap().with_program_limit(limit)
}

async fn printed(script: &str) -> Result<String, SignInError> {
    fetched(&command(script, PATIENT)).await
}

#[rstest]
#[case::bare("echo the-token")]
#[case::no_line_end("printf the-token")]
#[case::with_a_mark(r"printf '\357\273\277the-token\r\n'")]
#[case::json(r#"echo '{"accessToken": "the-token", "expires_on": 4102444800, "tokenType": "Bearer"}'"#)]
#[case::with_warnings("echo careful >&2; echo the-token")]
#[case::something_is_left_running("sleep 600 & echo the-token")]
#[case::nothing_to_read("cat; echo the-token")]
#[tokio::test]
async fn a_command_prints_a_token(#[case] script: &str) {
    assert_eq!(printed(script).await.unwrap(), "the-token");
}

#[rstest]
#[case::nothing("true", "cannot be used")]
#[case::two_lines("echo canary; echo canary", "cannot be used")]
#[case::blanks("echo canary token", "cannot be used")]
#[case::other_json(r#"echo '{"token": "canary"}'"#, "cannot be used")]
#[case::binary(r"printf 'canary\377'", "cannot be used")]
#[case::too_much("head -c 70000 /dev/zero | tr '\\0' x", "more than 64 KiB")]
#[case::without_end("yes", "more than 64 KiB")]
#[case::complains_without_end("yes >&2", "more than 64 KiB")]
#[case::fails(r"printf '\n\033[31mNot logged in.\nmore\n' >&2; exit 3", "(sh) failed with exit code 3\nhint: ")]
#[case::repeats_the_token("echo canary; echo bad token canary >&2; exit 1", "(sh) failed with exit code 1\n")]
#[case::traces("set -x; A=canary; exit 2", "(sh) failed with exit code 2\n")]
#[case::in_quotes("echo \"'canary'\"", "it is in quotes\nhint: take the quotes away")]
#[case::as_json_text(r#"echo '"canary"'"#, "it is in quotes\nhint: take the quotes away")]
#[case::with_bearer("echo Bearer canary", "it begins with a word such as Bearer\nhint: take the word")]
#[case::wide(r"printf 'c\000a\000n\000a\000r\000y\000'", "it is UTF-16 text\nhint: save it as UTF-8")]
#[case::killed("kill -9 $$", "was stopped")]
#[case::ended_already(r#"echo '{"accessToken": "canary canary", "expires_on": "1"}'"#, "cannot be used")]
#[tokio::test]
async fn a_command_that_fails_is_told_in_a_line(#[case] script: &str, #[case] words: &str) {
    let refused = printed(script).await.unwrap_err();
    let shown = shown(&refused);
    assert!(shown.contains(words) && shown.len() < 500 && !refused.is_transient, "{shown}");
}

#[tokio::test]
async fn a_command_that_is_not_there_is_named() {
    let method = Method::Command { program: "/no/such/program".to_owned(), arguments: Vec::new() };
    let refused = fetched(&Source::new(method).unwrap()).await.unwrap_err();
    assert!(shown(&refused).contains("/no/such/program"), "{refused}");
}

#[rstest]
#[case("canary8Q~x.Abc")]
#[case("canary-secret")]
#[case("/x8Canary+Q7/abc")]
#[case("canary secret")]
#[tokio::test]
async fn a_program_that_is_not_there_and_may_be_a_secret_is_not_named(#[case] program: &str) {
    let method = Method::Command { program: program.to_owned(), arguments: vec![program.to_owned()] };
    let refused = fetched(&Source::new(method).unwrap()).await.unwrap_err();
    assert!(!refused.to_string().to_lowercase().contains("canary"), "{refused}");
    assert!(shown(&refused).contains("could not be started"), "{refused}");
}

async fn becomes(what: impl Fn() -> bool) {
    within(async {
        while !what() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

/// Neither running nor waiting for something: what nobody has buried yet counts as gone.
fn is_gone(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.is_empty() || stat.contains(") Z ")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

#[cfg(target_os = "linux")]
#[rstest]
#[case::out_of_time(true)]
#[case::dropped(false)]
#[tokio::test]
async fn a_command_that_hangs_ends_with_what_it_started(#[case] limited: bool) {
    let folder = tempfile::tempdir().unwrap();
    let pids = folder.path().join("pids");
    let script = format!("sleep 600 & echo $$ $! > {}.new; mv {0}.new {0}; wait", pids.display());
    let limit = if limited { Duration::from_secs(1) } else { PATIENT };
    let source = command(&script, limit);
    let fetching = tokio::spawn(async move { source.fetch(Timestamp::now).await });
    becomes(|| pids.exists()).await;
    if limited {
        let refused = within(fetching).await.unwrap().unwrap_err();
        assert!(shown(&refused).contains("did not end within 1 s") && refused.is_transient, "{refused}");
    } else {
        fetching.abort();
    }
    let pids = read(&pids);
    assert_eq!(pids.split_whitespace().count(), 2);
    becomes(|| pids.split_whitespace().all(is_gone)).await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_command_ends_with_the_last_clone_of_the_session_that_waits_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let pid = folder.path().join("pid");
    let script = format!("echo $$ > {}.new; mv {0}.new {0}; exec sleep 600", pid.display());
    let session = TokenSession::start(command(&script, Duration::from_secs(600)), Renewal::default());
    becomes(|| pid.exists()).await;
    drop(session);
    let pid = read(&pid);
    becomes(|| is_gone(pid.trim())).await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_command_has_a_session_of_its_own_and_no_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let (stat, asked) = (folder.path().join("stat"), folder.path().join("asked"));
    let script = format!(
        "cat /proc/$$/stat > {}; (read answer </dev/tty && echo answered || echo refused) > {} 2>/dev/null; echo t",
        stat.display(),
        asked.display()
    );
    assert_eq!(printed(&script).await.unwrap(), "t");
    let stat = read(&stat);
    let fields: Vec<_> = stat.split_whitespace().collect();
    // proc(5): the process, its session, and the number of its terminal.
    assert_eq!((fields[0], fields[6]), (fields[5], "0"), "{stat}");
    assert_eq!(read(&asked).trim(), "refused");
}

#[tokio::test]
async fn a_command_may_print_the_client_secret() {
    let tenant = tenant(Settings::default()).await;
    let source = |script: &str| {
        let (program, arguments) = shell(script);
        let secret = ClientSecretSource::Command { program, arguments };
        Source::new(Method::ClientSecret(application(&tenant.authority), secret)).unwrap()
    };
    let token = fetched(&source(&format!("echo {}", tenant.secret))).await.unwrap();
    assert!(token.starts_with("practice."));
    for script in ["true", "echo canary; echo canary"] {
        let refused = fetched(&source(script)).await.unwrap_err();
        assert!(shown(&refused).contains("cannot be used"), "{refused}");
    }
}

/// An Azure CLI that writes down how it was called.
const AZURE_CLI: &str = "#!/bin/sh\nprintf '%s\\n' \"$@\" \"$AZURE_CORE_NO_COLOR\" > \"$(dirname \"$0\")/called\"\n\
                         echo '{\"accessToken\": \"from-az\", \"expires_on\": 4102444800}'\n";

#[test]
fn the_azure_cli_is_called_with_arguments_and_no_shell() {
    const NAME: &str = "auth::programs::the_azure_cli_is_called_with_arguments_and_no_shell";
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let az = folder.path().join("az");
    fs::write(&az, AZURE_CLI).unwrap();
    fs::set_permissions(&az, fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
    if shown_in_a_process_of_its_own(NAME, &[("PATH", &path)]) {
        let called = read(&folder.path().join("called"));
        let expected = "account get-access-token --scope $(touch x)/.default --tenant id --output json true";
        assert_eq!(called.lines().collect::<Vec<_>>().join(" "), expected);
        return;
    }
    let method = Method::AzureCli { scope: "$(touch x)/.default".to_owned(), tenant_id: "id".to_owned() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    assert_eq!(runtime.block_on(fetched(&Source::new(method).unwrap())).unwrap(), "from-az");
}
