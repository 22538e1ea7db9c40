//! The names of the settings in each table of the settings file. What a setting means is for the modules that read it.

pub(super) const ROOT: [&str; 11] = [
    "base_url",
    "ca_file",
    "tenant",
    "sign_in",
    "tenants",
    "categories",
    "appearance",
    "record",
    "practice",
    "patterns",
    "keys",
];
pub(super) const TENANT: [&str; 7] = ["name", "id", "color", "base_url", "ca_file", "patterns", "sign_in"];
pub(super) const CATEGORY: [&str; 2] = ["name", "subcategories"];
pub(super) const APPEARANCE: [&str; 2] = ["borders", "accent"];
pub(super) const RECORD: [&str; 1] = ["keep_days"];
pub(super) const PRACTICE: [&str; 1] = ["colleagues"];
pub(super) const PATTERNS: [&str; 2] = ["ticket", "device"];
pub(super) const SIGN_IN: [&str; 10] = [
    "method",
    "client_id",
    "secret_env",
    "secret_file",
    "secret_command",
    "certificate_file",
    "key_file",
    "command",
    "authority",
    "scope",
];

/// The tables whose settings are often written in the wrong table.
const TABLES: [(&str, &[&str]); 5] = [
    ("[appearance]", &APPEARANCE),
    ("[record]", &RECORD),
    ("[practice]", &PRACTICE),
    ("[patterns]", &PATTERNS),
    ("[tenants.sign_in] or [sign_in]", &SIGN_IN),
];

/// Returns the table other than `table` that a setting of this name belongs in.
pub(super) fn other_table(name: &str, table: &str) -> Option<&'static str> {
    TABLES.iter().find(|(other, names)| *other != table && names.contains(&name)).map(|(other, _)| *other)
}
