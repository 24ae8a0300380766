//! Finding a server's programs, or saying how to get them.

use std::path::PathBuf;

/// Where packages put servers without putting them on a user's `PATH`.
const BESIDE_PATH: [&str; 5] =
    ["/usr/sbin", "/usr/local/sbin", "/usr/local/bin", "/opt/homebrew/bin", "/opt/homebrew/sbin"];

/// A server could not be had; the text is one line for whoever runs the tests.
#[derive(Debug)]
pub(crate) struct Unavailable(pub(crate) String);

/// What stands in for a server where its programs are missing.
pub(crate) struct Package {
    pub(crate) server: &'static str,
    pub(crate) apt: &'static str,
    pub(crate) brew: &'static str,
    pub(crate) variable: &'static str,
}

impl Package {
    /// Finds the first of `programs` that is installed.
    pub(crate) fn program(&self, programs: &[&str]) -> Result<PathBuf, Unavailable> {
        programs.iter().find_map(|name| find(name)).ok_or_else(|| {
            let Package { server, apt, brew, variable } = self;
            Unavailable(format!(
                "{server} is not installed ({} not found): apt-get install {apt}, or brew install {brew}, \
                 or set {variable} to the URL of one that runs",
                programs.join(" or ")
            ))
        })
    }
}

/// Where a program is, on the path or beside it.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(BESIDE_PATH.map(PathBuf::from))
        .chain(postgres_directories())
        .map(|directory| directory.join(name))
        .find(|program| program.is_file())
}

/// Debian keeps each PostgreSQL version's programs in a directory of its own: the newest first.
fn postgres_directories() -> Vec<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut directories: Vec<_> = versions
        .filter_map(|entry| {
            Some((entry.file_name().to_str()?.parse::<u32>().ok()?, entry.path().join("bin")))
        })
        .collect();
    directories.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    directories.into_iter().map(|(_, directory)| directory).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACKAGE: Package =
        Package { server: "Redis", apt: "redis-server", brew: "redis", variable: "TEST_REDIS_URL" };

    #[test]
    fn a_missing_server_is_one_line_that_says_what_to_install() {
        let Err(Unavailable(line)) = PACKAGE.program(&["no-such-server", "nor-this"]) else {
            panic!("it was found");
        };
        assert_eq!(
            line,
            "Redis is not installed (no-such-server or nor-this not found): apt-get install redis-server, \
             or brew install redis, or set TEST_REDIS_URL to the URL of one that runs"
        );
    }

    #[test]
    fn the_first_program_that_is_installed_is_taken() {
        assert!(PACKAGE.program(&["no-such-server", "sh"]).unwrap().ends_with("sh"));
    }
}
