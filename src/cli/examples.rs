//! The examples in the help of each subcommand. A test reads each as a command line.

pub(super) const PRACTICE: &str = "\
Examples:
  mmd-elevate practice --listen 127.0.0.1:8080
  mmd-elevate practice --print-rules > rules.toml
  mmd-elevate practice --rules rules.toml --fresh";

pub(super) const DOCTOR: &str = "\
Examples:
  mmd-elevate doctor
  mmd-elevate doctor --json";

pub(super) const RECORD: &str = "\
Examples:
  mmd-elevate record list
  mmd-elevate record purge --older-than 30 --yes";

pub(super) const PURGE: &str = "\
Examples:
  mmd-elevate record purge --dry-run
  mmd-elevate record purge --older-than 30 --yes";

pub(super) const RECORD_PATH: &str = "\
Examples:
  mmd-elevate record path";

pub(super) const RECORD_LIST: &str = "\
Examples:
  mmd-elevate record list
  mmd-elevate record list --json";

pub(super) const RECORD_SHOW: &str = "\
Examples:
  mmd-elevate record show 12
  mmd-elevate record show 12 --json";

pub(super) const RECORD_EXPORT: &str = "\
Examples:
  mmd-elevate record export > record.json";

pub(super) const CONFIG: &str = "\
Examples:
  mmd-elevate config init
  mmd-elevate config check
  mmd-elevate config show";

pub(super) const CONFIG_PATH: &str = "\
Examples:
  mmd-elevate config path
  $EDITOR \"$(mmd-elevate config path)\"";

pub(super) const CONFIG_CHECK: &str = "\
Ends with 1 if there is a mistake.

Examples:
  mmd-elevate config check
  mmd-elevate config check --config new.toml --json";

pub(super) const CONFIG_SHOW: &str = "\
Examples:
  mmd-elevate config show
  mmd-elevate config show --tenant Contoso --json";

pub(super) const CONFIG_INIT: &str = "\
Examples:
  mmd-elevate config init
  mmd-elevate config init --config ./config.toml";

pub(super) const CONFIG_SCHEMA: &str = "\
Examples:
  mmd-elevate config schema > config.schema.json";

pub(super) const TEMPLATE: &str = "\
Examples:
  mmd-elevate template list
  mmd-elevate template show \"Office repair online\"";

pub(super) const TEMPLATE_LIST: &str = "\
Examples:
  mmd-elevate template list
  mmd-elevate template list --json";

pub(super) const TEMPLATE_SHOW: &str = "\
Examples:
  mmd-elevate template show \"Office repair online\" > plan.txt";

pub(super) const COMPLETIONS: &str = "\
Examples:
  mmd-elevate completions bash > ~/.local/share/bash-completion/completions/mmd-elevate
  mmd-elevate completions zsh > ~/.zfunc/_mmd-elevate
  mmd-elevate completions fish > ~/.config/fish/completions/mmd-elevate.fish
  mmd-elevate completions powershell >> $PROFILE
  mmd-elevate completions elvish > ~/.config/elvish/lib/mmd-elevate.elv";

pub(super) const MAN: &str = "\
Examples:
  mmd-elevate man
  mmd-elevate man ~/.local/share/man/man1";

pub(super) const REPORT: &str = "\
It is made of the record alone: no service is asked.

Examples:
  mmd-elevate report
  mmd-elevate report --since 24h --format csv --output shift.csv
  mmd-elevate report --since 2026-11-22 --json";

pub(super) const LIST: &str = "\
Examples:
  mmd-elevate list
  mmd-elevate list not:by:ana 'age:>2h' --limit 0
  mmd-elevate list is:closed closed:today --json
  mmd-elevate list is:mine --watch";

pub(super) const SHOW: &str = "\
Examples:
  mmd-elevate show 3f2b0c1a
  mmd-elevate show 3f2b0c1a-0000-4000-8000-00000000c1d0 --json";
