//! The process's bound on open files.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises the soft bound on open files to the hard one, so that ten thousand connections fit, and
/// gives the bound that holds then (`u64::MAX` where there is none). Where it cannot be raised, it
/// stays as it is.
pub fn raise_file_limit() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        let raised = Rlimit {
            current: limit.maximum,
            maximum: limit.maximum,
        };
        // A bound that stays low shows as refused connections; it is no reason not to serve.
        let _ = setrlimit(Resource::Nofile, raised);
    }
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_soft_limit_becomes_the_hard_one() {
        let limit = raise_file_limit();
        assert_eq!(
            Some(limit),
            getrlimit(Resource::Nofile).maximum.or(Some(u64::MAX))
        );
    }
}
