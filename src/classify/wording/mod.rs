//! What a text resembles: which class shares most words with it, judged by labelled example messages.
//!
//! A wording nobody foresaw shares words with wordings somebody wrote down. [`examples`] are those, [`words`] takes a
//! message apart into features, [`learning`] weighs the features once, at the first text that needs it. The same examples
//! answer the same on every machine. The classifier asks where no rule decides, or only a weak one that comes with the
//! binary: [`Guess::outweighs`]. An answer is `weak`, bears the rule id [`RULE`] and names the words that spoke for it.

mod examples;
mod learning;
mod words;

use std::ops::Range;
use std::sync::LazyLock;

use super::class::{Class, Confidence};
use super::facts::{Facts, Step};
use crate::event::Hop;
use crate::event::vocabulary::ClosedEnum;
use learning::{MARGIN, STEP, Scores, Weights};
use words::{Circumstances, words_of_message};

/// Id of the rule that stands for an answer by resemblance.
pub const RULE: &str = "wording";

/// Words named as evidence.
const MOST_WORDS: usize = 3;
/// Fewer known features of a text say nothing.
const FEWEST_KNOWN: usize = 2;
/// Percent of [`MARGIN`] that a class leads the next one by to be named where no rule decides, …
const LEAD_ALONE: i64 = 8;
/// … and to be named instead of what a weak rule says. Likely ones know more than words: on messages that mislead, resemblance
/// was wrong where it contradicted them.
const LEAD_OVER_WEAK: i64 = 30;

static LEARNED: LazyLock<Weights> = LazyLock::new(|| Weights::learned_from(&examples::embedded()));

/// What the words of a text say of each class, whatever the circumstances.
#[derive(Debug)]
pub struct WordScores {
    scores: Scores,
    known: usize,
}

impl WordScores {
    /// Of an unwrapped text.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let mut found = Self { scores: [0; Class::KNOWN.len()], known: 0 };
        for scores in words_of_message(text).iter().filter_map(|word| LEARNED.of(word)) {
            add(&mut found.scores, scores);
            found.known += 1;
        }
        found
    }

    /// The class that leads in these circumstances; `None` when too little is known, or the leader says that nothing is said.
    /// `may_be_fine` says whether nothing may have failed.
    #[must_use]
    pub fn guess(&self, facts: &Facts<'_>, hop: Option<Hop>, may_be_fine: bool) -> Option<Guess> {
        let circumstances = Circumstances {
            step: step_of_examples(facts.step).as_str(),
            hop: hop.unwrap_or(Hop::Unknown).as_str(),
            status: facts.status.as_ref().map(|status| status.value),
            code: facts.code.as_ref().map(|code| code.value.as_ref()),
        };
        let mut scores = self.scores;
        circumstances.features().filter_map(|one| LEARNED.of(&one)).for_each(|more| add(&mut scores, more));
        let possible = |place: &usize| may_be_fine || Class::KNOWN.get(*place) != Some(&Class::None);
        let leader = |without: Option<usize>| {
            (0..scores.len())
                .filter(possible)
                .filter(|place| Some(*place) != without)
                .max_by_key(|place| scores[*place])
        };
        let first = leader(None)?;
        // Where the words alone say nothing, the circumstances do not tell the cause.
        let by_words = Class::KNOWN.iter().zip(&self.scores).max_by_key(|(_, score)| **score)?.0;
        if *by_words == Class::Unclassified {
            return None;
        }
        let second = leader(Some(first))?;
        let lead = (i64::from(scores[first]) - i64::from(scores[second])) * 100 / (MARGIN * i64::from(STEP));
        let class = *Class::KNOWN.get(first)?;
        let is_told = class != Class::Unclassified && self.known >= FEWEST_KNOWN && lead >= LEAD_ALONE;
        is_told.then_some(Guess { class, lead, places: (first, second) })
    }
}

/// The class that a text resembles most.
#[derive(Debug, Clone, Copy)]
pub struct Guess {
    /// The class.
    pub class: Class,
    /// By how much it leads the next one, in percent of [`MARGIN`].
    lead: i64,
    /// Places of the leader and the next one among the classes.
    places: (usize, usize),
}

impl Guess {
    /// Whether the resemblance counts more than a rule that is as sure as this and names another class.
    #[must_use]
    pub fn outweighs(&self, confidence: Confidence) -> bool {
        match confidence {
            Confidence::Weak => self.lead >= LEAD_OVER_WEAK,
            Confidence::Certain | Confidence::Likely | Confidence::Unknown => false,
        }
    }

    /// The words of `text` that spoke for the class more than for the next one, the strongest first.
    #[must_use]
    pub fn words<'t>(&self, text: &'t str) -> Vec<&'t str> {
        let (first, second) = self.places;
        let features = words_of_message(text);
        let mut speakers: Vec<(i32, Range<usize>)> = features
            .into_iter()
            .filter_map(|word| Some((LEARNED.of(&word).map(|scores| scores[first] - scores[second])?, word.span)))
            .filter(|(weight, _)| *weight > 0)
            .collect();
        speakers.sort_by_key(|(weight, span)| (-weight, span.start));
        speakers.into_iter().take(MOST_WORDS).filter_map(|(_, span)| text.get(span)).collect()
    }
}

fn add(sum: &mut Scores, more: &Scores) {
    sum.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
}

/// Examples tell steps as people tell them: a check of the credential is part of the request.
const fn step_of_examples(step: Step) -> Step {
    match step {
        Step::Credential | Step::Decision | Step::Challenge | Step::Connection => Step::Request,
        Step::StepUp => Step::Authorize,
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::{RULE, WordScores};
    use crate::classify::facts::facts_of;
    use crate::classify::testing::{CLASSIFIER, failed};
    use crate::classify::{Class, Confidence, Phase, TextCase};
    use crate::event::Hop;
    use crate::event::vocabulary::ClosedEnum;

    fn guess(type_name: &'static str, text: &'static str) -> Option<(Class, Vec<&'static str>)> {
        let event = failed(type_name, Hop::Upstream, |_| {});
        let guess = WordScores::of(text).guess(&facts_of(&event, None), Some(Hop::Upstream), false)?;
        Some((guess.class, guess.words(text)))
    }

    #[test]
    fn a_wording_nobody_foresaw_is_told_by_the_words_it_shares() {
        for (type_name, text, class) in [
            (
                "mcp.auth.authorize",
                "the state that came home is none that this process ever handed out",
                Class::PkceOrStateMismatch,
            ),
            ("mcp.auth.refresh", "the provider threw away the long lived refresh grant", Class::RefreshFailure),
            ("mcp.auth.registration", "they do not let strangers register clients on their own", Class::DcrUnsupported),
        ] {
            let (told, words) = guess(type_name, text).expect(text);
            assert_eq!(told, class, "{text}");
            assert!(!words.is_empty() && words.iter().all(|word| text.contains(word)), "{words:?}");
        }
    }

    #[test]
    fn words_that_nobody_ever_used_tell_nothing() {
        for text in ["", "zyx wvu tsr qpo", "¡…!"] {
            assert_eq!(guess("mcp.call.completed", text), None, "{text}");
        }
    }

    #[test]
    fn a_text_that_says_nothing_stays_unclassified_whatever_the_circumstances() {
        for phase in Phase::KNOWN {
            let case = TextCase { phase: *phase, ..TextCase::of("an unknown problem occurred, sorry about that") };
            let guess =
                WordScores::of(&case.message).guess(&facts_of(&case.as_event(), None), Some(Hop::Upstream), false);
            assert!(guess.is_none(), "{phase:?}: {guess:?}");
        }
    }

    #[test]
    fn a_verdict_by_resemblance_is_weak_and_names_its_words() {
        let case = TextCase {
            phase: Phase::Authorization,
            ..TextCase::of("the browser brought home a state that nobody here handed out")
        };
        let event = case.as_event();
        let verdict = CLASSIFIER.classify(&event);
        assert_eq!(
            (verdict.class, verdict.rule, verdict.confidence),
            (Class::PkceOrStateMismatch, RULE, Confidence::Weak)
        );
        assert!(
            verdict.evidence.iter().all(|(column, word)| *column == "message" && case.message.contains(word.as_ref()))
        );
    }

    #[test]
    fn no_resemblance_outweighs_more_than_a_weak_rule() {
        let text = "the token lacks the scope files.read";
        let event = failed("mcp.call.completed", Hop::Upstream, |_| {});
        let guess =
            WordScores::of(text).guess(&facts_of(&event, None), Some(Hop::Upstream), false).expect("known words");
        assert!(guess.outweighs(Confidence::Weak));
        assert!(!guess.outweighs(Confidence::Likely) && !guess.outweighs(Confidence::Certain));
    }
}
