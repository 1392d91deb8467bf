//! The prefilter for processors with AVX2: 32 bytes at once, looked up by their halves.
//!
//! A set of bytes is a *rectangle* when it is all pairs of some upper and some lower four bits. Eight such sets fit into two
//! tables of sixteen bytes, a bit for each set, and `vpshufb` looks 32 bytes up in one instruction: the sets a byte is in
//! are what both tables say. A trigger is a row of up to three such sets.
//! One of the four files that may hold `unsafe`: a function for newer processors is called once it is known that this is one.
#![cfg_attr(target_arch = "x86_64", expect(unsafe_code, reason = "a call of what only some processors can run"))]

use super::Marks;

/// Marks each block of the text, as many as there is room for; `false`, and nothing done, where the processor lacks AVX2.
#[cfg(target_arch = "x86_64")]
pub(super) fn mark(text: &[u8], marks: &mut [Marks]) -> bool {
    if !std::arch::is_x86_feature_detected!("avx2") {
        return false;
    }
    // SAFETY: the processor has AVX2.
    unsafe { vectors::mark(text, marks) };
    true
}

/// Elsewhere the plain loops do it.
#[cfg(not(target_arch = "x86_64"))]
pub(super) fn mark(_: &[u8], _: &mut [Marks]) -> bool {
    false
}

#[cfg(target_arch = "x86_64")]
mod vectors {
    use super::super::{BLOCK, Marks, WINDOW, with_window};
    use std::arch::x86_64::{
        __m256i, _mm256_and_si256, _mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_movemask_epi8, _mm256_or_si256,
        _mm256_set1_epi8, _mm256_setr_epi64x, _mm256_setzero_si256, _mm256_shuffle_epi8, _mm256_srli_epi16,
    };

    /// Halves of a byte, a bit for each of the sixteen.
    #[derive(Clone, Copy)]
    struct Rectangle {
        upper: u16,
        lower: u16,
    }

    /// The rectangle of these upper and lower halves.
    const fn rectangle(upper: &[u8], lower: &[u8]) -> Rectangle {
        Rectangle { upper: set_of(upper), lower: set_of(lower) }
    }

    const fn set_of(halves: &[u8]) -> u16 {
        let mut set = 0;
        let mut at = 0;
        while at < halves.len() {
            set |= 1 << halves[at];
            at += 1;
        }
        set
    }

    /// One byte.
    const fn byte(byte: u8) -> Rectangle {
        rectangle(&[byte >> 4], &[byte & 15])
    }

    /// A small letter and its capital; another byte is only itself.
    const fn letter(small: u8) -> Rectangle {
        if small.is_ascii_lowercase() { rectangle(&[small >> 4, (small >> 4) - 2], &[small & 15]) } else { byte(small) }
    }

    const NONE: Rectangle = rectangle(&[], &[]);
    const ANY: Rectangle = Rectangle { upper: u16::MAX, lower: u16::MAX };

    /// Which of eight sets the bytes of an upper or lower half are in.
    type Table = [u8; 16];

    /// The tables of eight sets: by the upper, by the lower half.
    const fn tables(sets: [Rectangle; 8]) -> [Table; 2] {
        let mut tables = [[0; 16]; 2];
        let mut set = 0;
        while set < 8 {
            let mut half = 0;
            while half < 16 {
                tables[0][half] |= ((sets[set].upper >> half & 1) as u8) << set;
                tables[1][half] |= ((sets[set].lower >> half & 1) as u8) << set;
                half += 1;
            }
            set += 1;
        }
        tables
    }

    /// The first bytes of separators and dashes: `= : >`, `%`, `&`, `\`, quotes, `;`, `-`.
    const MARK_FIRST: [Table; 2] = tables([
        rectangle(&[3], &[0xA, 0xD, 0xE]),
        byte(b'%'),
        byte(b'&'),
        byte(b'\\'),
        rectangle(&[2], &[2, 7]),
        byte(b';'),
        byte(b'-'),
        byte(b'-'),
    ]);

    /// What must follow each of them; `# g a` and `- b` are no rectangles, so these two take other bytes along.
    const MARK_SECOND: [Table; 2] = tables([
        ANY,
        rectangle(&[3], &[2, 3, 7]),
        rectangle(&[2, 6], &[1, 3, 7]),
        rectangle(&[7], &[5, 8]),
        byte(b','),
        byte(b','),
        rectangle(&[2, 6], &[2, 0xD]),
        rectangle(&[7], &[0, 5]),
    ]);

    /// The three letters by which words are known.
    const WORDS: [[u8; 3]; 8] = [*b"bea", *b"bas", *b"pop", *b"var", *b"oke", *b"ord", *b"ret", *b"ey "];

    const fn nth_letters(nth: usize) -> [Table; 2] {
        let mut sets = [NONE; 8];
        let mut word = 0;
        while word < WORDS.len() {
            sets[word] = letter(WORDS[word][nth]);
            word += 1;
        }
        tables(sets)
    }

    const WORD_FIRST: [Table; 2] = nth_letters(0);
    const WORD_SECOND: [Table; 2] = nth_letters(1);
    const WORD_THIRD: [Table; 2] = nth_letters(2);

    /// Token letters: letters, digits, `+ - . /`, `_`, `~`.
    const TOKEN: [Table; 2] = tables([
        rectangle(&[4, 6], &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]),
        rectangle(&[5, 7], &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
        rectangle(&[3], &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
        rectangle(&[2], &[0xB, 0xD, 0xE, 0xF]),
        byte(b'_'),
        byte(b'~'),
        NONE,
        NONE,
    ]);

    /// See [`super::mark`].
    #[target_feature(enable = "avx2")]
    pub(super) fn mark(text: &[u8], marks: &mut [Marks]) {
        for (index, marks) in marks.iter_mut().enumerate() {
            *marks = with_window(&text[index * BLOCK..], |window| mark_block(window));
        }
    }

    #[target_feature(enable = "avx2")]
    #[inline]
    fn mark_block(window: &[u8; WINDOW]) -> Marks {
        let (low_triggers, low_tokens) = mark_half(window, 0);
        let (high_triggers, high_tokens) = mark_half(window, BLOCK / 2);
        Marks {
            triggers: u64::from(low_triggers) | u64::from(high_triggers) << 32,
            tokens: u64::from(low_tokens) | u64::from(high_tokens) << 32,
        }
    }

    /// The triggers and the token letters of 32 bytes.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn mark_half(window: &[u8; WINDOW], from: usize) -> (u32, u32) {
        let first = Halves::of(load(window, from));
        let second = Halves::of(load(window, from + 1));
        let third = Halves::of(load(window, from + 2));
        let marks = _mm256_and_si256(first.sets(&MARK_FIRST), second.sets(&MARK_SECOND));
        let words = _mm256_and_si256(
            _mm256_and_si256(first.sets(&WORD_FIRST), second.sets(&WORD_SECOND)),
            third.sets(&WORD_THIRD),
        );
        (flags(_mm256_or_si256(marks, words)), flags(first.sets(&TOKEN)))
    }

    /// 32 bytes of the window from `from`, at most 34.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn load(window: &[u8; WINDOW], from: usize) -> __m256i {
        let bytes = &window[from..from + 32];
        // SAFETY: the slice is 32 bytes long; they need not be aligned.
        unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
    }

    /// 32 bytes, each split in two.
    struct Halves {
        upper: __m256i,
        lower: __m256i,
    }

    impl Halves {
        #[target_feature(enable = "avx2")]
        #[inline]
        fn of(bytes: __m256i) -> Self {
            let four_bits = _mm256_set1_epi8(15);
            Self {
                upper: _mm256_and_si256(_mm256_srli_epi16::<4>(bytes), four_bits),
                lower: _mm256_and_si256(bytes, four_bits),
            }
        }

        /// Which sets each byte is in.
        #[target_feature(enable = "avx2")]
        #[inline]
        fn sets(&self, [by_upper, by_lower]: &[Table; 2]) -> __m256i {
            let upper = _mm256_shuffle_epi8(twice(by_upper), self.upper);
            let lower = _mm256_shuffle_epi8(twice(by_lower), self.lower);
            _mm256_and_si256(upper, lower)
        }
    }

    /// The table for both lanes of a vector.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn twice(table: &Table) -> __m256i {
        let [low, high] =
            [table.first_chunk(), table.last_chunk()].map(|half| half.map_or(0, |eight| i64::from_le_bytes(*eight)));
        _mm256_setr_epi64x(low, high, low, high)
    }

    /// One bit for each byte that is in any set.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn flags(sets: __m256i) -> u32 {
        !_mm256_movemask_epi8(_mm256_cmpeq_epi8(sets, _mm256_setzero_si256())).cast_unsigned()
    }
}
