//! A row of logits: one for each of some fifty thousand tokens, at every step of the decoder.

use rand::{RngExt, rngs::StdRng};

// Numbers that are compared at once.
const LANES: usize = 16;
// Logits so far below the highest add nothing that f32 holds, even if all tokens had them: 2¹⁷ · e⁻³⁰ < 2⁻²⁵.
const FAINT: f32 = 30.0;

/// Returns the highest logit; that of nothing is −∞.
pub(crate) fn highest(logits: &[f32]) -> f32 {
    // `f32::max` must treat NaN on its own, in several instructions; this comparison is one `maxps`.
    let higher = |a: f32, b: f32| if b > a { b } else { a };
    let (rows, rest) = logits.as_chunks::<LANES>();
    let mut highest = [f32::NEG_INFINITY; LANES];
    for row in rows {
        for (highest, logit) in highest.iter_mut().zip(row) {
            *highest = higher(*highest, *logit);
        }
    }
    highest.iter().chain(rest).copied().fold(f32::NEG_INFINITY, higher)
}

/// Returns the token with the highest logit, the first of several.
pub(crate) fn argmax(logits: &[f32]) -> usize {
    let highest = highest(logits);
    logits.iter().position(|logit| *logit >= highest).unwrap_or(0)
}

/// Returns the logarithm of the sum of the exponentials; that of nothing is −∞.
pub(crate) fn log_sum_exp(logits: &[f32]) -> f32 {
    let top = highest(logits);
    if top == f32::NEG_INFINITY {
        return top;
    }
    let above = logits.iter().map(|logit| logit - top).filter(|below| *below > -FAINT);
    // In f32 a sum of fifty thousand terms would depend on their order, and with it the thresholds' verdict.
    let sum: f64 = above.map(|below| f64::from(below.exp())).sum();
    top + sum.ln() as f32
}

/// Samples a token by the probabilities at a temperature.
pub(crate) fn sample(logits: &[f32], temperature: f32, random: &mut StdRng) -> usize {
    let warm: Vec<f32> = logits.iter().map(|logit| logit / temperature).collect();
    let total = log_sum_exp(&warm);
    let mut left: f64 = random.random();
    for (token, logit) in warm.iter().enumerate() {
        left -= f64::from(logit - total).exp();
        if left <= 0.0 && *logit > f32::NEG_INFINITY {
            return token;
        }
    }
    argmax(logits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_the_highest_is_the_likeliest() {
        // Rounding may leave a rest behind the last token; the likeliest one is a safe choice.
        let check = |logits: &[f32], expected: usize| assert_eq!(argmax(logits), expected, "{logits:?}");
        check(&[1.0, 3.0, 3.0], 1);
        check(&[f32::NAN, -1.0, f32::NEG_INFINITY], 1);
        check(&[f32::NEG_INFINITY; 40], 0);
        for place in [0, 15, 16, 31, 32, 40] {
            let mut logits = [0.5; 41];
            logits[place] = 0.6;
            check(&logits, place);
        }
    }

    #[test]
    fn faint_logits_add_nothing() {
        let check = |logits: &[f32]| {
            let exact = logits.iter().map(|logit| f64::from(*logit).exp()).sum::<f64>().ln();
            let sum = log_sum_exp(logits);
            assert!((f64::from(sum) - exact).abs() < 1e-6 * exact.abs().max(1.0), "{sum} is not {exact}");
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
