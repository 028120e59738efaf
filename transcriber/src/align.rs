//! The alignment of tokens with the window's sound: the decoder's cross attention, and dynamic time warping over it, as
//! OpenAI's `timing.py` does it. Leaves words to `words`.

/// Steps of the median filter, as in OpenAI's code and all of transformers' configurations.
const FILTER: usize = 7;

/// The cross attention before each token, and before the end: of each step, a row for each head.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Attention {
    heads: usize,
    /// Heads × positions.
    steps: Vec<Vec<f32>>,
}

impl Attention {
    /// Returns an attention of so many heads; without any, nothing is kept.
    pub(crate) fn new(heads: usize) -> Self {
        Self { heads, steps: vec![] }
    }

    /// Takes the rows of the next step, all of one length.
    pub(crate) fn push(&mut self, rows: Vec<f32>) {
        if self.heads > 0 {
            self.steps.push(rows);
        }
    }

    /// Returns the position at which each step's token begins, of the `filled` ones that are the window's own sound;
    /// nothing where there is nothing to go by.
    pub(crate) fn starts(&self, filled: usize) -> Vec<usize> {
        let width = self.steps.first().map_or(0, |rows| rows.len() / self.heads);
        // Positions behind the sound are padding, whose attention would draw the last words behind the end.
        let filled = filled.min(width);
        // Normalising needs two steps at least.
        if filled == 0 || self.steps.len() < 2 {
            return vec![];
        }
        let mut sum = vec![vec![0.0; filled]; self.steps.len()];
        for head in 0..self.heads {
            let row = |rows: &Vec<f32>| rows[head * width..][..filled].to_vec();
            let mut rows: Vec<Vec<f32>> = self.steps.iter().map(row).collect();
            normalise(&mut rows);
            for (sum, row) in sum.iter_mut().zip(&rows) {
                for (sum, value) in sum.iter_mut().zip(median(row)) {
                    *sum += value;
                }
            }
        }
        for value in sum.iter_mut().flatten() {
            // The warping looks for the cheapest way, and attention is the reverse of a cost.
            *value /= -(self.heads as f32);
        }
        warp(&sum)
    }
}

/// Normalises each position over all steps: mean 0, deviation 1.
fn normalise(rows: &mut [Vec<f32>]) {
    let count = rows.len() as f64;
    for position in 0..rows[0].len() {
        let column = || rows.iter().map(|row| f64::from(row[position]));
        let mean = column().sum::<f64>() / count;
        let deviation = (column().map(|value| (value - mean).powi(2)).sum::<f64>() / count).sqrt();
        for row in &mut *rows {
            let off = f64::from(row[position]) - mean;
            // The references divide by nothing where no step looks at all.
            row[position] = if deviation > 0.0 { (off / deviation) as f32 } else { 0.0 };
        }
    }
}

/// Returns the row with each value replaced by the median of those around it; the row is mirrored at its ends.
fn median(row: &[f32]) -> Vec<f32> {
    let side = FILTER / 2;
    let last = row.len() - 1;
    // torch cannot mirror a row beyond its length, so OpenAI's filter returns a short one as it is.
    if last < side {
        return row.to_vec();
    }
    let mirrored = |n: usize| {
        let n = n.abs_diff(side);
        row[if n > last { 2 * last - n } else { n }]
    };
    let around = |at: usize| {
        let mut around: [f32; FILTER] = std::array::from_fn(|n| mirrored(at + n));
        around.sort_unstable_by(f32::total_cmp);
        around[side]
    };
    (0..row.len()).map(around).collect()
}

/// Where the cheapest way to a cell comes from.
#[derive(Clone, Copy)]
enum From {
    Both,
    Step,
    Position,
}

/// Returns the position at which the cheapest way through `cost`, from its first corner to its last, comes to each row.
fn warp(cost: &[Vec<f32>]) -> Vec<usize> {
    let width = cost[0].len();
    let mut from = vec![vec![From::Position; width]; cost.len()];
    // With a border, from whose corner alone the way begins.
    let mut above = vec![f32::INFINITY; width + 1];
    above[0] = 0.0;
    for (row, from) in cost.iter().zip(&mut from) {
        let mut passed = vec![f32::INFINITY; width + 1];
        for at in 0..width {
            let (both, step, position) = (above[at], above[at + 1], passed[at]);
            // The references' order among equals.
            let (least, way) = if both < step && both < position {
                (both, From::Both)
            } else if step < both && step < position {
                (step, From::Step)
            } else {
                (position, From::Position)
            };
            passed[at + 1] = row[at] + least;
            from[at] = way;
        }
        above = passed;
    }
    let mut starts = vec![0; cost.len()];
    let (mut step, mut at) = (cost.len() - 1, width - 1);
    loop {
        starts[step] = at;
        match from[step][at] {
            _ if step == 0 => break,
            // At the first position there is none before it.
            From::Position if at > 0 => at -= 1,
            From::Both if at > 0 => (step, at) = (step - 1, at - 1),
            _ => step -= 1,
        }
    }
    // The first token begins where the way does.
    starts[0] = 0;
    starts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cheapest_way_is_found() {
        let check = |cost: &[&[f32]], expected: &[usize]| {
            let cost: Vec<Vec<f32>> = cost.iter().map(|row| row.to_vec()).collect();
            assert_eq!(warp(&cost), expected, "{cost:?}");
        };
        check(&[&[-2.0, 1.0, 1.0], &[1.0, -2.0, 1.0], &[1.0, 1.0, -2.0]], &[0, 1, 2]);
        check(
            &[&[-2.0, -2.0, 1.0, 1.0, 1.0], &[1.0, 1.0, -2.0, -2.0, 1.0], &[1.0, 1.0, 1.0, 1.0, -2.0]],
            &[0, 2, 4],
        );
        // More tokens than positions: some begin together.
        check(&[&[-2.0, 1.0], &[-2.0, 1.0], &[1.0, -2.0]], &[0, 0, 1]);
        check(&[&[1.0], &[1.0]], &[0, 0]);
        // A pause at the beginning belongs to the first, one at the end to the last.
        check(&[&[1.0, 1.0, -2.0, 1.0, 1.0], &[1.0, 1.0, 1.0, -2.0, 1.0]], &[0, 3]);
        // Of ways that cost the same, the references' one: the token before goes on as short as it may.
        check(&[&[-1.0, 0.0, 0.0], &[0.0, -1.0, 0.0], &[0.0, 0.0, -1.0]], &[0, 0, 1]);
    }

    #[test]
    fn the_median_mirrors_a_rows_ends() {
        // Around the first: 4 3 2 1 2 3 4.
        assert_eq!(median(&[1.0, 2.0, 3.0, 4.0, 5.0]), [3.0, 3.0, 3.0, 3.0, 3.0]);
        assert_eq!(median(&[0.0, 0.0, 0.0, 9.0, 0.0, 0.0, 0.0, 0.0]), [0.0; 8]);
        assert_eq!(median(&[9.0, 9.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0])[..3], [0.0, 0.0, 0.0]);
        // Three have no three beside them.
        assert_eq!(median(&[3.0, 1.0, 2.0]), [3.0, 1.0, 2.0]);
        assert_eq!(median(&[4.0, 3.0, 2.0, 1.0]), [2.0, 2.0, 3.0, 3.0]);
    }

    #[test]
    fn a_position_that_all_steps_look_at_counts_for_none() {
        let mut rows = vec![vec![0.5, 0.1, 0.0], vec![0.5, 0.3, 0.0]];
        normalise(&mut rows);
        assert_eq!(rows, [[0.0, -1.0, 0.0], [0.0, 1.0, 0.0]]);
    }

    #[test]
    fn a_token_begins_where_the_heads_turn_to_it() {
        // Ten positions of 16 belong to the sound; the attention behind them would draw the last token there.
        let look = |from: usize, to: usize| -> Vec<f32> {
            (0..16).map(|at| if (from..to).contains(&at) || at > 12 { 0.2 } else { 0.01 }).collect()
        };
        let mut attention = Attention::new(2);
        for (from, to) in [(0, 5), (5, 10)] {
            attention.push([look(from, to), look(from, to)].concat());
        }
        assert_eq!(attention.starts(10), [0, 5]);
        assert_eq!(attention.starts(0), [0; 0]);
    }

    #[test]
    fn without_heads_nothing_is_kept() {
        let mut attention = Attention::new(0);
        attention.push(vec![]);
        assert_eq!(attention, Attention::new(0));
        assert!(attention.starts(1500).is_empty());
    }
}
