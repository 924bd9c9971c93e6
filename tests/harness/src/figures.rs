//! How large the load tests are: fast by default, and with the full figures if
//! `SOAK=1` (`make soak`).

use std::io::Write as _;

/// Whether the full figures are asked for.
pub fn soak() -> bool {
    std::env::var_os("SOAK").is_some_and(|value| value == "1")
}

/// `fast` for `make test`, `full` for `make soak`.
pub fn scaled<T>(fast: T, full: T) -> T {
    if soak() { full } else { fast }
}

/// Prints a figure for people, which the test runner does not hide.
pub fn report(figure: &str) {
    let _ = writeln!(std::io::stderr(), "FIGURE: {figure}");
}
