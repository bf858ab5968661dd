//! How vectors are kept: one byte a dimension, all chunks of a document in one piece.
//!
//! A unit vector becomes steps from -127 to 127 of its largest component. That moves a vector by less than the int8 weights
//! of the model do (cosine 0.9999 to the original, where those give 0.9995), a quarter of the bytes is read for a query, and,
//! above all, packing what was unpacked gives the same bytes: a server that holds the vectors as 32-bit numbers,
//! and may scale them, gives back exactly what is kept here, so both indexes score alike to the last bit.
//!
//! *Invariant:* the scale is not kept: the vector is at length 1 again when it is read.

/// The most steps of a component.
const STEPS: f32 = 127.0;
/// Sums run side by side, so that they fit a register of any processor; their order is part of the result.
const LANES: usize = 16;

/// A vector in steps.
pub(super) fn pack(vector: &[f32]) -> Vec<u8> {
    let largest = vector.iter().fold(0.0_f32, |largest, x| largest.max(x.abs()));
    let scale = if largest > 0.0 && largest.is_finite() { STEPS / largest } else { 0.0 };
    #[expect(clippy::cast_possible_truncation, reason = "at most 127 steps")]
    vector.iter().map(|x| ((x * scale).round() as i8).cast_unsigned()).collect()
}

/// The unit vector that is kept.
pub(super) fn unpack(steps: &[u8]) -> Vec<f32> {
    let scale = scale(steps);
    steps.iter().map(|step| f32::from(step.cast_signed()) * scale).collect()
}

/// What makes the steps a unit vector.
pub(super) fn scale(steps: &[u8]) -> f32 {
    let squares: i32 = steps.iter().map(|step| i32::from(step.cast_signed()).pow(2)).sum();
    if squares == 0 { 0.0 } else { 1.0 / (squares as f32).sqrt() }
}

/// The cosine of a unit vector and of steps whose [`scale`] is known.
pub(super) fn cosine(query: &[f32], steps: &[u8], scale: f32) -> f32 {
    let mut sums = [0.0_f32; LANES];
    let (queries, rest_of_query) = query.as_chunks::<LANES>();
    let (steps, rest) = steps.as_chunks::<LANES>();
    for (query, steps) in queries.iter().zip(steps) {
        for ((sum, x), step) in sums.iter_mut().zip(query).zip(steps) {
            *sum += x * f32::from(step.cast_signed());
        }
    }
    let rest: f32 = rest_of_query.iter().zip(rest).map(|(x, step)| x * f32::from(step.cast_signed())).sum();
    (sums.iter().sum::<f32>() + rest) * scale
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Vectors that have a direction, without chance.
    fn vectors() -> Vec<Vec<f32>> {
        let vector =
            |seed: usize| (0..384).map(move |i| (((i * 7919 + seed * 104_729) % 997) as f32 / 498.5 - 1.0).powi(3));
        (0..50).filter_map(|seed| crate::retrieve::embed::unit(vector(seed).collect())).collect()
    }

    #[test]
    fn packing_moves_a_vector_by_next_to_nothing() {
        for vector in vectors() {
            let steps = pack(&vector);
            assert_eq!(steps.len(), vector.len());
            let own = cosine(&vector, &steps, scale(&steps));
            assert!(own > 0.9999, "{own}");
        }
    }

    #[test]
    fn packing_what_was_unpacked_gives_the_same_bytes_however_it_was_scaled() {
        for vector in vectors() {
            let steps = pack(&vector);
            for factor in [1.0, 0.999_999_9, 1.000_000_1, 3.7, 1e-3] {
                let back: Vec<f32> = unpack(&steps).iter().map(|x| x * factor).collect();
                assert_eq!(pack(&back), steps);
            }
            let length = unpack(&steps).iter().map(|x| x * x).sum::<f32>();
            assert!((length - 1.0).abs() < 1e-5);
        }
    }

    #[test]
    fn vectors_without_a_direction_are_far_from_all() {
        for vector in [vec![0.0; 20], vec![f32::NAN; 20], vec![f32::INFINITY; 20]] {
            let steps = pack(&vector);
            assert_eq!(steps, vec![0; 20]);
            assert_eq!(cosine(&[0.5; 20], &steps, scale(&steps)).to_bits(), 0.0_f32.to_bits());
        }
    }

    #[test]
    fn the_cosine_is_that_of_the_unpacked_vectors() {
        let all = vectors();
        for (a, b) in all.iter().zip(all.iter().skip(1)) {
            let steps = pack(b);
            let plain: f32 = a.iter().zip(unpack(&steps)).map(|(x, y)| x * y).sum();
            assert!((cosine(a, &steps, scale(&steps)) - plain).abs() < 1e-5);
        }
        assert!((cosine(&[0.6, 0.8], &pack(&[0.6, 0.8]), scale(&pack(&[0.6, 0.8]))) - 1.0).abs() < 1e-4);
    }
}
