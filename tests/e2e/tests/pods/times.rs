//! What was measured, for people.

use std::{collections::BTreeMap, fmt, time::Duration};

/// How long things took, by what happened.
#[derive(Debug, Default)]
pub(crate) struct Times(BTreeMap<&'static str, Vec<Duration>>);

impl Times {
    pub(crate) fn note(&mut self, what: &'static str, time: Duration) {
        self.0.entry(what).or_default().push(time);
    }

    /// Each of these took no longer than `bound`.
    pub(crate) fn assert_within(&self, what: &str, bound: Duration) {
        let times = self.0.get(what).expect("it was measured");
        assert!(times.iter().all(|time| *time <= bound), "{what} took longer than {bound:?}: {times:?}");
    }
}

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (what, times)) in self.0.iter().enumerate() {
            let mut sorted = times.clone();
            sorted.sort();
            let (median, worst) = (sorted[(sorted.len() - 1) / 2], sorted[sorted.len() - 1]);
            let separator = if place == 0 { "" } else { "; " };
            write!(f, "{separator}{what} (of {}): median {median:.1?}, worst {worst:.1?}", times.len())?;
        }
        Ok(())
    }
}
