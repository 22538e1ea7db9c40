//! A practice tenant behind a gate: what is sent to it arrives when the test says so.

use std::sync::Arc;

use mmd_elevate_practice::{self as practice, Practice};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    runtime::Runtime,
    sync::Semaphore,
};

use crate::support::pty::Program;

pub(super) struct Gate {
    permits: Arc<Semaphore>,
    environment: [(&'static str, String); 3],
    _runtime: Runtime,
}

impl Gate {
    pub(super) fn closed() -> Self {
        let runtime = Runtime::new().unwrap();
        let gate = Arc::new(Semaphore::new(0));
        let environment = runtime.block_on(serve(Arc::clone(&gate)));
        Self { permits: gate, environment, _runtime: runtime }
    }

    /// Lets through whatever waits and whatever comes.
    pub(super) fn open(&self) {
        self.permits.add_permits(1_000);
    }

    /// Configures the dashboard for it.
    pub(super) fn before(&self, program: Program) -> Program {
        self.environment.iter().fold(program, |program, (name, value)| program.env(name, value))
    }
}

async fn serve(gate: Arc<Semaphore>) -> [(&'static str, String); 3] {
    let practice = Practice::bind(([127, 0, 0, 1], 0).into(), practice::Settings::default()).await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (_, behind) = practice.base_url().split_once("//").map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    let (behind, path) = behind.split_once('/').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    let base_url = format!("http://{}/{path}", listener.local_addr().unwrap());
    let environment = [
        ("MMD_ELEVATE_BASE_URL", base_url),
        ("MMD_ELEVATE_TENANT_ID", practice::TENANT_ID.to_owned()),
        ("MMD_ELEVATE_TOKEN", practice.token()),
    ];
    tokio::spawn(practice.serve());
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let (gate, behind) = (Arc::clone(&gate), behind.clone());
            tokio::spawn(async move {
                gate.acquire().await.unwrap().forget();
                let mut service = TcpStream::connect(behind).await.unwrap();
                // The dashboard may leave in the middle of it.
                let _ = copy_bidirectional(&mut client, &mut service).await;
            });
        }
    });
    environment
}
