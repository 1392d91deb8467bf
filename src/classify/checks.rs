//! What is checked of all rules together: that somebody acts on each, and that each can fire.

use super::class::Class;
use super::dead::{Dead, why_dead};
use super::parse::Reader;
use super::rules::{Rule, every_hop};
use crate::event::vocabulary::ClosedEnum;

impl Reader {
    /// Notes every rule of a class on which nobody acts.
    pub(super) fn check_who_acts(&mut self) {
        let mut missing = Vec::new();
        for (rule, place) in &self.rules {
            let usual = every_hop().all(|hop| self.who_acts.contains_key(&(rule.class, hop)));
            if rule.who_acts.is_none() && rule.class != Class::None && !usual {
                missing.push((place.clone(), rule.class));
            }
        }
        for (place, class) in missing {
            let class = class.as_str();
            self.fault_at(&place, format!("nobody acts on `{class}`: name `who_acts` here or in the table at the top"));
        }
    }

    /// Notes every rule that can never fire. A built-in one that an own rule covers was meant to be covered; every other is
    /// a mistake.
    pub(super) fn check_dead_rules(&mut self) {
        let last_source = self.current.number;
        let rules: Vec<Rule> = self.rules.iter().map(|(rule, _)| rule.clone()).collect();
        let mut dead = Vec::new();
        for (at, (rule, place)) in self.rules.iter().enumerate() {
            let reason = match why_dead(&rules, at) {
                None => continue,
                Some(Dead::Contradiction) => "its condition contradicts itself".to_owned(),
                Some(Dead::Behind(first)) => {
                    let Some((first, of_first)) = self.rules.get(first) else { continue };
                    if of_first.source == last_source && place.source != last_source {
                        continue;
                    }
                    format!("`{}` ({}) comes first whenever it would", first.id, of_first.file)
                }
            };
            dead.push((place.clone(), format!("rule `{}` can never fire: {reason}", rule.id)));
        }
        for (place, problem) in dead {
            self.fault_at(&place, problem);
        }
    }
}
