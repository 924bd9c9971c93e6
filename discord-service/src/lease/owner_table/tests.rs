use super::*;

fn pods(names: &[&str], shards: u32) -> Pods {
    names.iter().map(|name| ((*name).to_owned(), PodState { shards, ..PodState::default() })).collect()
}

/// Lets every pod do what it should until there is nothing left to do, and
/// returns how often something moved.
fn balance(table: &mut OwnerTable, pods: &Pods) -> usize {
    let mut moves = 0;
    for _ in 0..10 {
        for pod in pods.keys() {
            let plan = table.plan(pods, pod, &BTreeSet::new());
            moves += plan.acquire.len();
            plan.release.into_iter().for_each(|resource| table.clear(resource));
            plan.acquire.into_iter().for_each(|resource| table.set(resource, pod));
        }
    }
    moves
}

fn counts(table: &OwnerTable, pods: &Pods, kind: &str) -> Vec<usize> {
    pods.keys().map(|pod| table.of(pod).iter().filter(|resource| resource.kind() == kind).count()).collect()
}

#[test]
fn shares_are_equal_to_one_for_any_number_of_pods() {
    let names = ["a", "b", "c", "d", "e"];
    let mut table = OwnerTable::default();
    for live in [1, 3, 5, 2, 4, 1] {
        let pods = pods(&names[..live], 12);
        balance(&mut table, &pods);
        for (kind, all) in [("partition", 64), ("shard", 12)] {
            let counts = counts(&table, &pods, kind);
            assert_eq!(counts.iter().sum::<usize>(), all, "{kind} of {live} pods");
            assert!(
                counts.iter().all(|count| (all / live..=all.div_ceil(live)).contains(count)),
                "{counts:?}"
            );
        }
    }
}

#[test]
fn no_more_moves_than_must() {
    let mut table = OwnerTable::default();
    balance(&mut table, &pods(&["a", "b", "c"], 0));
    assert_eq!(balance(&mut table, &pods(&["a", "b", "c", "d"], 0)), 16);
    assert_eq!(balance(&mut table, &pods(&["a", "b", "c"], 0)), 16);
    assert_eq!(balance(&mut table, &pods(&["a", "b", "c"], 0)), 0);
}

#[test]
fn nothing_is_claimed_that_a_living_pod_owns() {
    let mut table = OwnerTable::default();
    balance(&mut table, &pods(&["a"], 0));
    let both = pods(&["a", "b"], 0);
    assert_eq!(table.plan(&both, &"b".to_owned(), &BTreeSet::new()).acquire, []);
    assert_eq!(table.plan(&both, &"a".to_owned(), &BTreeSet::new()).release.len(), 32);
}

#[test]
fn what_was_put_down_already_is_given_up_first() {
    let mut table = OwnerTable::default();
    balance(&mut table, &pods(&["a"], 0));
    let idle = [7, 8, 9].map(Resource::Partition).into();
    let plan = table.plan(&pods(&["a", "b"], 0), &"a".to_owned(), &idle);
    assert_eq!(plan.release[..3].iter().copied().collect::<BTreeSet<_>>(), idle);
}

#[test]
fn a_leaving_pod_gives_up_all_and_one_that_knows_no_shards_gets_none() {
    let mut table = OwnerTable::default();
    let mut pods = pods(&["a", "b", "c"], 12);
    balance(&mut table, &pods);
    pods.insert("b".to_owned(), PodState { shards: 0, ..PodState::default() });
    pods.insert("c".to_owned(), PodState { leaving: true, shards: 12, ..PodState::default() });
    balance(&mut table, &pods);
    assert_eq!(counts(&table, &pods, "partition"), [32, 32, 0]);
    assert_eq!(counts(&table, &pods, "shard"), [12, 0, 0]);
}

#[test]
fn shards_of_two_numberings_are_never_owned_at_once() {
    let mut table = OwnerTable::default();
    balance(&mut table, &pods(&["a"], 2));
    let mut both = pods(&["a"], 2);
    both.insert("b".to_owned(), PodState { shards: 3, ..PodState::default() });
    let plan = table.plan(&both, &"b".to_owned(), &BTreeSet::new());
    assert!(plan.acquire.iter().all(|resource| resource.kind() == "partition"), "{plan:?}");
    balance(&mut table, &both);
    let owned: BTreeSet<_> = both.keys().flat_map(|pod| table.of(pod)).collect();
    let shards: Vec<_> = owned.into_iter().filter(|resource| resource.kind() == "shard").collect();
    assert_eq!(shards, [0, 1, 2].map(|id| Resource::Shard { id, total: 3 }));
}

#[test]
fn a_table_of_a_newer_version_keeps_what_is_not_understood() {
    let text = r#"{"owners":{"moon.1":"a","partition.3":"a"},"since":5}"#;
    let mut table: OwnerTable = serde_json::from_str(text).expect("a table");
    table.clear(Resource::Partition(3));
    let value = serde_json::to_value(&table).expect("JSON");
    assert_eq!(value, serde_json::json!({"owners": {"moon.1": "a"}, "since": 5}));
}
