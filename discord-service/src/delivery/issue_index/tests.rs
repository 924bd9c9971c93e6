use shared::{Alert, ChannelId, alert::UNKNOWN_PROJECT};

use super::*;

fn issue(project: &str) -> IssueKey {
    let alert = Alert::new("error", project, ChannelId::new(1), 0);
    IssueKey::of(&Alert { issue_id: Some("7".to_owned()), ..alert }).expect("it names one")
}

#[test]
fn an_entry_keeps_the_first_message_and_the_newest() {
    let mut same = SameId::default();
    assert!(same.add(&issue("shop"), 1, false) && same.add(&issue("shop"), 2, true));
    assert!(!same.add(&issue("shop"), 3, false), "another event of the same issue");
    assert!(same.add(&issue("shop"), 4, true));
    assert_eq!(same.issues[0].messages, [1, 4]);
    assert!(!same.add(&issue("shop"), 1, true) && !same.add(&issue("shop"), 4, true));
}

#[test]
fn issues_with_one_id_are_told_apart_where_that_is_known() {
    let mut same = SameId::default();
    assert!(same.add(&issue("shop"), 1, false) && same.add(&issue("web"), 2, false));
    assert_eq!(same.position(&issue("web")), Some(1));
    assert_eq!(same.position(&issue(UNKNOWN_PROJECT)), Some(0));
    assert_eq!(same.position(&issue("api")), None);
    for number in 0..2 * SAME_ID as u64 {
        same.add(&issue(&number.to_string()), number, false);
    }
    assert_eq!(same.issues.len(), SAME_ID);
}
