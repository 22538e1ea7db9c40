//! The JSON schema of the settings file, for editors. It is a file that the tests hold to the settings that there are; what is a
//! mistake is for the modules that read the settings.

/// The JSON schema of the settings file.
pub const SCHEMA: &str = include_str!("../../docs/schema/config.json");

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::config::names;

    /// Returns the names of a table's settings in the schema, sorted.
    #[track_caller]
    fn properties(pointer: &str) -> Vec<String> {
        let schema: Value = serde_json::from_str(SCHEMA).unwrap();
        let table = schema.pointer(pointer).unwrap_or_else(|| panic!("the schema has no {pointer}"));
        assert_eq!(table.get("additionalProperties"), Some(&Value::Bool(false)), "{pointer}");
        let properties = table["properties"].as_object().unwrap();
        properties.keys().cloned().collect()
    }

    #[test]
    fn schema_has_the_settings_that_there_are_and_no_others() {
        for (pointer, names) in [
            ("", &names::ROOT[..]),
            ("/properties/tenants/items", &names::TENANT),
            ("/$defs/categories/items", &names::CATEGORY),
            ("/properties/appearance", &names::APPEARANCE),
            ("/properties/ages", &names::AGES),
            ("/properties/list", &names::LIST),
            ("/properties/record", &names::RECORD),
            ("/properties/report", &names::REPORT),
            ("/properties/practice", &names::PRACTICE),
            ("/$defs/patterns", &names::PATTERNS),
            ("/$defs/sign_in", &names::SIGN_IN),
        ] {
            let mut names = names.to_vec();
            names.sort_unstable();
            assert_eq!(properties(pointer), names, "{pointer}: docs/schema/config.json");
        }
    }
}
