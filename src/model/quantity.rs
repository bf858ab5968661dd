//! Kubernetes quantities (`250m`, `64Mi`, `1e3`), exact to a thousandth.
//!
//! The notation is that of `k8s.io/apimachinery/pkg/api/resource`.

use std::fmt;

/// An amount, in thousandths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Quantity(i128);

impl Quantity {
    /// Reads a quantity; `None` where the notation is wrong or the amount beyond all measure.
    pub fn parse(text: &str) -> Option<Quantity> {
        let end = text
            .char_indices()
            .find(|&(i, c)| !(c.is_ascii_digit() || c == '.' || (i == 0 && (c == '-' || c == '+'))))
            .map_or(text.len(), |(i, _)| i);
        let (number, suffix) = text.split_at(end);
        let (mantissa, negative) = match number.strip_prefix('-') {
            Some(rest) => (rest, true),
            None => (number.strip_prefix('+').unwrap_or(number), false),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        // Nine digits after the point are more than any unit can show.
        let fraction = fraction.get(..9).unwrap_or(fraction);
        let digits: i128 = format!("{whole}{fraction}").parse().ok()?;
        let scale = 10_i128.pow(u32::try_from(fraction.len()).ok()?);
        let (numerator, denominator): (i128, i128) = match suffix {
            "" => (1_000, 1),
            "n" => (1, 1_000_000),
            "u" => (1, 1_000),
            "m" => (1, 1),
            "k" => (1_000_000, 1),
            "M" => (1_000_000_000, 1),
            "G" => (1_000_000_000_000, 1),
            "T" => (1_000_000_000_000_000, 1),
            "P" => (1_000_000_000_000_000_000, 1),
            "E" => (1_000_000_000_000_000_000_000, 1),
            "Ki" => (1_000 << 10, 1),
            "Mi" => (1_000 << 20, 1),
            "Gi" => (1_000 << 30, 1),
            "Ti" => (1_000 << 40, 1),
            "Pi" => (1_000 << 50, 1),
            "Ei" => (1_000 << 60, 1),
            exponent => {
                let power: i32 = exponent.strip_prefix(['e', 'E'])?.parse().ok()?;
                if power >= 0 {
                    (1_000 * 10_i128.checked_pow(u32::try_from(power).ok()?)?, 1)
                } else {
                    (1_000, 10_i128.checked_pow(power.unsigned_abs())?)
                }
            }
        };
        let denominator = denominator.checked_mul(scale)?;
        let value = digits.checked_mul(numerator)?;
        // What is left over rounds up, as Kubernetes does.
        let value = value / denominator + i128::from(value % denominator != 0);
        Some(Quantity(if negative { -value } else { value }))
    }

    /// The amount, rounded up to a whole.
    pub fn whole(self) -> i128 {
        self.0.div_euclid(1000) + i128::from(self.0.rem_euclid(1000) != 0)
    }

    /// In thousandths.
    pub fn milli(self) -> i128 {
        self.0
    }

    /// A whole amount.
    pub fn of(whole: i64) -> Quantity {
        Quantity(i128::from(whole) * 1000)
    }

    /// What is left after `other`; never below nothing.
    #[must_use]
    pub fn minus(self, other: Quantity) -> Quantity {
        Quantity((self.0 - other.0).max(0))
    }

    /// For people: `2.1Gi` for memory and storage, `250m` or `1.5` for the rest.
    pub fn display(self, resource: &str) -> String {
        if resource.contains("memory") || resource.contains("storage") { self.bytes() } else { self.to_string() }
    }

    fn bytes(self) -> String {
        let bytes = self.whole();
        for (shift, unit) in [(40, "Ti"), (30, "Gi"), (20, "Mi"), (10, "Ki")] {
            let size = 1_i128 << shift;
            if bytes >= size {
                let tenths = bytes * 10 / size;
                let (whole, tenth) = (tenths / 10, tenths % 10);
                return if tenth == 0 { format!("{whole}{unit}") } else { format!("{whole}.{tenth}{unit}") };
            }
        }
        bytes.to_string()
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 % 1000 == 0 { write!(f, "{}", self.0 / 1000) } else { write!(f, "{}m", self.0) }
    }
}

impl std::ops::Add for Quantity {
    type Output = Quantity;

    fn add(self, other: Quantity) -> Quantity {
        Quantity(self.0.saturating_add(other.0))
    }
}

impl std::iter::Sum for Quantity {
    fn sum<I: Iterator<Item = Quantity>>(iter: I) -> Quantity {
        iter.fold(Quantity::default(), std::ops::Add::add)
    }
}

#[cfg(test)]
mod tests {
    use super::Quantity;

    #[test]
    fn reads_and_prints_quantities() {
        let table = [
            ("250m", "cpu", "250m"),
            ("1.5", "cpu", "1500m"),
            ("2", "cpu", "2"),
            ("64Mi", "memory", "64Mi"),
            ("2214592512", "memory", "2Gi"),
            ("1500Mi", "memory", "1.4Gi"),
            ("128974848000m", "memory", "123Mi"),
            ("1e3", "cpu", "1000"),
            ("0.1", "cpu", "100m"),
            ("100n", "cpu", "1m"),
        ];
        for (text, resource, expected) in table {
            let quantity = Quantity::parse(text).map(|q| q.display(resource));
            assert_eq!(quantity.as_deref(), Some(expected), "{text}");
        }
        for bad in ["", "m", "abc", "1x", "--1", "99999999999999999999999999999999999999999Ei", "1e99"] {
            assert_eq!(Quantity::parse(bad), None, "{bad}");
        }
    }
}
