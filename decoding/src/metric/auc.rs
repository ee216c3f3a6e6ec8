//! Area under the receiver operating characteristic of two classes.

/// Probability that a positive window's score exceeds a negative one's, ties counting
/// half (the Mann-Whitney statistic):
///
/// ```text
/// AUC = (sum of ranks of the positives - n_pos (n_pos + 1) / 2) / (n_pos * n_neg)
/// ```
///
/// `windows` are `(score, is positive)`; tied scores share their mean rank. `None`
/// where only one class occurs. Sorts `windows`; no allocation beyond the sort's.
///
/// # Reference
/// D. Bamber (1975), doi:10.1016/0022-2496(75)90001-2.
pub fn roc_auc(windows: &mut [(f64, bool)]) -> Option<f64> {
    windows.sort_by(|a, b| a.0.total_cmp(&b.0));
    let n_pos = windows.iter().filter(|(_, positive)| *positive).count();
    let n_neg = windows.len() - n_pos;
    if n_pos == 0 || n_neg == 0 {
        return None;
    }
    // Ranks are kept doubled, so that the mean rank of a tie is an integer.
    let (mut doubled_ranks, mut n_below) = (0_u128, 0_usize);
    for tied in windows.chunk_by(|a, b| a.0 == b.0) {
        let doubled_mean_rank = 2 * n_below + tied.len() + 1;
        let positives = tied.iter().filter(|(_, positive)| *positive).count();
        doubled_ranks += positives as u128 * doubled_mean_rank as u128;
        n_below += tied.len();
    }
    let least = n_pos as u128 * (n_pos as u128 + 1);
    Some((doubled_ranks - least) as f64 / (2 * n_pos as u128 * n_neg as u128) as f64)
}
