//! Two tenants in one program: each has its service, its sign-in, its list and its drafts, and nothing of one goes to the other.

use std::path::PathBuf;

use rusqlite::{Connection, OpenFlags};
use rustix::process::Signal;
use tokio::runtime::Runtime;

use super::{GONE, Home, create, wait_until, wait_until_ready};
use crate::support::{
    pty::{self, Program},
    server::{Play, Server, http},
};

const CONTOSO: &str = "contoso.example";
const FABRIKAM: &str = "fabrikam.example";

/// A service that lists nothing and opens what it is asked for.
async fn service() -> Server {
    Server::start_with(|request| {
        let request = request?;
        let json = |status: &str, body: &str| http(&format!("{status}\ncontent-type: application/json"), body);
        Some(Play::Answer(if request.line().starts_with("POST") {
            json("201 Created", r#"{"id": "3f2b0000-0000-4000-8000-000000000001"}"#)
        } else {
            json("200 OK", r#"{"value": []}"#)
        }))
    })
    .await
}

/// The tokens and the tenants that a service was sent.
fn received(server: &Server) -> (Vec<String>, String) {
    let requests = server.requests();
    let mut tokens: Vec<_> = requests.iter().map(|request| request.header("authorization").join(", ")).collect();
    tokens.sort_unstable();
    tokens.dedup();
    (tokens, requests.iter().map(|request| request.line().to_owned() + "\n").collect())
}

/// Waits until the record keeps a draft with this ticket, of this tenant.
fn has_saved(home: &Home, tenant: &str, ticket: &str) {
    let file = PathBuf::from(home.path("logs")).join("record.db");
    wait_until("saving the draft", || {
        let Ok(db) = Connection::open_with_flags(&file, OpenFlags::SQLITE_OPEN_READ_ONLY) else { return false };
        let sql = "SELECT count(*) FROM draft WHERE tenant_id = ?1 AND ticket = ?2";
        db.query_one(sql, [tenant, ticket], |row| row.get(0)).is_ok_and(|count: i64| count > 0)
    });
}

#[test]
fn two_tenants_keep_their_drafts_tokens_and_requests_apart_also_when_the_program_is_killed() {
    if pty::missing() {
        return;
    }
    let runtime = Runtime::new().unwrap();
    let (contoso, fabrikam) = runtime.block_on(async { (service().await, service().await) });
    let home = Home::new();
    let profile = |name: &str, id: &str, server: &Server| {
        format!(
            "[[tenants]]\nname = '{name}'\nid = '{id}'\nbase_url = 'http://{}/v1'\n\
             [tenants.sign_in]\nmethod = 'command'\ncommand = ['echo', 'token-of-{name}']\n",
            server.address
        )
    };
    let file = profile("Contoso", CONTOSO, &contoso) + &profile("Fabrikam", FABRIKAM, &fabrikam);
    home.write("tenants.toml", &format!("tenant = 'Contoso'\n{file}"));
    let config = home.path("tenants.toml");
    let program = || -> Program { home.dashboard().arg("--config").arg(&config) };

    let mut pty = program().start();
    wait_until_ready(&pty);
    pty.send("ndraft-of-contoso\x1b");
    pty.wait_for_text("Draft in the form: draft-of-contoso");
    pty.send("T2");
    pty.wait_for("the other tenant", |screen| screen.contents().lines().next().unwrap().contains("Fabrikam"));
    wait_until_ready(&pty);
    assert!(!pty.screen().contains("draft-of-contoso"));
    create(&mut pty, "INC-2", "MMD-2");
    pty.wait_for_text("● open");
    pty.send("ndraft-of-fabrikam\x1b");
    pty.wait_for_text("Draft in the form: draft-of-fabrikam");
    // Back to the one that was shown before, which is as it was.
    pty.send("T\r");
    pty.wait_for_text("Draft in the form: draft-of-contoso");
    pty.send("n\tMMD-");
    pty.wait_for_text("MMD-");
    assert!(!pty.screen().contains("INC-2") && !pty.screen().contains("MMD-2"), "{}", pty.screen());
    pty.send("\x15\x1b");
    pty.wait_for_text("Draft in the form: draft-of-contoso");
    pty.send("q");
    pty.wait_for_text("Fabrikam: 1 request is open.");
    has_saved(&home, CONTOSO, "draft-of-contoso");
    has_saved(&home, FABRIKAM, "draft-of-fabrikam");
    pty.signal(Signal::KILL);
    pty.wait_until_dead(GONE);

    let mut pty = program().start();
    pty.wait_for_text("Typed and not sent");
    pty.wait_for_text("draft-of-contoso");
    assert!(!pty.screen().contains("draft-of-fabrikam"));
    pty.send("\r");
    pty.wait_for_text("Draft in the form: draft-of-contoso");
    pty.send("T2");
    pty.wait_for_text("draft-of-fabrikam");
    pty.wait_for_text("1 request was open");
    pty.send("\r");
    pty.wait_for_text("Draft in the form: draft-of-fabrikam");
    assert!(!pty.has_shown("Another dashboard uses this record"), "it is the same program");
    pty.send("n-more\x1bT1");
    pty.wait_for_text("Draft in the form: draft-of-contoso");
    pty.send("n-more");
    pty.wait_for_text("draft-of-contoso-more");
    // What was typed last is saved for both, however the program is left.
    pty.send("\x03");
    pty.wait_for_text("Leave?");
    pty.send("\x03");
    pty.wait_for_exit(GONE);
    has_saved(&home, CONTOSO, "draft-of-contoso-more");
    has_saved(&home, FABRIKAM, "draft-of-fabrikam-more");

    for (server, name, id, other) in
        [(&contoso, "Contoso", CONTOSO, FABRIKAM), (&fabrikam, "Fabrikam", FABRIKAM, CONTOSO)]
    {
        let (tokens, lines) = received(server);
        assert_eq!(tokens, [format!("Bearer token-of-{name}")]);
        assert!(lines.contains(id) && !lines.contains(other), "{lines}");
    }
    let (_, lines) = received(&contoso);
    assert!(!lines.contains("POST"), "{lines}");
}
