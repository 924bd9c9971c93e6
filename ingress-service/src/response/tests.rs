use super::*;

#[test]
fn a_project_cannot_break_out_of_its_string() {
    let answer = WebhookResponse::UserOnOtherProject(UserId::new(7), "a\"},{\n".to_owned());
    assert_eq!(
        answer.body(),
        r#"{"error":{"message":"User is already registered to other project","id":7,"project":"a\"},{\n"}}"#
    );
}
