//! The example does what the README says it does.

use std::process::Command;

#[test]
fn the_second_attempt_is_answered_like_the_first_and_charges_nothing() {
    let output = Command::new(env!("CARGO_BIN_EXE_quickstart")).output().expect("it starts");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(said, "attempt 1: balance 1500, replayed: false\nattempt 2: balance 1500, replayed: true\n");
}

#[test]
fn the_readme_shows_a_part_of_it() {
    let readme = include_str!("../../../README.md");
    let (_, rest) = readme.split_once("```rust\n").expect("an example");
    let (shown, _) = rest.split_once("```").expect("its end");
    assert!(
        include_str!("../src/main.rs").contains(shown),
        "README.md shows something else than src/main.rs"
    );
}
