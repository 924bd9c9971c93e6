//! Pictures of the sandbox's page with real alerts in it: `make screenshots` writes
//! those of the README. With a folder as its argument it shows every payload of the
//! fixtures instead, as a desktop and a phone show it, in each style.

mod gallery;
mod readme;
mod studio;

use std::path::PathBuf;

#[tokio::main]
async fn main() {
    match std::env::args_os().nth(1) {
        Some(folder) => gallery::paint(&PathBuf::from(folder)).await,
        None => readme::paint(&harness::workspace_root().join("docs/images")).await,
    }
}
