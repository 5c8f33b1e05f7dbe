//! Exact numbers: Terraform computes with 512 bits, so a number must come back exactly as it went out.

use std::cmp::Ordering;
use std::fmt;

/// Digits beyond this are no number anybody configures; the limit keeps an exponent from filling the memory.
const MOST_DIGITS: i64 = 5_000;

/// An exact decimal number in canonical form, so that equal numbers are equal values.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Number(Form);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Form {
    Integer(i64),
    /// Integers above `i64::MAX`.
    Unsigned(u64),
    /// Everything else: no exponent, no leading or trailing zeros.
    Decimal(String),
}

/// Why text is no number.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum NumberError {
    /// The text is not a decimal number.
    #[error("{0:?} is not a decimal number")]
    Malformed(String),
    /// The number has too many digits to be meant.
    #[error("the number has more than {MOST_DIGITS} digits")]
    TooLong,
    /// Infinity and not-a-number have no decimal form.
    #[error("the number is not finite")]
    NotFinite,
}

impl Number {
    /// Reads decimal text such as `12`, `-0.5` or `1e3`.
    pub fn parse(text: &str) -> Result<Self, NumberError> {
        if let Ok(number) = text.parse::<i64>() {
            return Ok(Self(Form::Integer(number)));
        }
        let malformed = || NumberError::Malformed(text.to_owned());
        let (negative, unsigned) = match text.as_bytes().first() {
            Some(b'-') => (true, &text[1..]),
            Some(b'+') => (false, &text[1..]),
            _ => (false, text),
        };
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().map_err(|_| malformed())?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = format!("{whole}{fraction}");
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(malformed());
        }
        // The decimal point stands after this many digits.
        let point = exponent.saturating_add(i64::try_from(whole.len()).map_err(|_| NumberError::TooLong)?);
        let length = i64::try_from(digits.len()).map_err(|_| NumberError::TooLong)?;
        let significant = digits.bytes().any(|byte| byte != b'0');
        if significant && (point.saturating_abs() > MOST_DIGITS || length > MOST_DIGITS) {
            return Err(NumberError::TooLong);
        }
        if !significant {
            return Ok(Self(Form::Integer(0)));
        }
        let (whole, fraction) = if point <= 0 {
            (String::new(), "0".repeat(usize::try_from(-point).unwrap_or_default()) + &digits)
        } else if point >= length {
            (digits.clone() + &"0".repeat(usize::try_from(point - length).unwrap_or_default()), String::new())
        } else {
            let (whole, fraction) = digits.split_at(usize::try_from(point).unwrap_or_default());
            (whole.to_owned(), fraction.to_owned())
        };
        Ok(Self::from_parts(negative, whole.trim_start_matches('0'), fraction.trim_end_matches('0')))
    }

    /// The exact value of a binary floating-point number, as the wire carries it.
    pub fn from_exact_float(number: f64) -> Result<Self, NumberError> {
        if !number.is_finite() {
            return Err(NumberError::NotFinite);
        }
        // 1074 decimals hold every f64 exactly.
        Self::parse(&format!("{number:.1074}"))
    }

    fn from_parts(negative: bool, whole: &str, fraction: &str) -> Self {
        let sign = if negative { "-" } else { "" };
        if fraction.is_empty() {
            if let Ok(number) = format!("{sign}{whole}").parse::<i64>() {
                return Self(Form::Integer(number));
            }
            if let (false, Ok(number)) = (negative, whole.parse::<u64>()) {
                return Self(Form::Unsigned(number));
            }
            return Self(Form::Decimal(format!("{sign}{whole}")));
        }
        let whole = if whole.is_empty() { "0" } else { whole };
        Self(Form::Decimal(format!("{sign}{whole}.{fraction}")))
    }

    /// The number as `i64`, if it is a whole number in range.
    pub fn as_i64(&self) -> Option<i64> {
        match self.0 {
            Form::Integer(number) => Some(number),
            _ => None,
        }
    }

    /// The number as `u64`, if it is a whole number in range.
    pub fn as_u64(&self) -> Option<u64> {
        match self.0 {
            Form::Integer(number) => u64::try_from(number).ok(),
            Form::Unsigned(number) => Some(number),
            Form::Decimal(_) => None,
        }
    }

    /// The nearest binary floating-point number.
    pub fn to_f64(&self) -> f64 {
        self.to_string().parse().unwrap_or(f64::NAN)
    }

    fn parts(&self) -> (bool, String, String) {
        let text = self.to_string();
        let (negative, unsigned) = match text.strip_prefix('-') {
            Some(unsigned) => (true, unsigned),
            None => (false, text.as_str()),
        };
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        (negative, whole.to_owned(), fraction.to_owned())
    }
}

impl fmt::Display for Number {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Form::Integer(number) => write!(formatter, "{number}"),
            Form::Unsigned(number) => write!(formatter, "{number}"),
            Form::Decimal(text) => formatter.write_str(text),
        }
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        if let (Form::Integer(one), Form::Integer(two)) = (&self.0, &other.0) {
            return one.cmp(two);
        }
        let (one_negative, one_whole, one_fraction) = self.parts();
        let (two_negative, two_whole, two_fraction) = other.parts();
        let magnitude = one_whole
            .len()
            .cmp(&two_whole.len())
            .then_with(|| one_whole.cmp(&two_whole))
            .then_with(|| one_fraction.cmp(&two_fraction));
        match (one_negative, two_negative) {
            (false, false) => magnitude,
            (true, true) => magnitude.reverse(),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
        }
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

macro_rules! from_integer {
    ($($kind:ty),*) => {$(
        impl From<$kind> for Number {
            fn from(number: $kind) -> Self {
                Self(Form::Integer(i64::from(number)))
            }
        }
    )*};
}
from_integer!(i32, i64, u16, u32);

impl From<u64> for Number {
    fn from(number: u64) -> Self {
        Self(i64::try_from(number).map_or(Form::Unsigned(number), Form::Integer))
    }
}

impl From<f64> for Number {
    /// The shortest decimal number that reads back as `number`: what somebody who wrote `0.1` means.
    /// What is not finite becomes zero, since Terraform has no such numbers.
    fn from(number: f64) -> Self {
        Self::parse(&format!("{number}")).unwrap_or(Self(Form::Integer(0)))
    }
}
