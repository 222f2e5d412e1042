//! The fonts inside the program, so that text looks the same on every machine.

/// Noto Sans: Latin and Greek.
pub static LATIN: &[u8] = include_bytes!("../../assets/fonts/NotoSans-LatinGreek-subset.ttf");
/// Noto Sans Math: signs and operators.
pub static MATH: &[u8] = include_bytes!("../../assets/fonts/NotoSansMath-subset.ttf");
/// Noto Sans CJK SC: the 3755 commonest Chinese characters.
pub static CJK: &[u8] = include_bytes!("../../assets/fonts/NotoSansCJKsc-GB2312L1-math.otf");
