use tokio::io::{AsyncBufReadExt, BufReader, stdin};

/// Says that this worker is ready, and waits for the word to start. When the parent is gone there is no word.
pub(crate) async fn line_up() {
    println!("ready");
    let mut line = String::new();
    let mut input = BufReader::new(stdin());
    let read = input.read_line(&mut line).await.expect("the parent's word");
    assert!(read > 0, "the parent is gone");
}
