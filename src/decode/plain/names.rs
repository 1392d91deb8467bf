//! What a member name stands for, by one look into a table that is made at compile time from the table of fields.

use super::reader::Key;
use crate::event::FieldId;
use crate::event::fields::with_event_fields;

/// An object of the contract: the CloudEvent, its `data`, or a group in `data`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Group(u8);

impl Group {
    /// The CloudEvent itself.
    pub const ENVELOPE: Self = Self(u8::MAX);
    /// `data` itself: the group `""` of the table.
    const DATA: Self = Self(0);

    /// The bit that says that the group was read.
    pub const fn bit(self) -> u32 {
        1 << self.0
    }
}

/// The bit that says that `data.attributes` was read; groups have those below.
pub const ATTRIBUTES_BIT: u32 = 1 << 23;

/// A member of the CloudEvent beside `data`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Envelope {
    /// `specversion`.
    SpecVersion,
    /// `id`.
    Id,
    /// `source`.
    Source,
    /// `type`.
    Type,
    /// `time`.
    Time,
    /// `datacontenttype`.
    DataContentType,
    /// `traceparent`.
    TraceParent,
}

impl Envelope {
    /// The bit that says that the member was read.
    pub const fn bit(self) -> u32 {
        1 << (24 + self as u32)
    }
}

/// What a member name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Member {
    /// A field of the event.
    Field(FieldId),
    /// A group of fields.
    Group(Group),
    /// `data.attributes`.
    Attributes,
    /// A member of the envelope.
    Envelope(Envelope),
}

/// One name in one object.
struct Entry {
    group: Group,
    name: &'static str,
    head: u64,
    tail: u64,
    member: Member,
}

const fn entry(group: Group, name: &'static str, member: Member) -> Entry {
    let bytes = name.as_bytes();
    let tail = if bytes.len() > 8 { word_of(bytes.split_at(bytes.len() - 8).1) } else { 0 };
    Entry { group, name, head: word_of(bytes), tail, member }
}

/// The first eight bytes as a number, zeros after the end; as [`Key`] has them.
const fn word_of(bytes: &[u8]) -> u64 {
    let mut word = [0; 8];
    let mut index = 0;
    while index < bytes.len() && index < word.len() {
        word[index] = bytes[index];
        index += 1;
    }
    u64::from_le_bytes(word)
}

macro_rules! define_entries {
    ($($group:literal { $($(#[$doc:meta])* $field:ident: $kind:ty = $key:literal;)+ })+) => {
        /// The names of the groups; a group's number is its place.
        const GROUPS: &[&str] = &[$($group,)+];

        const ENTRIES: &[Entry] = &[
            entry(Group::ENVELOPE, "specversion", Member::Envelope(Envelope::SpecVersion)),
            entry(Group::ENVELOPE, "id", Member::Envelope(Envelope::Id)),
            entry(Group::ENVELOPE, "source", Member::Envelope(Envelope::Source)),
            entry(Group::ENVELOPE, "type", Member::Envelope(Envelope::Type)),
            entry(Group::ENVELOPE, "time", Member::Envelope(Envelope::Time)),
            entry(Group::ENVELOPE, "datacontenttype", Member::Envelope(Envelope::DataContentType)),
            entry(Group::ENVELOPE, "traceparent", Member::Envelope(Envelope::TraceParent)),
            entry(Group::ENVELOPE, "data", Member::Group(Group::DATA)),
            entry(Group::DATA, "attributes", Member::Attributes),
            $(entry(Group::DATA, $group, Member::Group(group_named($group))),)+
            $($(entry(group_named($group), $key, Member::Field(FieldId::$field)),)+)+
        ];
    };
}
with_event_fields!(define_entries);

/// The group of this name, which must stand in the table.
const fn group_named(name: &str) -> Group {
    let mut number = 0;
    while !is_same(GROUPS[number as usize].as_bytes(), name.as_bytes()) {
        number += 1;
    }
    Group(number)
}

const fn is_same(left: &[u8], right: &[u8]) -> bool {
    if left.len() != right.len() {
        return false;
    }
    let mut index = 0;
    while index < left.len() {
        if left[index] != right[index] {
            return false;
        }
        index += 1;
    }
    true
}

/// Ten times as many places as names, so that nearly all names stand in their own.
const PLACES: usize = 1024;

const _: () = assert!(GROUPS[0].is_empty() && GROUPS.len() < ATTRIBUTES_BIT.trailing_zeros() as usize);

/// For each place 0, or the number of the entry that stands there plus 1; the next ones hold those that found it taken.
static TABLE: [u8; PLACES] = {
    let mut table = [0; PLACES];
    let mut number = 0;
    while number < ENTRIES.len() {
        let entry = &ENTRIES[number];
        let mut place = place_of(entry.group, entry.head, entry.name.len());
        while table[place] != 0 {
            place = (place + 1) % PLACES;
        }
        number += 1;
        // The group "" is `data` itself and no member of it.
        if !entry.name.is_empty() {
            assert!(number <= u8::MAX as usize, "the table of places holds 255 names");
            #[expect(clippy::cast_possible_truncation, reason = "asserted just above, at compile time")]
            let stored = number as u8;
            table[place] = stored;
        }
    }
    table
};

/// Where a name is looked for first: the upper bits of a product with an odd number (one of MurmurHash3's).
const fn place_of(group: Group, head: u64, length: usize) -> usize {
    let mixed = head ^ ((length as u64) << 59) ^ ((group.0 as u64) << 50);
    let upper = mixed.wrapping_mul(0xc4ce_b9fe_1a85_ec53) >> (u64::BITS - PLACES.trailing_zeros());
    #[expect(clippy::cast_possible_truncation, reason = "the upper bits are below PLACES")]
    let place = upper as usize;
    place
}

/// What `key` stands for in the object of `group`; `None` when the contract has no such member.
#[inline]
pub fn find(group: Group, key: Key<'_>) -> Option<Member> {
    let mut place = place_of(group, key.head, key.text.len());
    loop {
        let number = usize::from(TABLE[place]).checked_sub(1)?;
        let entry = &ENTRIES[number];
        let same_ends = (entry.head == key.head) & (entry.tail == key.tail) & (entry.group.0 == group.0);
        // Ends of eight bytes each are the whole of a name of up to sixteen.
        let same_length = entry.name.len() == key.text.len();
        if same_ends & same_length && (key.text.len() <= 16 || entry.name == key.text) {
            return Some(entry.member);
        }
        place = (place + 1) % PLACES;
    }
}
