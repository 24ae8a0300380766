//! The guide says what every error means.

#[test]
fn every_error_is_in_the_guide() {
    let (_, rest) = include_str!("../src/error.rs").split_once("pub enum IdempotencyError {").unwrap();
    let (variants, _) = rest.split_once("\n}\n").unwrap();
    let names = variants.lines().filter_map(|line| line.strip_prefix("    ")).filter_map(|line| {
        let name: String = line.chars().take_while(char::is_ascii_alphanumeric).collect();
        name.starts_with(|first: char| first.is_ascii_uppercase()).then_some(name)
    });
    let names: Vec<_> = names.collect();
    assert!(names.len() > 10, "{names:?}");
    let guide = include_str!("../../docs/idempotency.md");
    // In the first cell of a row.
    let told = |name: &str| {
        guide
            .lines()
            .any(|line| line.split('|').nth(1).is_some_and(|cell| cell.contains(&format!("`{name}"))))
    };
    let missing: Vec<_> = names.iter().filter(|name| !told(name)).collect();
    assert!(missing.is_empty(), "{missing:?} are not in the table");
}
