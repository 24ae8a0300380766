//! Throw-away directories.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::names::unique_name;
use crate::reaper::Reaper;

/// A directory that is removed when dropped, or when the test process ends.
#[derive(Debug)]
pub struct Scratch {
    path: PathBuf,
}

impl Scratch {
    /// Makes an empty directory whose name starts with `name`.
    #[must_use]
    pub fn new(name: &str) -> Scratch {
        let base = Reaper::of_this_process().directory();
        // A server that refuses to run as root must be able to reach its directory as another user.
        fs::set_permissions(base, fs::Permissions::from_mode(0o711)).expect("our own directory");
        let path = base.join(unique_name(name));
        fs::create_dir(&path).expect("a directory for test data");
        Scratch { path }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed now goes with the directory of the whole process.
        let _ = fs::remove_dir_all(&self.path);
    }
}
