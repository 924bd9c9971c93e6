//! The program from outside.

use std::process::{Command, Stdio};

const FIXTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/legacy/11_python_exception.json");

#[test]
fn it_stops_without_a_panic_where_nobody_reads_what_it_prints() {
    // Nobody listens there.
    let url = "https://127.0.0.1:1/sentry-bot/channel?id=42";
    let mut child = Command::new(env!("CARGO_BIN_EXE_sentry-sender"))
        .args(["--count", "1000", url, FIXTURE])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(
        (output.status.code(), &*said),
        (Some(1), "sentry-sender: cannot print: Broken pipe (os error 32)\n")
    );
}
