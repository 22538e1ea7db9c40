//! The tables whose rows have digests. What the columns mean is told in `schema.rs`.

use super::row::Table;

pub(super) static INTENT: Table = Table {
    name: "intent",
    columns: &[
        "base_url",
        "tenant_id",
        "owner",
        "operator",
        "kind",
        "at",
        "stage",
        "changed_at",
        "ticket",
        "device",
        "title",
        "category",
        "subcategory",
        "plan_of_action",
        "actions_taken",
        "request_id",
        "why",
        "service_request_id",
    ],
};

pub(super) static REQUEST: Table = Table {
    name: "request",
    columns: &[
        "base_url",
        "tenant_id",
        "request_id",
        "opened_by",
        "seen_at",
        "ended_at",
        "ticket",
        "device",
        "title",
        "category",
        "subcategory",
        "plan_of_action",
        "actions_taken",
        "requested_by",
        "closed_by",
        "created",
        "created_at",
        "closed",
        "closed_at",
        "viewers",
    ],
};

pub(super) static DRAFT: Table = Table {
    name: "draft",
    columns: &[
        "base_url",
        "tenant_id",
        "owner",
        "left_by",
        "target",
        "target_id",
        "at",
        "ticket",
        "device",
        "title",
        "category",
        "subcategory",
        "plan_of_action",
    ],
};

/// All tables whose rows have digests.
pub(super) static TABLES: [&Table; 3] = [&INTENT, &REQUEST, &DRAFT];
