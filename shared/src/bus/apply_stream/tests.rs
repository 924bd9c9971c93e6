use super::*;

fn config(schema: Option<u32>) -> Config {
    let metadata = schema.map(|schema| (SCHEMA_KEY.to_owned(), schema.to_string()));
    Config { max_bytes: 5, allow_direct: true, metadata: metadata.into_iter().collect(), ..Config::default() }
}

fn wanted() -> Config {
    Config { max_bytes: -1, num_replicas: 3, metadata: config(Some(SCHEMA)).metadata, ..Config::default() }
}

#[test]
fn what_an_older_build_made_is_updated_and_keeps_what_the_table_does_not_say() {
    for made_by in [None, Some(SCHEMA - 1), Some(SCHEMA)] {
        let found = Config { description: Some("ours".to_owned()), ..config(made_by) };
        let latest = latest(&found, &wanted());
        assert_eq!((latest.num_replicas, latest.allow_direct, latest.max_bytes), (3, false, 5));
        assert_eq!(latest.description.as_deref(), Some("ours"));
    }
}

#[test]
fn what_a_newer_build_made_stays() {
    let found = config(Some(SCHEMA + 1));
    assert_eq!(latest(&found, &wanted()), found);
}
