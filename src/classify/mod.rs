//! Which failure an event is, on which hop, and who has to act: rules as data over structured fields first, text last.
//!
//! The way of an event: [`classifier`] decides whether anything failed → [`facts`] reads what it says ([`unwrap`] takes
//! the wrapping off its text, [`said`] finds codes in it, [`reading`] remembers what a text said) → [`text`] matches the
//! patterns that [`candidates`] leaves, on one [`part`] after the other → the first rule of [`rules`] whose [`condition`] holds
//! decides; where none does, or only a weak one, what the text resembles ([`wording`]) → [`hop`] says where → [`fix`] words the
//! summary and what each of those concerned should do, from the texts in [`codes`], with what [`derived`] computes:
//! [`difference`] of two URLs, and how it is done in which of the [`clients`]. [`parse`] and [`parse_condition`] read the rules
//! files, [`own`] puts an operator's rules among them, [`dead`] finds rules that can never fire, [`explain`] shows all that fired.
//!
//! Pure: no I/O, no clock. What needs the history of many events is a finding, not a class.

pub mod access;
pub mod candidates;
pub mod checks;
pub mod class;
pub mod classifier;
pub mod clients;
pub mod codes;
pub mod condition;
pub mod dead;
pub mod derived;
pub mod difference;
pub mod ends_well;
pub mod eval;
pub mod explain;
pub mod facts;
pub mod fix;
pub mod hop;
pub mod labelled;
pub mod own;
pub mod parse;
pub mod parse_condition;
pub mod part;
pub mod reading;
pub mod required;
pub mod rules;
pub mod said;
pub mod spelling;
pub mod text;
pub mod text_case;
pub mod unwrap;
pub mod urls;
pub mod verdict;
pub mod wording;

pub use class::{Class, Confidence, WhoActs};
pub use classifier::Classifier;
pub use fix::Failure;
pub use rules::RulesError;
pub use text_case::{Phase, TextCase};
pub use verdict::Verdict;

#[cfg(test)]
mod fuzz_tests;
#[cfg(test)]
mod misleading_tests;
#[cfg(test)]
mod precedence_tests;
#[cfg(test)]
mod structure_tests;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod text_tests;
