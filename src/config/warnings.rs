//! Finds settings of the file that are accepted but may not be what the agent meant. The program runs with them; a warning
//! never changes a setting.

use super::{
    FileSettings, SignInSettings,
    document::{DocumentReader, SettingsTable, Value},
    value,
};
use mmd_elevate_core::Problem;
use mmd_elevate_engine::redact::quoted;

/// Adds the warnings about the settings that were read from this file.
pub(super) fn add_warnings(reader: &mut DocumentReader<'_>, root: &SettingsTable<'_, '_>, settings: &FileSettings) {
    if let Some(value) = root.get("base_url") {
        base_url(reader, value);
    }
    if settings.record.keep_days == 0
        && let Some(value) = root.get("record").and_then(|value| value.get_ref().as_table()?.get("keep_days"))
    {
        let what = "`keep_days = 0` deletes everything as soon as it is settled";
        let hint = "give the number of days for which you may want to look something up";
        reader.warn(value.span().start, Problem::new(what, hint));
    }
    if let (Some(value), Some(sign_in)) = (root.get("sign_in"), &settings.sign_in) {
        sign_in_warnings(reader, value, sign_in, "");
    }
    tenants(reader, root, settings);
    categories(reader, root, settings);
    patterns(reader, root.get("patterns"), settings);
}

/// Returns the entries of a list of tables with the settings that were read from each, or none if one could not be read.
fn entries<'a, 'i, 's, T>(root: &SettingsTable<'a, 'i>, name: &str, read: &'s [T]) -> Vec<(&'a Value<'i>, &'s T)> {
    let list = root.get(name).and_then(|value| value.get_ref().as_array());
    let entries: Vec<_> = list.into_iter().flat_map(|list| list.iter()).collect();
    if entries.len() == read.len() { entries.into_iter().zip(read).collect() } else { Vec::new() }
}

fn tenants(reader: &mut DocumentReader<'_>, root: &SettingsTable<'_, '_>, settings: &FileSettings) {
    let entries = entries(root, "tenants", &settings.tenants);
    for (n, (value, tenant)) in entries.iter().enumerate() {
        let Some(table) = value.get_ref().as_table() else { continue };
        let offset = |name: &str| table.get(name).map_or(value.span().start, |value| value.span().start);
        if let Some(defect) = value::id_defect(&tenant.id).filter(|_| !tenant.id.is_empty()) {
            let what = format!("the id of the tenant {} {defect}", quoted(&tenant.name));
            reader.warn(offset("id"), Problem::new(what, "copy the whole id from the portal again"));
        }
        if tenant.color.is_some() && entries[..n].iter().any(|(_, other)| other.color == tenant.color) {
            let what = format!("the tenant {} has the same colour as another one", quoted(&tenant.name));
            let hint = "give each tenant its own colour, so that you see which one you work for";
            reader.warn(offset("color"), Problem::new(what, hint));
        }
        if let Some(value) = table.get("base_url") {
            base_url(reader, value);
        }
        if let (Some(value), Some(sign_in)) = (table.get("sign_in"), &tenant.sign_in) {
            sign_in_warnings(reader, value, sign_in, &tenant.id);
        }
    }
}

/// Warns about a base URL that holds what the program appends to it.
fn base_url(reader: &mut DocumentReader<'_>, value: &Value<'_>) {
    let Some(text) = value.get_ref().as_str() else { return };
    let path = text.to_lowercase();
    if path.contains("/tenants") || path.contains("/elevationrequests") {
        let what = "the base URL holds a part of what the program appends: /tenants/…/elevationRequests";
        let hint = "end it before /tenants, as in https://host/support/odata/v1";
        reader.warn(value.span().start, Problem::new(what, hint));
    }
}

fn sign_in_warnings(reader: &mut DocumentReader<'_>, value: &Value<'_>, sign_in: &SignInSettings, tenant_id: &str) {
    let Some(table) = value.get_ref().as_table() else { return };
    let offset = table.get("client_id").map_or(value.span().start, |value| value.span().start);
    if let Some(problem) = sign_in.client_id_warning(tenant_id) {
        reader.warn(offset, problem);
    }
}

fn categories(reader: &mut DocumentReader<'_>, root: &SettingsTable<'_, '_>, settings: &FileSettings) {
    let entries = entries(root, "categories", &settings.categories);
    for (n, (value, category)) in entries.iter().enumerate() {
        let is_same = |other: &str| other.trim().eq_ignore_ascii_case(category.name.trim());
        if entries[..n].iter().any(|(_, other)| is_same(&other.name)) {
            let what = format!("the category {} differs from another only by letter case", quoted(&category.name));
            reader.warn(value.span().start, Problem::new(what, "list all its subcategories under one name"));
        }
    }
}

/// Warns about a pattern that matches any text.
fn patterns(reader: &mut DocumentReader<'_>, value: Option<&Value<'_>>, settings: &FileSettings) {
    let Some(table) = value.and_then(|value| value.get_ref().as_table()) else { return };
    for (name, patterns) in [("ticket", &settings.patterns.ticket), ("device", &settings.patterns.device)] {
        let matches_all =
            patterns.iter().flatten().any(|pattern| ["", "x", "0 -"].iter().all(|text| pattern.matches(text)));
        if let Some(value) = table.get(name).filter(|_| matches_all) {
            let what = format!("`{name}` holds a pattern that matches every text, so it tells nothing apart");
            let hint = "write what only these names have, such as 'INC-\\d+'";
            reader.warn(value.span().start, Problem::new(what, hint));
        }
    }
}
