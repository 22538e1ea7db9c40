//! The dashboard's stories: keys and replies in; messages, effects and screens out.

mod any_sequence;
mod bindings;
mod close;
mod close_accepted;
mod confirm;
mod create;
mod doubts;
mod guard;
mod leaving;
mod list;
mod notices;
mod others;
mod record_drafts;
mod record_seen;
mod record_start;
mod record_unknown;
mod record_writes;
mod report;
mod screens;
mod sign_in;
mod store;
mod tenant;
mod text;
mod themes;
mod time;
mod untrusted;
