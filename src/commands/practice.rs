//! `mmd-elevate practice`: serves the practice tenant alone.

use std::process::ExitCode;

use color_eyre::eyre;
use mmd_elevate_practice::{self as practice, Practice};

use super::runtime;
use crate::{
    cli::{Flags, PracticeArgs},
    config::{self, variable},
    output::{complain, print, refuse, unprinted},
};

/// The variable that the served practice tenant's client secret is proposed for.
const PRACTICE_SECRET: &str = "PRACTICE_CLIENT_SECRET";

/// Serves the practice tenant until the process ends.
///
/// # Errors
/// Where the program itself fails; what the user can mend is told, with exit code 1.
pub fn run(args: &PracticeArgs, flags: &Flags) -> eyre::Result<ExitCode> {
    let folder = match config::state_dir(flags.state_dir.as_deref(), variable::of_process) {
        Ok(folder) => folder,
        Err(error) => return Ok(refuse(error, None)),
    };
    let rules = args.rules.as_deref().or(flags.practice_rules.as_deref());
    let rules = match config::expanded("--practice-rules", rules, variable::of_process) {
        Ok(rules) => rules,
        Err(error) => return Ok(refuse(error, None)),
    };
    let settings = match practice::Settings::kept(&folder, flags.fresh, rules.as_deref()) {
        Ok(settings) => settings,
        Err(error) => return Ok(refuse(error, None)),
    };
    runtime()?.block_on(async {
        let practice = match Practice::bind(args.listen, settings).await {
            Ok(practice) => practice,
            Err(error) => {
                let why = std::error::Error::source(&error).map_or_else(String::new, |source| format!(": {source}"));
                return Ok(refuse(format!("failed to {error}{why}"), error.hint()));
            }
        };
        if let Some(warning) = practice.warning() {
            complain(&format!("mmd-elevate: {warning}"));
        }
        // Who has not got the address cannot use it.
        if let Err(error) = print(&invitation(&practice)) {
            return Ok(unprinted(&error, ExitCode::SUCCESS));
        }
        practice.serve().await;
        Ok(ExitCode::SUCCESS)
    })
}

/// How to use the practice tenant from another process.
fn invitation(practice: &Practice) -> String {
    format!(
        "\
The practice tenant answers until Ctrl-C. To use it from another terminal:

export {}={}
export {}={tenant}
export {}={}

Or, for tokens that end and are renewed, in the settings file in place of these variables:

[[tenants]]
name = \"Contoso\"
id = \"{tenant}\"
base_url = \"{}\"

[tenants.sign_in]
method = \"client-secret\"
authority = \"{}\"
client_id = \"{}\"
secret_env = \"{PRACTICE_SECRET}\"

and in the environment:

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
