//! File descriptors: how many this process may have, and how they are divided.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// The upper limit for connections of the TCP listener.
const TCP_MAX: usize = 10_000;

/// The upper limit for connections of the control socket.
const UNIX_MAX: usize = 256;

/// Descriptors that are reserved for the store, sends and programs, if there are enough.
const KEPT_MAX: usize = 2048;

/// With fewer connections than this, the start logs a message.
const FEW: usize = 1000;

/// How the descriptors are divided. The rest is reserved for the store, sends and programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Descriptors {
    /// Connections of the TCP listener.
    pub tcp: usize,
    /// Connections of the control socket.
    pub unix: usize,
}

impl Descriptors {
    /// Raises the soft limit of this process to the hard limit and divides the descriptors.
    pub fn claim() -> Self {
        let shared = Self::of(raise());
        if shared.tcp < FEW {
            let connections = shared.tcp;
            tracing::warn!(
                connections,
                "this process may open few files: raise its hard limit (LimitNOFILE, ulimit -Hn)"
            );
        }
        shared
    }

    /// Divides this many: a quarter is reserved, a sixteenth is for the control socket, the rest is for the TCP listener.
    pub fn of(all: usize) -> Self {
        let (kept, unix) = ((all / 4).min(KEPT_MAX), (all / 16).clamp(1, UNIX_MAX));
        Self { tcp: all.saturating_sub(kept + unix).clamp(1, TCP_MAX), unix }
    }
}

/// The number of descriptors that this process may have, after raising the limit as far as possible.
fn raise() -> usize {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    // `None` means that there is no limit.
    if current.is_some()
        && current != maximum
        && let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })
    {
        tracing::warn!(%error, "the soft limit of open files could not be raised to the hard one");
    }
    let allowed = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    usize::try_from(allowed).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_always_room_for_what_goes_out() {
        for (all, tcp, unix) in [
            (usize::MAX, 10_000, 256),
            (65_536, 10_000, 256),
            (4096, 2816, 256),
            (1024, 704, 64),
            (512, 352, 32),
            (64, 44, 4),
        ] {
            let shared = Descriptors::of(all);
            assert_eq!(shared, Descriptors { tcp, unix }, "{all}");
            assert!(shared.tcp + shared.unix <= all - all / 4 || 8192 < all, "{all}");
        }
        assert_eq!(Descriptors::of(0), Descriptors { tcp: 1, unix: 1 });
    }
}
