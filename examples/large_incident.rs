//! What a page and a round of a ladder cost in one large incident: `cargo run --release --example large_incident`.
//!
//! The engine runs on the SQLite store in memory (`/dev/shm`), all channels in the sandbox, the time moved by hand. What
//! is told is the processor time of the whole process, so that a busy machine changes little.
//!
//! With `journal DIRECTORY LINES` it makes a state folder with one incident of so many journal lines, for `stentor show`.
#![allow(clippy::disallowed_methods)]

use std::{
    fmt::Write as _,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use stentor::{
    channel::{desk_hub::DeskHub, outbox::SandboxOutbox},
    core::{Alert, IncidentId, PageId, Timestamp},
    engine::{Engine, RuntimeConfig, SharedChannelParts},
    matrix::{KnownNames, Matrix, SourceText},
    store::{SqliteStore, Store, clock::ClockSources},
    template::PageTemplates,
};

/// 2026-11-23, 09:00 in UTC.
const START: i64 = 1_795_424_400_000_000;

/// The time between two rounds.
const ROUND: Duration = Duration::from_secs(60);

/// How many rounds one figure is a mean of.
const ROUNDS: u32 = 20;

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

#[tokio::main]
async fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [what, dir, lines] = &arguments[..]
        && what == "journal"
    {
        return journal(Path::new(dir), lines.parse()?).await;
    }
    println!("CPU ms for each page of one incident, all sent at once");
    for people in [100, 300, 1000] {
        pages(people).await?;
    }
    println!("CPU ms for each round of an incident that nobody answers");
    rounds(&[20, 100, 300, 600, 1200, 2400]).await
}

/// One incident pages so many people by three channels each.
async fn pages(people: usize) -> Outcome<()> {
    let node = Node::over(&memory()?, &crowd(people)).await?;
    node.admit("storm").await?;
    let count = node.store.view(IncidentId(1)).await?.map_or(0, |incident| incident.pages.len());
    let begun = cpu()?;
    for n in 1..=u32::try_from(count)? {
        node.engine.delivery().send(PageId { incident: IncidentId(1), n }).await?;
    }
    println!("{count:>8} pages {:>9.3}", per(cpu()? - begun, count));
    node.store.close().await;
    Ok(())
}

/// One incident that nobody answers: after so many rounds, what the next ones cost.
async fn rounds(after: &[u32]) -> Outcome<()> {
    let node = Node::over(&memory()?, &crowd(1)).await?;
    node.admit("storm").await?;
    let mut done = 0;
    for &until in after {
        while done < until - ROUNDS {
            node.round().await?;
            done += 1;
        }
        let begun = cpu()?;
        for _ in 0..ROUNDS {
            node.round().await?;
            done += 1;
        }
        println!("{done:>8} rounds {:>9.3}", per(cpu()? - begun, usize::try_from(ROUNDS)?));
    }
    node.store.close().await;
    Ok(())
}

async fn journal(dir: &Path, lines: u64) -> Outcome<()> {
    let node = Node::over(dir, &crowd(1)).await?;
    node.admit("storm").await?;
    let chain = IncidentId(1).to_string();
    let (mut after, mut count) = (0, 0);
    while count < lines {
        for _ in 0..ROUNDS {
            node.round().await?;
        }
        let new = node.store.lines(Some(chain.clone()), after, usize::MAX).await?;
        after = new.last().map_or(after, |line| line.pos);
        count += u64::try_from(new.len())?;
    }
    node.store.close().await;
    println!("{}: {count} lines of {chain}", dir.display());
    Ok(())
}

struct Node {
    engine: Arc<Engine>,
    store: Arc<SqliteStore>,
    hands: Hands,
}

impl Node {
    async fn over(dir: &Path, matrix: &str) -> Outcome<Self> {
        let hands = Hands(Arc::default());
        let store = SqliteStore::open(dir, Arc::new(hands.clone())).await?;
        let engine = Engine::new(store.clone(), config(dir, matrix)?, "http://127.0.0.1");
        engine.delivery().tick_lease().await?;
        Ok(Self { engine, store, hands })
    }

    async fn admit(&self, kind: &str) -> Outcome<()> {
        self.engine.admission().admit(vec![Alert::new("monitor", kind)], self.store.now()).await?;
        Ok(())
    }

    /// The ladder moves, and what it has queued is sent.
    async fn round(&self) -> Outcome<()> {
        self.hands.0.fetch_add(u64::try_from(ROUND.as_micros())?, Ordering::SeqCst);
        self.engine.delivery().tick_lease().await?;
        self.engine.tick_timers().await?;
        for page in self.engine.delivery().tick_delivery().start {
            self.engine.delivery().send(page).await?;
        }
        Ok(())
    }
}

/// Clocks that this program alone moves, in microseconds.
#[derive(Clone)]
struct Hands(Arc<AtomicU64>);

impl ClockSources for Hands {
    fn wall(&self) -> Timestamp {
        Timestamp::from_micros(START.saturating_add_unsigned(self.0.load(Ordering::SeqCst)))
    }
    fn boot(&self) -> Duration {
        Duration::from_micros(1_000_000 + self.0.load(Ordering::SeqCst))
    }
    fn boot_id(&self) -> String {
        "one start".into()
    }
}

fn config(dir: &Path, matrix: &str) -> Outcome<RuntimeConfig> {
    let templates = PageTemplates::shipped();
    let revisions = templates.revisions();
    let files = [SourceText { path: "matrix.toml".into(), text: matrix.into() }];
    let start = Timestamp::from_micros(START);
    let parsed = Matrix::parse(&files, &KnownNames { templates: &revisions }, start);
    let matrix = parsed.matrix.ok_or("the matrix has a fault")?;
    let outbox = SandboxOutbox::open(dir, move || start)?;
    let shared = SharedChannelParts { hub: DeskHub::new(), outbox, site: String::new(), sandbox: true };
    Ok(RuntimeConfig::wire(matrix, templates, &shared))
}

fn crowd(people: usize) -> String {
    let mut toml = String::new();
    for channel in ["one", "two", "three"] {
        let _ = writeln!(
            toml,
            "[channel.{channel}]\nkind = \"kannel\"\nurl = \"http://127.0.0.1:9/cgi-bin/sendsms\"\nusername = \"x\"\n\
             password = {{ env = \"X\" }}"
        );
    }
    let names: Vec<String> = (0..people).map(|n| format!("\"p{n}\"")).collect();
    for n in 0..people {
        let _ = writeln!(toml, "[person.p{n}]\nname = \"Person {n}\"\nphone = \"+447700900{:03}\"", n % 1000);
    }
    let _ = writeln!(
        toml,
        "[role.trader]\nstep = [{{ page = [{}], by = [\"one\", \"two\", \"three\"], wait = \"1m\" }}]\n\
         [trigger.storm]\non = [\"storm\"]\nroles = [\"trader\"]",
        names.join(", ")
    );
    toml
}

/// A folder in memory, so that no commit waits for a disk.
fn memory() -> Outcome<std::path::PathBuf> {
    let dir = Path::new("/dev/shm").join(format!("stentor-large-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir_all(&dir)?;
    Ok(dir)
}

/// The processor time of all threads that live, in nanoseconds.
fn cpu() -> Outcome<u64> {
    let mut sum = 0;
    for task in std::fs::read_dir("/proc/self/task")? {
        let text = std::fs::read_to_string(task?.path().join("schedstat"))?;
        sum += text.split(' ').next().unwrap_or_default().parse::<u64>()?;
    }
    Ok(sum)
}

#[allow(clippy::cast_precision_loss)]
fn per(nanos: u64, count: usize) -> f64 {
    nanos as f64 / 1e6 / count.max(1) as f64
}
