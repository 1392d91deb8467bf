//! Delivers one plan, exactly once, whatever fails.
//!
//! Words used here. A **plan** is a range of offsets of one partition; its **bodies**, one a table, were made before and
//! never change. A body is inserted under a **token**, which ClickHouse takes once: the same token again is confirmed and
//! stores nothing. An insert is **confirmed** when ClickHouse answered well. Delivery is in **doubt** from the first insert
//! that was not confirmed, and from the start when the plan is **replayed**, because its first owner may have got anywhere.
//! A **read-back** asks which rows of the range are stored; those of the bodies that are not are **missing**. A **repair**
//! inserts rows that are missing although an insert of them was confirmed.
//!
//! Why it is not enough to send the same bytes under the same token until they are confirmed:
//! - ClickHouse writes a token down before it places the part. Killed in between, it confirms every later attempt and has
//!   no rows. So in doubt a confirmation proves nothing, and only a read-back ends delivery.
//! - It remembers a bounded number of tokens. An attempt that comes after thousands of other inserts would be stored a
//!   second time. So in doubt a read-back also comes *before* every insert, and only what is missing is sent.
//!
//! What keeps a late copy of an earlier attempt (a **zombie**: slow in the network, or of an owner that was paused) from
//! being stored beside ours: rows are only ever sent under the plan's token, then under repair 1, 2, …, by every owner in
//! this order, and the next one is used only after the one before was confirmed, hence taken. So a zombie comes with a
//! token that is taken, or takes it itself before our next read-back.
//!
//! Views are filled from the rows of an insert, so in doubt they may lack rows that the table has. They hold nothing but
//! idempotent aggregates, and are filled again for the whole range at the end ([`views`](super::views)).
//!
//! [`Delivery`] is the pure part: no clock, no connection. [`deliver`] carries out its commands.

mod driver;
mod machine;
mod pause;
#[cfg(test)]
mod tests;

pub use driver::{Delivered, DeliveryEvent, Patience, deliver, deliver_within};
pub use machine::{Command, Delivery, Heard};
pub use pause::Pause;
