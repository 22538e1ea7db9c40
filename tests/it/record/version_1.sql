-- Makes a record of this version one of version 1, as the program wrote it then.
DROP VIEW open_request;
DROP VIEW unresolved;
ALTER TABLE intent RENAME TO intent_2;
ALTER TABLE request RENAME TO request_2;
ALTER TABLE draft RENAME TO draft_2;
CREATE TABLE intent (
  id INTEGER PRIMARY KEY AUTOINCREMENT, base_url TEXT NOT NULL, tenant_id TEXT NOT NULL, owner TEXT NOT NULL,
  operator TEXT NOT NULL, kind TEXT NOT NULL, at TEXT NOT NULL, stage TEXT NOT NULL, changed_at TEXT NOT NULL,
  ticket TEXT, device TEXT NOT NULL, title TEXT, category TEXT, subcategory TEXT, plan_of_action TEXT,
  actions_taken TEXT, request_id TEXT, why TEXT, service_request_id TEXT, revision INTEGER NOT NULL,
  digest TEXT NOT NULL, damaged_at TEXT
) STRICT;
CREATE TABLE request (
  id INTEGER PRIMARY KEY AUTOINCREMENT, base_url TEXT NOT NULL, tenant_id TEXT NOT NULL, request_id TEXT NOT NULL,
  opened_by INTEGER, seen_at TEXT NOT NULL, ended_at TEXT, ticket TEXT NOT NULL, device TEXT NOT NULL,
  title TEXT NOT NULL, category TEXT NOT NULL, subcategory TEXT NOT NULL, plan_of_action TEXT NOT NULL,
  actions_taken TEXT NOT NULL, requested_by TEXT NOT NULL, closed_by TEXT NOT NULL, created TEXT, created_at TEXT,
  closed TEXT, closed_at TEXT, viewers TEXT NOT NULL, revision INTEGER NOT NULL, digest TEXT NOT NULL, damaged_at TEXT
) STRICT;
CREATE TABLE draft (
  id INTEGER PRIMARY KEY AUTOINCREMENT, base_url TEXT NOT NULL, tenant_id TEXT NOT NULL, owner TEXT NOT NULL,
  left_by TEXT, target TEXT NOT NULL, target_id TEXT, at TEXT NOT NULL, ticket TEXT NOT NULL, device TEXT NOT NULL,
  title TEXT NOT NULL, category TEXT NOT NULL, subcategory TEXT NOT NULL, plan_of_action TEXT NOT NULL,
  revision INTEGER NOT NULL, digest TEXT NOT NULL, damaged_at TEXT
) STRICT;
INSERT INTO intent SELECT id, base_url, tenant_id, owner, operator, kind, at, stage, changed_at,
  operation ->> '$.create.ticket', ifnull(operation ->> '$.create.device', operation ->> '$.close.device'),
  operation ->> '$.create.title', operation ->> '$.create.category', operation ->> '$.create.subcategory',
  operation ->> '$.create.plan_of_action', operation ->> '$.close.actions_taken', request_id, why,
  service_request_id, revision, 'abc', damaged_at FROM intent_2;
INSERT INTO request SELECT id, base_url, tenant_id, request_id, opened_by, seen_at, ended_at, ticket, device, title,
  category, subcategory, plan_of_action, actions_taken, requested_by, closed_by, created, created_at, closed, closed_at,
  viewers, revision, 'abc', damaged_at FROM request_2;
INSERT INTO draft SELECT id, base_url, tenant_id, owner, left_by, target, target_id, at, ticket, device, title, category,
  subcategory, plan_of_action, revision, 'abc', damaged_at FROM draft_2;
DROP TABLE intent_2;
DROP TABLE request_2;
DROP TABLE draft_2;
CREATE VIEW open_request AS
  SELECT * FROM request WHERE ended_at IS NULL AND opened_by IS NOT NULL AND damaged_at IS NULL;
CREATE VIEW unresolved AS
  SELECT * FROM intent WHERE stage NOT IN ('done', 'not done', 'set aside') AND damaged_at IS NULL;
PRAGMA user_version = 1;
