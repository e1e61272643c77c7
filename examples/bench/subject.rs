//! The daemon that is measured. It starts on a free port with its own settings, and stops when it is dropped.

use super::{
    Outcome,
    alert::{self, Kind},
};
use std::{
    fs,
    net::{SocketAddr, TcpListener},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};
use tempfile::TempDir;
use tokio::{net::TcpStream, time::sleep};

/// How long a daemon may take to start.
const READY: Duration = Duration::from_secs(30);

/// Debian's name for it.
const ALERTMANAGER: &str = "prometheus-alertmanager";

/// The only secret of the benchmark.
const TOKEN: &str = "a-token-of-the-benchmark";

/// A daemon that runs.
pub struct Subject {
    pub name: &'static str,
    pub address: SocketAddr,
    pub token: Option<&'static str>,
    child: Child,
    _dir: TempDir,
}

impl Subject {
    /// Stentor with a matrix that pages by SMS.
    pub async fn stentor(binary: &Path, room: &Path, sink: SocketAddr) -> Outcome<Self> {
        let dir = TempDir::with_prefix_in("bench-stentor-", room)?;
        fs::create_dir(dir.path().join("matrix"))?;
        fs::write(dir.path().join("matrix/bench.toml"), matrix(sink))?;
        let address = free()?;
        let mut command = Command::new(binary);
        command.args(["serve", "--listen", &address.to_string()]).env_clear();
        command.env("STENTOR_MATRIX", dir.path().join("matrix")).env("STENTOR_STATE", dir.path().join("state"));
        command.env("BENCH_TOKEN", TOKEN);
        Self::ready("Stentor", command, address, Some(TOKEN), dir).await
    }

    /// Alertmanager with the same receivers as webhooks; none where it is not installed.
    pub async fn alertmanager(room: &Path, sink: SocketAddr) -> Outcome<Option<Self>> {
        let found = Command::new(ALERTMANAGER).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        if found.is_err() {
            return Ok(None);
        }
        let dir = TempDir::with_prefix_in("bench-alertmanager-", room)?;
        let config = dir.path().join("alertmanager.yml");
        fs::write(&config, routes(sink))?;
        let address = free()?;
        let mut command = Command::new(ALERTMANAGER);
        command.arg(format!("--config.file={}", config.display()));
        command.arg(format!("--storage.path={}", dir.path().join("data").display()));
        command.arg(format!("--web.listen-address={address}")).arg("--cluster.listen-address=");
        Self::ready("Alertmanager", command, address, None, dir).await.map(Some)
    }

    async fn ready(
        name: &'static str,
        mut command: Command,
        address: SocketAddr,
        token: Option<&'static str>,
        dir: TempDir,
    ) -> Outcome<Self> {
        let log = dir.path().join("log");
        command.current_dir(dir.path()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(fs::File::create(&log)?);
        let mut subject = Self { name, address, token, child: command.spawn()?, _dir: dir };
        let listens = async {
            while TcpStream::connect(address).await.is_err() {
                if subject.child.try_wait()?.is_some() {
                    return Err("it ended".into());
                }
                sleep(Duration::from_millis(20)).await;
            }
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
        };
        match tokio::time::timeout(READY, listens).await {
            Ok(Ok(())) => Ok(subject),
            _ => Err(format!("{name} does not start:\n{}", fs::read_to_string(log)?).into()),
        }
    }

    /// Time that all processors together have spent on it, in seconds. Linux counts in hundredths.
    pub fn cpu_seconds(&self) -> f64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap_or_default();
        // The name may hold anything; what follows it begins with the state, the third field.
        let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields).split_whitespace();
        fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
    }

    /// Resident memory, in MiB.
    pub fn rss_mib(&self) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
        kib.unwrap_or(f64::NAN) / 1024.0
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What makes a trigger take requests, and what makes each alert of the others an incident of its own.
const ASK: &str = "ask = { after = \"1h\" }\n";
const ALERTS: &str = "key = \"alert.labels.id\"\n";

/// A free port.
fn free() -> Outcome<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

/// Three channels with the highest pace that a matrix can give, and for each variant a trigger for one person, one for
/// three, and one that asks one.
fn matrix(sink: SocketAddr) -> String {
    let mut toml = String::from(
        "[source.bench]\ntoken = { env = \"BENCH_TOKEN\" }\nscopes = [\"alerts\", \"metrics\"]\n\
         openings_per_minute = 1000000\n",
    );
    // The sink reports no delivery: a page would go by the next channel after half a minute, and count as one too many.
    for way in ["a", "b", "c"] {
        toml += &format!(
            "[channel.sms-{way}]\nkind = \"kannel\"\nurl = \"http://{sink}/cgi-bin/sendsms\"\nusername = \"bench\"\n\
             password = {{ env = \"BENCH_TOKEN\" }}\ntoken = {{ env = \"BENCH_TOKEN\" }}\npace = \"1000/s burst 1000\"\naccept_timeout = \"10m\"\nreport_timeout = \"never\"\n"
        );
    }
    for variant in 0..alert::VARIANTS {
        for (n, way) in (0..).zip(["a", "b", "c"]) {
            toml += &format!(
                "[person.p{way}{variant}]\nname = \"Person {way} {variant}\"\nphone = \"{}\"\n\
                 [role.role-{way}{variant}]\n\
                 step = [{{ page = [\"p{way}{variant}\"], by = [\"sms-{way}\"], wait = \"1h\" }}]\n",
                alert::phone(variant, n)
            );
        }
        let kinds =
            [(Kind::One, &["a"][..], ALERTS), (Kind::Three, &["a", "b", "c"], ALERTS), (Kind::Ask, &["a"], ASK)];
        for (kind, ways, more) in kinds {
            let roles: Vec<String> = ways.iter().map(|way| format!("\"role-{way}{variant}\"")).collect();
            toml += &format!(
                "[trigger.{name}-{variant}]\non = [\"{name}-{variant}\"]\nwhen = \"alert.values.drop_pct >= 5.0\"\n\
                 roles = [{roles}]\nopenings_per_minute = 1000\n{more}",
                name = kind.name(),
                roles = roles.join(", "),
            );
        }
    }
    toml
}

/// One group per alert, notified at once, and three receivers where Stentor pages three roles.
fn routes(sink: SocketAddr) -> String {
    let group = "group_by: ['...'], group_wait: 0s, group_interval: 1h, repeat_interval: 4h";
    let route = |way| format!("  - {{receiver: {way}, matchers: ['alertname=~\"three-.*\"'], continue: true}}\n");
    let hook =
        |way| format!("- {{name: {way}, webhook_configs: [{{url: 'http://{sink}/{way}', send_resolved: false}}]}}\n");
    let routes: String = ["b", "c", "a"].map(route).concat();
    let receivers: String = ["a", "b", "c"].map(hook).concat();
    format!("route:\n  receiver: a\n  {}\n  routes:\n{routes}receivers:\n{receivers}", group.replace(", ", "\n  "))
}
