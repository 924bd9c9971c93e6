use super::*;

#[test]
fn the_limit_is_raised_as_far_as_it_goes() {
    let accepted = accepted();
    let limit = getrlimit(Resource::Nofile);
    assert_eq!(limit.current, limit.maximum);
    assert_eq!(accepted, connections(limit.maximum));
}

#[test]
fn connections_leave_files_for_the_rest() {
    for (files, accepted) in [(None, 8_192), (Some(1 << 20), 8_192), (Some(1_024), 896), (Some(64), 16)] {
        assert_eq!(connections(files), accepted, "{files:?}");
    }
}
