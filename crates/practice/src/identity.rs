//! The names of the practice tenant: its ids, its agent, and its paths.

/// The practice tenant's id, the same at every start.
pub const TENANT_ID: &str = "7f3c0b1a-2d4e-4f60-8a9b-c1d2e3f46677";
/// The application that may sign in, the same at every start.
pub const CLIENT_ID: &str = "0f5e2d1c-3b4a-4958-8776-655443322110";
/// The agent who opens, closes and views (assumption: an application token names no person).
pub const AGENT_UPN: &str = "practice.agent@partner.example";
/// The scope of the tokens (documented).
pub const SCOPE: &str = "https://mwaas-services-customerapi-prod.azurewebsites.net/.default";
/// The path of the service's documented base URL.
pub(super) const BASE_PATH: &str = "/support/odata/v1";
