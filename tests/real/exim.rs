//! A real mail server: STARTTLS, then a login, then a folder of mails.

use crate::parts::{self, Part, Process, until};
use std::{
    fs,
    io::Write,
    net::TcpStream,
    os::unix::fs::{PermissionsExt, chown},
    path::PathBuf,
    process::Stdio,
};
use tempfile::TempDir;

pub const PARTS: [Part; 1] = [Part("exim4", "exim4-daemon-light")];

pub const USER: &str = "alerts";
pub const PASSWORD: &str = "mail-secret-4711";

/// The Unix user that Debian's exim becomes.
const EXIM: &str = "Debian-exim";

const CERTIFICATE: &[u8] = include_bytes!("../double/tls/localhost.pem");
const KEY: &[u8] = include_bytes!("../double/tls/localhost.key");

/// The server. It refuses `perm..@` for good, and `tempfail..@` until it is mended; `bounce..@` it takes and returns.
/// Mail to `stentor@desk.example` is piped into `stentor mail-in`.
pub struct Exim {
    #[expect(dead_code, reason = "held for its drop")]
    daemon: Process,
    port: u16,
    dir: TempDir,
}

/// A mail that was delivered.
pub struct Letter {
    pub to: String,
    pub raw: String,
}

/// Whether it can not run here.
pub fn missing() -> bool {
    if parts::missing(&PARTS) {
        return true;
    }
    let root = uzers::get_effective_uid() == 0;
    !root && parts::skipped("root", "exim gives up its own rights for its user: run the tests as root")
}

impl Exim {
    pub fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let port = parts::free_port();
        let config = set_up_room(&dir, port);
        let mut command = parts::command("exim4");
        command.arg("-C").arg(config).arg("-bdf");
        let mut daemon = Process::start("exim4", &mut command, &dir.path().join("out"));
        daemon.ready(|| TcpStream::connect(("127.0.0.1", port)).ok());
        Self { daemon, port, dir }
    }

    /// For the matrix.
    pub fn url(&self) -> String {
        format!("smtp://127.0.0.1:{}", self.port)
    }

    /// For `STENTOR_CA_FILE`: the certificate is its own root.
    pub fn root(&self) -> PathBuf {
        self.dir.path().join("cert.pem")
    }

    /// Where the daemon that gets the returned mails must listen.
    pub fn socket(&self) -> PathBuf {
        self.dir.path().join("stentor.sock")
    }

    /// Hands it a mail from this mailbox to Stentor's, as a user's own server would.
    pub fn submit(&self, from: &str, mail: &str) {
        let mut command = parts::command("exim4");
        command.arg("-C").arg(self.dir.path().join("exim.conf")).args([
            "-odi",
            "-oi",
            "-f",
            from,
            "stentor@desk.example",
        ]);
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(mail.as_bytes()).unwrap();
        assert!(child.wait().unwrap().success());
    }

    /// Tries again whatever it could not deliver.
    pub fn run_queue(&self) {
        let config = self.dir.path().join("exim.conf");
        assert!(parts::command("exim4").arg("-C").arg(config).arg("-qff").status().unwrap().success());
    }

    /// From now on `tempfail..@` is taken.
    pub fn mend(&self) {
        fs::write(self.dir.path().join("mended"), "").unwrap();
    }

    /// The mails that were delivered.
    pub fn letters(&self) -> Vec<Letter> {
        let folder = fs::read_dir(self.dir.path().join("maildir/new"));
        let paths = folder.into_iter().flatten().map(|entry| entry.unwrap().path());
        paths.map(|path| Letter::read(&fs::read(path).unwrap())).collect()
    }

    /// The first mail to this mailbox that `wanted` likes.
    pub fn letter_to(&self, mailbox: &str, wanted: impl Fn(&Letter) -> bool) -> Letter {
        let what = format!("a mail to {mailbox}");
        until(&what, || self.letters().into_iter().find(|letter| letter.to == mailbox && wanted(letter)))
    }

    /// What it wrote about connections and deliveries.
    pub fn log(&self) -> String {
        let read = |name| fs::read_to_string(self.dir.path().join("logs").join(name)).unwrap_or_default();
        format!("{}{}", read("mainlog"), read("rejectlog"))
    }
}

impl Letter {
    fn read(bytes: &[u8]) -> Self {
        let raw = unfolded(&String::from_utf8_lossy(bytes));
        let to = raw.lines().find_map(|line| line.strip_prefix("Envelope-to: ")).unwrap_or_default().to_owned();
        Self { to, raw }
    }

    pub fn header(&self, name: &str) -> &str {
        let named = |line: &'_ str| line.split_once(": ").is_some_and(|(found, _)| found == name);
        self.raw.lines().find(|line| named(line)).map(|line| &line[name.len() + 2..]).unwrap_or_default()
    }

    /// The link that answers this page.
    pub fn link(&self) -> String {
        let start = self.raw.find("http://127.0.0.1:").expect("a link in the mail");
        let rest = &self.raw[start..];
        let end = rest.find(|c: char| c.is_whitespace() || matches!(c, '"' | '<' | '>')).unwrap_or(rest.len());
        rest[..end].to_owned()
    }
}

/// Quoted-printable as far as links need it: lines that go on, and the sign that says so.
fn unfolded(text: &str) -> String {
    text.replace("\r\n", "\n").replace("=\n", "").replace("=3D", "=")
}

/// Exim demands a configuration that only root may write, and its own folders.
fn set_up_room(dir: &TempDir, port: u16) -> PathBuf {
    let path = dir.path();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    let user = uzers::get_user_by_name(EXIM).expect("exim's package makes its user");
    let own = |name: &str| chown(path.join(name), Some(user.uid()), Some(user.primary_group_id())).unwrap();
    for folder in ["spool", "maildir", "logs"] {
        fs::create_dir(path.join(folder)).unwrap();
        own(folder);
    }
    fs::write(path.join("cert.pem"), CERTIFICATE).unwrap();
    fs::write(path.join("key.pem"), KEY).unwrap();
    own("key.pem");
    // Where exim's user may run it, whatever folder the tests were built in.
    fs::copy(env!("CARGO_BIN_EXE_stentor"), path.join("stentor")).unwrap();
    let config = path.join("exim.conf");
    fs::write(&config, CONFIGURATION.replace("DIR", path.to_str().unwrap()).replace("PORT", &port.to_string()))
        .unwrap();
    fs::set_permissions(&config, fs::Permissions::from_mode(0o644)).unwrap();
    config
}

/// TLS first, then a login, then mail to anybody; refusals by the mailbox's name.
const CONFIGURATION: &str = r#"
primary_hostname = mail.lab.test
qualify_domain = lab.test
local_interfaces = 127.0.0.1
daemon_smtp_ports = PORT
spool_directory = DIR/spool
log_file_path = DIR/logs/%slog
pid_file_path = DIR/spool/exim.pid
tls_advertise_hosts = *
tls_certificate = DIR/cert.pem
tls_privatekey = DIR/key.pem
auth_advertise_hosts = ${if eq{$tls_in_cipher}{}{}{*}}
acl_smtp_rcpt = acl_rcpt
acl_smtp_data = accept
never_users =
exim_user = Debian-exim
keep_environment =
disable_ipv6 = true
log_selector = +tls_cipher +received_recipients
begin acl
acl_rcpt:
  deny !encrypted = *
       message = TLS first
  deny !authenticated = *
       message = authentication required
  defer condition = ${if match{$local_part}{^tempfail}}
        !condition = ${if exists{DIR/mended}}
        message = try later
  deny condition = ${if match{$local_part}{^perm}}
       message = no such user
  accept
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${if and{{eq{$auth2}{alerts}}{eq{$auth3}{mail-secret-4711}}}}
  server_set_id = $auth2
  server_advertise_condition = ${if def:tls_in_cipher}
begin routers
back:
  driver = accept
  domains = desk.example
  local_parts = stentor
  transport = stentor
fails:
  driver = redirect
  local_parts = ^bounce
  allow_fail
  data = :fail: no such mailbox
all:
  driver = accept
  transport = folder
begin transports
stentor:
  driver = pipe
  command = DIR/stentor --socket DIR/stentor.sock mail-in
  user = Debian-exim
  group = Debian-exim
  temp_errors = 75
  return_fail_output
folder:
  driver = appendfile
  directory = DIR/maildir
  maildir_format
  create_directory
  user = Debian-exim
  group = Debian-exim
  envelope_to_add
begin retry
* * F,1h,1m
"#;
