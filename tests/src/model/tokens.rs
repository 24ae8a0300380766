/// Tokens that follow one another, counted from the clock as it stands now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Tokens {
    pub(super) first: i16,
    pub(super) last: i16,
}

impl Tokens {
    /// Takes the first of them; none when they are used up.
    pub(super) fn take(&mut self) -> Option<i16> {
        let first = self.first;
        (first <= self.last).then(|| {
            self.first += 1;
            first
        })
    }

    /// Those that are left, if any are.
    pub(super) fn rest(self) -> Option<Self> {
        (self.first <= self.last).then_some(self)
    }

    pub(super) fn tick(&mut self, tokens: i16) {
        self.first -= tokens;
        self.last -= tokens;
    }
}
