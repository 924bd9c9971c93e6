//! Where each alert must come out: in one channel, or nowhere.

use std::{collections::BTreeMap, time::Duration};

use e2e::Stack;

/// The alerts of a test by their titles, which differ.
#[derive(Debug, Default)]
pub(crate) struct Books {
    /// In the order in which they were published.
    expected: Vec<(String, Option<u64>)>,
}

impl Books {
    /// The alert with this title belongs in this channel, or nowhere.
    pub(crate) fn expect(&mut self, title: &str, channel: Option<u64>) {
        self.expected.push((title.to_owned(), channel));
    }

    /// Waits until nothing waits any more. Then each alert must be shown once where it
    /// belongs, and nowhere else, and each channel in order.
    pub(crate) async fn settle(&self, stack: &Stack, channels: &[u64], limit: Duration) {
        stack.until_drained(limit).await;
        let mut found: BTreeMap<String, Vec<u64>> = BTreeMap::new();
        for channel in channels {
            for shown in stack.shown(*channel) {
                let copies = usize::try_from(shown.count).expect("a few");
                found.entry(shown.title).or_default().extend(std::iter::repeat_n(*channel, copies));
            }
        }
        let mut wrong = Vec::new();
        for (title, channel) in &self.expected {
            let shown = found.remove(title).unwrap_or_default();
            if shown != Vec::from_iter(*channel) {
                wrong.push(format!("{title:?} belongs in {channel:?} and is in {shown:?}"));
            }
        }
        wrong.extend(found.keys().map(|title| format!("nobody sent {title:?}")));
        let places: BTreeMap<&str, usize> =
            self.expected.iter().zip(0..).map(|((title, _), place)| (title.as_str(), place)).collect();
        for channel in channels {
            let shown = stack.shown(*channel);
            let order: Vec<_> = shown.iter().filter_map(|shown| places.get(shown.title.as_str())).collect();
            if !order.is_sorted() {
                wrong.push(format!("out of order in {channel}: {order:?}"));
            }
        }
        let dead = stack.dead_letters().await;
        wrong.extend(dead.iter().map(|letter| format!("dead: {letter:?}")));
        assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong[..wrong.len().min(20)].join("\n"));
        stack.assert_clean();
    }
}
