use std::collections::HashMap;

use sqlx::Pool;

use super::Bank;

/// What the tables say.
#[derive(Debug)]
pub struct Ledger {
    /// Status and kind of response of each key.
    pub rows: HashMap<String, (String, Option<String>)>,
    /// The effects of each key that has any.
    pub effects: HashMap<String, i64>,
}

impl Ledger {
    /// Reads the tables.
    pub async fn read<S: Bank>(pool: &Pool<S::Database>) -> Ledger {
        // The effects first: what is done meanwhile has a row by then.
        let effects = S::effects(pool).await;
        let rows = S::rows(pool).await.into_iter().map(|(key, status, kind)| (key, (status, kind))).collect();
        Ledger { rows, effects }
    }

    /// The keys that are not done.
    #[must_use]
    pub fn unfinished(&self) -> Vec<String> {
        let open = self.rows.iter().filter(|(_, (status, _))| status != "COMPLETED");
        open.map(|(key, _)| key.clone()).collect()
    }

    /// What must not be: a finished key without exactly one effect, a refused one with an effect, an effect without a key.
    #[must_use]
    pub fn violations(&self) -> Vec<String> {
        let mut violations = Vec::new();
        for (key, (status, kind)) in &self.rows {
            let effects = self.effects.get(key).copied().unwrap_or(0);
            let expected = i64::from(status == "COMPLETED" && kind.as_deref() == Some("SUCCESS"));
            if effects != expected {
                violations.push(format!("{key} is {status} {kind:?} and has {effects} effects"));
            }
        }
        for (key, effects) in &self.effects {
            if !self.rows.contains_key(key) {
                violations.push(format!("{key} has {effects} effects and no row"));
            }
        }
        violations
    }

    /// The keys that are not what somebody was answered.
    #[must_use]
    pub fn contradictions(&self, answered: &HashMap<String, String>) -> Vec<String> {
        let is = |key| self.rows.get(key).and_then(|(_, kind)| kind.as_ref());
        let wrong = answered.iter().filter(|(key, answer)| is(*key) != Some(*answer));
        wrong
            .map(|(key, answer)| format!("{key} was answered {answer} and is {:?}", self.rows.get(key)))
            .collect()
    }
}
