//! `mmd-elevate practice`: serves the practice tenant without the dashboard. It reads no settings of a service.

use std::process::ExitCode;

use color_eyre::eyre;
use mmd_elevate_core::Problem;
use mmd_elevate_practice::{self as practice, Practice};

use super::runtime;
use crate::{
    app::practice::{bind, settings},
    cli::{Flags, PracticeArgs},
    config::{self, variable},
    exit::Exit,
    output::{exit_code_after, fail, print, print_error, print_result},
};

/// An example of every rule.
const EXAMPLE_RULES: &str = include_str!("../../assets/practice-rules.example.toml");

/// The name of the variable that is suggested for the client secret of the practice tenant.
const PRACTICE_SECRET: &str = "PRACTICE_CLIENT_SECRET";

/// Serves the practice tenant until the process ends.
///
/// # Errors
/// The program itself fails. A problem that the user can fix is printed and makes its exit code.
pub fn run(args: &PracticeArgs, flags: &Flags) -> eyre::Result<ExitCode> {
    if args.print_rules {
        return Ok(print_result(EXAMPLE_RULES, ExitCode::SUCCESS));
    }
    let settings = match read_settings(args, flags) {
        Ok(settings) => settings,
        Err(problem) => return Ok(fail(Exit::Unusable, &problem)),
    };
    runtime()?.block_on(async {
        let practice = match bind(args.listen, settings).await {
            Ok(practice) => practice,
            Err(problem) => return Ok(fail(Exit::Unusable, &problem)),
        };
        if let Some(warning) = practice.warning() {
            print_error(&format!("mmd-elevate: {warning}"));
        }
        // Without the address nobody can use the tenant.
        if let Err(error) = print(&instructions(&practice)) {
            return Ok(exit_code_after(&error, ExitCode::SUCCESS));
        }
        practice.serve().await;
        Ok(ExitCode::SUCCESS)
    })
}

fn read_settings(args: &PracticeArgs, flags: &Flags) -> Result<practice::Settings, Problem> {
    let folder = config::state_dir(flags.state_dir.as_deref(), variable::from_process)?;
    let rules = args.rules.as_deref().or(flags.practice_rules.as_deref());
    let rules = config::expand_path("--practice-rules", rules, variable::from_process)?;
    let colleagues = config::practice_colleagues(variable::from_process)?;
    Ok(practice::Settings { colleagues, ..settings(&folder, flags.fresh, rules.as_deref())? })
}

/// Returns how to use the practice tenant from another process.
fn instructions(practice: &Practice) -> String {
    format!(
        "\
The practice tenant answers until Ctrl-C. To use it from another terminal:

export {}={}
export {}={tenant}
export {}={}

Or, for tokens that expire and are renewed, put this in the settings file instead of these variables:

[[tenants]]
name = \"Contoso\"
id = \"{tenant}\"
base_url = \"{}\"

[tenants.sign_in]
method = \"client-secret\"
authority = \"{}\"
client_id = \"{}\"
secret_env = \"{PRACTICE_SECRET}\"

and this in the environment:

export {PRACTICE_SECRET}={}
",
        variable::BASE_URL,
        practice.base_url(),
        variable::TENANT_ID,
        variable::TOKEN,
        practice.token(),
        practice.base_url(),
        practice.authority(),
        practice::CLIENT_ID,
        practice.client_secret(),
        tenant = practice::TENANT_ID,
    )
}
