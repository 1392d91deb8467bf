//! Dictionary columns: each different value once, and for each row the number of its value.
//!
//! The numbers take one byte while a batch has at most 256 values, two up to 65,536, else four: the body is smaller, and
//! ClickHouse takes the numbers over as they are.

use std::sync::Arc;

use arrow_array::builder::{PrimitiveBuilder, StringBuilder};
use arrow_array::types::{ArrowDictionaryKeyType, UInt8Type, UInt16Type, UInt32Type};
use arrow_array::{Array, ArrayRef, DictionaryArray, PrimitiveArray, StringArray};
use arrow_schema::ArrowError;

use super::interner::Interner;

/// Stands for NULL among the numbers of rows.
const NULL: u32 = u32::MAX;

/// Text from a small set.
#[derive(Debug, Default)]
pub struct Dictionary {
    interner: Interner,
    rows: Vec<u32>,
}

impl Dictionary {
    /// Appends one row's text; `None` is NULL.
    pub fn push(&mut self, text: Option<&str>) {
        let number = text.map_or(NULL, |text| self.interner.intern(text.as_bytes()).0);
        self.rows.push(number);
    }

    /// The finished column; this one is empty again.
    ///
    /// # Errors
    /// When Arrow finds a number without a value, or a value that is no text.
    pub fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        let mut values = StringBuilder::with_capacity(self.interner.count(), 0);
        for value in self.interner.values() {
            let text =
                std::str::from_utf8(value).map_err(|error| ArrowError::InvalidArgumentError(error.to_string()))?;
            values.append_value(text);
        }
        self.interner.clear();
        dictionary(&std::mem::take(&mut self.rows), values.finish())
    }
}

/// Values that are written out only when they are new: rows are told apart by a signature.
#[derive(Debug, Default)]
pub struct SignedDictionary {
    interner: Interner,
    values: StringBuilder,
    value: String,
    rows: Vec<u32>,
}

impl SignedDictionary {
    /// Appends one row: the value of this signature, which `write` appends to an empty text when it is new.
    pub fn push(&mut self, signature: &[u8], write: impl FnOnce(&mut String)) {
        let (number, is_new) = self.interner.intern(signature);
        if is_new {
            self.value.clear();
            write(&mut self.value);
            self.values.append_value(&self.value);
        }
        self.rows.push(number);
    }

    /// The finished column; this one is empty again.
    ///
    /// # Errors
    /// When Arrow finds a number without a value.
    pub fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        self.interner.clear();
        dictionary(&std::mem::take(&mut self.rows), self.values.finish())
    }
}

fn dictionary(rows: &[u32], values: StringArray) -> Result<ArrayRef, ArrowError> {
    let values = Arc::new(values);
    match values.len() {
        0..=0x100 => Ok(Arc::new(DictionaryArray::try_new(numbers::<UInt8Type>(rows), values)?)),
        0x101..=0x1_0000 => Ok(Arc::new(DictionaryArray::try_new(numbers::<UInt16Type>(rows), values)?)),
        _ => Ok(Arc::new(DictionaryArray::try_new(numbers::<UInt32Type>(rows), values)?)),
    }
}

/// The rows' numbers in the width of the key type, which is wide enough for every number that has a value.
fn numbers<K: ArrowDictionaryKeyType>(rows: &[u32]) -> PrimitiveArray<K>
where
    K::Native: TryFrom<u32>,
{
    let mut numbers = PrimitiveBuilder::with_capacity(rows.len());
    for number in rows {
        let narrowed = (*number != NULL).then(|| K::Native::try_from(*number).unwrap_or_default());
        numbers.append_option(narrowed);
    }
    numbers.finish()
}
