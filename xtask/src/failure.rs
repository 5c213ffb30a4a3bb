//! The three ways a task ends badly, told apart by the exit code.

use std::fmt;

/// The arguments are wrong: exit code 2.
#[derive(Debug)]
struct Usage(String);

/// What is asked for cannot be had on this machine (no apt-get, no network): exit code 3.
///
/// Tests that need the sites take this code as "skip" and every other one as a failure.
#[derive(Debug)]
struct Unavailable(String);

impl fmt::Display for Usage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Display for Unavailable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}
impl std::error::Error for Unavailable {}

pub(crate) fn usage(message: impl Into<String>) -> anyhow::Error {
    Usage(message.into()).into()
}

pub(crate) fn unavailable(message: impl Into<String>) -> anyhow::Error {
    Unavailable(message.into()).into()
}

/// 2 for wrong arguments, 3 for what this machine cannot give, 1 for everything else.
pub(crate) fn exit_code(error: &anyhow::Error) -> u8 {
    if error.is::<Usage>() {
        2
    } else if error.is::<Unavailable>() {
        3
    } else {
        1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context;

    #[test]
    fn context_does_not_hide_the_exit_code() {
        let wrapped = Err::<(), _>(unavailable("no apt-get"))
            .context("sites")
            .unwrap_err();
        assert_eq!(exit_code(&wrapped), 3);
        assert_eq!(exit_code(&usage("what")), 2);
        assert_eq!(exit_code(&anyhow::anyhow!("else")), 1);
    }
}
