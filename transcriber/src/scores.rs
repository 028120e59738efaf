//! In charge of what a row of scores says: one for each of some fifty thousand tokens, at every step of the decoder.

use rand::{RngExt, rngs::StdRng};

// Numbers that are compared at once.
const LANES: usize = 16;
// Scores so far below the highest add nothing that f32 can tell, even if all tokens had them: 2¹⁷ · e⁻³⁰ < 2⁻²⁵.
const FAINT: f32 = 30.0;

/// Returns the highest score; that of nothing is −∞.
pub(crate) fn highest(scores: &[f32]) -> f32 {
    let higher = |a: f32, b: f32| if b > a { b } else { a };
    let (rows, rest) = scores.as_chunks::<LANES>();
    let mut highest = [f32::NEG_INFINITY; LANES];
    for row in rows {
        for (highest, score) in highest.iter_mut().zip(row) {
            *highest = higher(*highest, *score);
        }
    }
    highest.iter().chain(rest).copied().fold(f32::NEG_INFINITY, higher)
}

/// Returns the token with the highest score, the first of several.
pub(crate) fn likeliest(scores: &[f32]) -> usize {
    let highest = highest(scores);
    scores.iter().position(|score| *score >= highest).unwrap_or(0)
}

/// Returns the logarithm of the sum of the exponentials; that of nothing is −∞.
pub(crate) fn log_sum_exp(scores: &[f32]) -> f32 {
    let top = highest(scores);
    if top == f32::NEG_INFINITY {
        return top;
    }
    let above = scores.iter().map(|score| score - top).filter(|below| *below > -FAINT);
    let sum: f64 = above.map(|below| f64::from(below.exp())).sum();
    top + sum.ln() as f32
}

/// Draws a token by the scores' chances at a temperature.
pub(crate) fn draw(scores: &[f32], temperature: f32, random: &mut StdRng) -> usize {
    let warm: Vec<f32> = scores.iter().map(|score| score / temperature).collect();
    let total = log_sum_exp(&warm);
    let mut left: f64 = random.random();
    for (token, score) in warm.iter().enumerate() {
        left -= f64::from(score - total).exp();
        if left <= 0.0 && *score > f32::NEG_INFINITY {
            return token;
        }
    }
    likeliest(scores)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_the_highest_is_the_likeliest() {
        let check = |scores: &[f32], expected: usize| assert_eq!(likeliest(scores), expected, "{scores:?}");
        check(&[1.0, 3.0, 3.0], 1);
        check(&[f32::NAN, -1.0, f32::NEG_INFINITY], 1);
        check(&[f32::NEG_INFINITY; 40], 0);
        for place in [0, 15, 16, 31, 32, 40] {
            let mut scores = [0.5; 41];
            scores[place] = 0.6;
            check(&scores, place);
        }
    }

    #[test]
    fn faint_scores_add_nothing() {
        let check = |scores: &[f32]| {
            let exact = scores.iter().map(|score| f64::from(*score).exp()).sum::<f64>().ln();
            let told = log_sum_exp(scores);
            assert!((f64::from(told) - exact).abs() < 1e-6 * exact.abs().max(1.0), "{told} is not {exact}");
        };
        check(&[0.0; 5]);
        check(&[-3.0, 1.0, 2.0, 0.5]);
        check(&[vec![20.0], vec![-10.0; 51_864]].concat());
        check(&[vec![20.0], vec![-9.9; 51_864]].concat());
        for nothing in [&[][..], &[f32::NEG_INFINITY; 20]] {
            assert!(log_sum_exp(nothing) < f32::MIN, "{nothing:?}");
        }
    }
}
