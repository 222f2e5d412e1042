//! How many connections of each layer are drawn where there are more than can be
//! shown, and how the drawn ones become others.

/// Shares `budget` drawn connections among layer pairs that have `sizes`
/// connections: what a small pair leaves goes to the others, so that a few large
/// pairs do not starve it. No pair gets more than it has.
pub fn share(sizes: &[usize], budget: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..sizes.len()).collect();
    order.sort_by_key(|&pair| sizes[pair]);
    let mut left = budget;
    let mut shares = vec![0; sizes.len()];
    for (done, &pair) in order.iter().enumerate() {
        let fair = left / (order.len() - done);
        shares[pair] = sizes[pair].min(fair);
        left -= shares[pair];
    }
    shares
}

/// What has to change so that `shown` becomes the set `wanted` (ascending):
/// pairs of a place in `shown` and the index that it is to take.
pub fn changes(shown: &[u32], wanted: &[u32]) -> Vec<(usize, u32)> {
    let mut have = shown.to_vec();
    have.sort_unstable();
    let mut incoming = wanted
        .iter()
        .copied()
        .filter(|index| have.binary_search(index).is_err());
    let outgoing = (0..shown.len()).filter(|&place| wanted.binary_search(&shown[place]).is_err());
    outgoing.zip(incoming.by_ref()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_drawn_while_the_budget_lasts() {
        assert_eq!(share(&[16, 64, 8], 88), [16, 64, 8]);
        assert_eq!(share(&[16, 64, 8], 1000), [16, 64, 8]);
    }

    #[test]
    fn small_pairs_are_drawn_whole_and_large_ones_share_the_rest() {
        let shares = share(&[100_352, 8_192, 640], 20_000);
        assert_eq!(shares, [11_168, 8_192, 640]);
        assert_eq!(share(&[100_352, 8_192, 640], 4_000), [1_680, 1_680, 640]);
        assert_eq!(share(&[5, 5], 0), [0, 0]);
        assert!(share(&[], 7).is_empty());
    }

    #[test]
    fn only_what_left_the_set_is_given_another_index() {
        assert_eq!(changes(&[7, 2, 9], &[2, 4, 9]), [(0, 4)]);
        assert!(changes(&[7, 2, 9], &[2, 7, 9]).is_empty());
    }
}
