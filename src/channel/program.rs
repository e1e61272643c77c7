//! Runs one program once: without a shell, with its own environment and a limit for its output. It is killed with all
//! its children when nobody waits for it any more.

use rustix::process::{Pid, Signal, kill_process_group};
use std::{
    io,
    os::unix::process::ExitStatusExt,
    path::Path,
    process::{ExitStatus, Stdio},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    process::{Child, Command},
};

/// How much of a program's standard output, and of its standard error, is kept, in bytes.
pub const OUTPUT_MAX: usize = 16 * 1024;

/// How long a program's output is still read after it has ended: a child that it left behind may hold it open.
const LAST_WORDS: Duration = Duration::from_millis(250);

/// How a program ended, and its output.
#[derive(Debug)]
pub(crate) struct ProgramExit {
    pub status: ExitStatus,
    pub output: String,
    pub errors: String,
}

/// Kills the program's process group when dropped, unless the program has ended by itself.
struct ProcessGroup(Option<Pid>);

impl Drop for ProcessGroup {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // The group may have ended in between; there is nobody left to report an error to.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

/// Runs it with `input` as its standard input. When the future is dropped, the program and its children are killed.
pub(crate) async fn run(
    program: &Path,
    arguments: &[String],
    environment: &[(String, String)],
    input: &[u8],
) -> io::Result<ProgramExit> {
    let mut child = Command::new(program)
        .args(arguments)
        .env_clear()
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .current_dir("/")
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let id = child.id().and_then(|id| i32::try_from(id).ok());
    let mut group = ProcessGroup(id.and_then(Pid::from_raw));
    let ended = attend(&mut child, input).await?;
    // It has been waited for: its process id may soon be reused.
    group.0 = None;
    Ok(ended)
}

async fn attend(child: &mut Child, input: &[u8]) -> io::Result<ProgramExit> {
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (mut output, mut errors) = (Vec::new(), Vec::new());
    let mut talk = Box::pin(async {
        let speak = async {
            if let Some(mut stdin) = stdin {
                // A program may end without reading its input.
                let _ = stdin.write_all(input).await;
            }
        };
        tokio::join!(speak, listen(stdout, &mut output), listen(stderr, &mut errors));
    });
    let status = tokio::select! {
        () = &mut talk => child.wait().await?,
        status = child.wait() => {
            // Reads what is left in the pipes, but does not wait for other processes that hold them open.
            let _ = tokio::time::timeout(LAST_WORDS, &mut talk).await;
            status?
        }
    };
    drop(talk);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok(ProgramExit { status, output: text(&output), errors: text(&errors) })
}

/// Keeps the beginning, and continues to read so that a full pipe does not block the program.
async fn listen(pipe: Option<impl AsyncRead + Unpin>, kept: &mut Vec<u8>) {
    let Some(mut pipe) = pipe else { return };
    let mut buffer = [0; 4096];
    while let Ok(read @ 1..) = pipe.read(&mut buffer).await {
        let room = OUTPUT_MAX - kept.len();
        kept.extend_from_slice(&buffer[..read.min(room)]);
    }
}

/// The signal that ended it, if one did.
pub(crate) fn signal_of(status: ExitStatus) -> Option<i32> {
    status.signal()
}
