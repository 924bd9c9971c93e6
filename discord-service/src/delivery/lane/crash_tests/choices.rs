//! Walks through all histories.

/// Goes through every sequence of choices, one after another.
pub(super) struct Choices {
    path: Vec<(usize, usize)>,
    at: usize,
    /// Crashes and bad answers in this history, and the most in any.
    evils: usize,
    evils_max: usize,
}

impl Choices {
    pub(super) fn new(evils_max: usize) -> Self {
        Self { path: Vec::new(), at: 0, evils: 0, evils_max }
    }

    #[track_caller]
    fn pick(&mut self, options: usize) -> usize {
        assert!(self.at < 5_000, "a history without an end");
        if self.at == self.path.len() {
            self.path.push((0, options));
        }
        self.at += 1;
        self.path[self.at - 1].0
    }

    /// The first option is good; the others may be taken `evils_max` times.
    #[track_caller]
    pub(super) fn evil(&mut self, options: usize) -> usize {
        if self.evils == self.evils_max {
            return 0;
        }
        let picked = self.pick(options);
        self.evils += usize::from(picked > 0);
        picked
    }

    /// Whether anything went wrong in this history.
    pub(super) const fn had_evil(&self) -> bool {
        self.evils > 0
    }

    /// Goes on to the next history. `false` after the last.
    pub(super) fn next(&mut self) -> bool {
        (self.at, self.evils) = (0, 0);
        while let Some((picked, options)) = self.path.pop() {
            if picked + 1 < options {
                self.path.push((picked + 1, options));
                return true;
            }
        }
        false
    }
}
