use super::*;

#[test]
fn log_lines_name_all_sequences_and_each_is_short() {
    assert_eq!(log_ids(&BTreeSet::from([1, 2, 3, 7, 9, 10])), ["1-3,7,9-10"]);
    let scattered: BTreeSet<u64> = (1_000_000..1_000_250).map(|number| 2 * number).collect();
    let lines = log_ids(&scattered);
    assert_eq!(lines.len(), 3);
    assert!(lines.iter().all(|line| line.len() < 1_000), "{lines:?}");
    let named = lines.iter().flat_map(|line| line.split(',')).map(|id| id.parse().expect("a number"));
    assert_eq!(named.collect::<BTreeSet<u64>>(), scattered);
}
