//! The pages of the book show what the program prints: each block of commands is run, and what follows a command is held
//! against its output. `docs/README.md` tells the reader what stands for what varies, and this module does the same:
//!
//! - a block of the language `console` has commands after `$ `, which go on after `> `, and the lines they print;
//! - `…` within a line stands for any text, and a line `[…]` for any number of lines;
//! - a block whose language is followed by a name, such as `sh webhook.sh`, is a file of the page.
//!
//! A page is run from its top in one shell with one home folder, in a terminal: what is shown is what a person sees.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use rstest::rstest;

use crate::support::pty::{self, Program};

/// The pages that have something to run.
const PAGES: [&str; 7] =
    ["first-steps.md", "connecting.md", "signing-in.md", "writes.md", "practice.md", "recipes.md", "questions.md"];

/// How long a page may run. None takes more than a few seconds on a machine that is not busy.
const LIMIT: Duration = Duration::from_secs(60);

/// What stands before the number of a command in the output.
const MARK: &str = "\u{1}end of command ";

/// What the shell prints last, however it ends.
const END: &str = "\u{1}end of page";

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs")
}

/// A command of a page, and what the page says that it prints.
#[derive(Debug, Default, PartialEq, Eq)]
struct Shown {
    line: usize,
    command: String,
    output: Vec<String>,
}

/// What a page has to run.
#[derive(Debug, Default, PartialEq, Eq)]
struct Page {
    files: Vec<(String, String)>,
    commands: Vec<Shown>,
}

impl Page {
    fn parse(text: &str) -> Self {
        let mut page = Self::default();
        let mut lines = text.lines().enumerate();
        while let Some((_, line)) = lines.next() {
            let Some(language) = line.strip_prefix("```") else { continue };
            let block: Vec<_> = lines.by_ref().take_while(|(_, line)| *line != "```").collect();
            if language == "console" {
                page.read_commands(&block);
            } else if let Some((_, name)) = language.split_once(' ') {
                let text: Vec<_> = block.iter().map(|(_, line)| *line).collect();
                page.files.push((name.to_owned(), text.join("\n") + "\n"));
            }
        }
        page
    }

    fn read_commands(&mut self, block: &[(usize, &str)]) {
        for (at, line) in block {
            if let Some(command) = line.strip_prefix("$ ") {
                self.commands.push(Shown { line: at + 1, command: command.to_owned(), output: Vec::new() });
                continue;
            }
            let shown = self.commands.last_mut().unwrap_or_else(|| panic!("line {}: no command is above", at + 1));
            match line.strip_prefix("> ") {
                Some(more) if shown.output.is_empty() => shown.command.push_str(&format!("\n{more}")),
                _ => shown.output.push((*line).to_owned()),
            }
        }
    }

    /// A script that runs the commands one after the other and marks where the output of each ends.
    fn script(&self) -> String {
        let at_end = format!("kill $(jobs -p) 2>/dev/null; wait; printf '{END}'");
        let mut script = format!("exec 2>&1\numask 022\nat_end() {{ {at_end}; }}\ntrap at_end EXIT\ncd \"$HOME\"\n");
        for (n, Shown { command, .. }) in self.commands.iter().enumerate() {
            // The exit code of the command is there for the next one to show.
            script.push_str(&format!("{command}\n{{ code=$?; printf '{MARK}{n}\\n'; (exit $code); }}\n"));
        }
        script
    }
}

/// Whether a line is what a page shows, in which `…` stands for any text.
fn is_line(shown: &str, line: &str) -> bool {
    let Some((start, rest)) = shown.split_once('…') else { return shown == line };
    let Some(line) = line.strip_prefix(start) else { return false };
    (0..=line.len()).filter(|at| line.is_char_boundary(*at)).any(|at| is_line(rest, &line[at..]))
}

/// Whether lines are what a page shows, in which a line `[…]` stands for any number of lines.
fn are_lines(shown: &[String], lines: &[&str]) -> bool {
    match shown.split_first() {
        None => lines.is_empty(),
        Some((first, rest)) if first == "[…]" => (0..=lines.len()).any(|skip| are_lines(rest, &lines[skip..])),
        Some((first, rest)) => {
            lines.split_first().is_some_and(|(line, after)| is_line(first, line) && are_lines(rest, after))
        }
    }
}

/// Whether this machine lacks what the pages are run with. Says so.
#[expect(clippy::print_stdout, reason = "a test that is skipped says why")]
fn is_missing() -> bool {
    let bash = Command::new("bash").arg("-c").arg("exit 0").stdout(Stdio::null()).status();
    if !bash.as_ref().is_ok_and(std::process::ExitStatus::success) {
        println!("skipped: the pages are run with bash, which cannot be run here: {bash:?}");
        return true;
    }
    pty::missing()
}

/// Runs a page, and returns each command whose output is not what the page shows.
fn wrong(page: &Page) -> Vec<String> {
    let home = tempfile::tempdir().unwrap();
    for (name, text) in &page.files {
        fs::write(home.path().join(name), text).unwrap();
        fs::set_permissions(home.path().join(name), fs::Permissions::from_mode(0o700)).unwrap();
    }
    let script = tempfile::NamedTempFile::new().unwrap();
    fs::write(script.path(), page.script()).unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_mmd-elevate")).parent().unwrap();
    let path = format!("{}:{}", program.to_str().unwrap(), std::env::var("PATH").unwrap_or_default());
    let bash = Program::new("bash").arg(script.path().to_str().unwrap()).clean().size(80, 24);
    let bash = bash.env("HOME", home.path().to_str().unwrap()).env("PATH", &path).env("NO_COLOR", "1");
    // What colleagues do would change what is listed.
    let bash = bash.env("MMD_ELEVATE_PRACTICE_COLLEAGUES", "false");
    let output = bash.start().wait_for_output(END, LIMIT).replace('\r', "");
    let mut rest = output.as_str();
    let mut wrong = Vec::new();
    for (n, Shown { line, command, output }) in page.commands.iter().enumerate() {
        let Some((printed, after)) = rest.split_once(&format!("{MARK}{n}\n")) else {
            wrong.push(format!("line {line}: the shell ended in `{command}`, after this output:\n{rest}"));
            break;
        };
        rest = after;
        let printed: Vec<_> = printed.trim_end().lines().map(str::trim_end).collect();
        if !are_lines(output, &printed) {
            let (shown, printed) = (output.join("\n"), printed.join("\n"));
            wrong.push(format!("line {line}: `{command}` is shown with\n{shown}\nand prints\n{printed}\n"));
        }
    }
    wrong
}

#[rstest]
#[case::first_steps(PAGES[0])]
#[case::connecting(PAGES[1])]
#[case::signing_in(PAGES[2])]
#[case::writes(PAGES[3])]
#[case::practice(PAGES[4])]
#[case::recipes(PAGES[5])]
#[case::questions(PAGES[6])]
fn page_shows_what_its_commands_print(#[case] name: &str) {
    if is_missing() {
        return;
    }
    let page = Page::parse(&fs::read_to_string(docs().join(name)).unwrap());
    assert!(!page.commands.is_empty(), "docs/{name} has nothing to run");
    let wrong = wrong(&page);
    assert!(wrong.is_empty(), "docs/{name}:\n{}", wrong.join("\n"));
}

#[test]
fn a_page_that_shows_another_output_is_found() {
    if is_missing() {
        return;
    }
    let text = "\
```sh two.sh
printf 'one\\ntwo'; exit 3
```
```console
$ ./two.sh
one
two
$ echo $?
3
$ name=value; printf '%s %s\\n' \\
> \"$name\" 12:34
value …:34
$ seq 5
1
[…]
5
$ echo here >&2
there
$ true
something
```
";
    let found = wrong(&Page::parse(text));
    let lines: Vec<_> = found.iter().filter_map(|wrong| wrong.split(':').next()).collect();
    assert_eq!(lines, ["line 17", "line 19"], "{found:?}");
    let broken = wrong(&Page::parse("```console\n$ exit 4\n$ true\n```\n"));
    assert!(broken.len() == 1 && broken[0].starts_with("line 2: the shell ended"), "{broken:?}");
}

#[test]
fn wildcards_stand_for_what_varies_alone() {
    for (shown, line, is_same) in [
        ("id  …", "id  7c99", true),
        ("id  …", "id", false),
        ("a … c … e", "a b c d e", true),
        ("a … c … e", "a b c d", false),
        ("…b", "aab", true),
        ("…b", "aabc", false),
        ("same", "same ", false),
    ] {
        assert_eq!(is_line(shown, line), is_same, "{shown} / {line}");
    }
}

#[test]
fn every_page_is_in_the_index_and_every_page_with_commands_is_run() {
    let index = fs::read_to_string(docs().join("README.md")).unwrap();
    for entry in fs::read_dir(docs()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if Path::new(&name).extension().is_none_or(|extension| extension != "md") {
            continue;
        }
        assert!(name == "README.md" || index.contains(&format!("]({name})")), "docs/README.md leaves out {name}");
        let text = fs::read_to_string(docs().join(&name)).unwrap();
        let Page { files, commands } = Page::parse(&text);
        let is_run = PAGES.contains(&name.as_str());
        assert_eq!(!commands.is_empty(), is_run, "docs/{name}: PAGES lists the pages that have commands");
        for (file, _) in files {
            // What stands behind the language of a block is not shown.
            assert!(text.contains(&format!("`{file}`")), "docs/{name} does not say what `{file}` is");
        }
    }
}
