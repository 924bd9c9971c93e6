use super::*;
use crate::trust::EvidenceError;

const CHANNEL: ChannelId = ChannelId::new(42);

#[test]
fn admins_are_told_which_evidence_was_wrong_and_senders_only_that_it_was() {
    for (error, reason) in [
        (NotTrusted::Evidence(EvidenceError::NoSuchToken), Reason::Token),
        (NotTrusted::Evidence(EvidenceError::WrongToken), Reason::Token),
        (NotTrusted::Evidence(EvidenceError::TokenMissing), Reason::Token),
        (NotTrusted::Evidence(EvidenceError::NoSecret), Reason::Signature),
        (NotTrusted::Evidence(EvidenceError::WrongSignature), Reason::Signature),
        (NotTrusted::Evidence(EvidenceError::Sealed), Reason::Signature),
        (NotTrusted::Evidence(EvidenceError::Stale), Reason::Signature),
        (NotTrusted::Evidence(EvidenceError::Timeless), Reason::Signature),
        (NotTrusted::Unreadable, Reason::Internal),
    ] {
        let rule = Rule::Untrusted(CHANNEL, error);
        assert_eq!(rule.reason(), Some(reason), "{rule}");
        assert_eq!(rule.response(), WebhookResponse::UnauthorizedChannel(CHANNEL), "{rule}");
    }
    let unread = Rule::Untrusted(CHANNEL, NotTrusted::Unread);
    assert_eq!(unread.response(), WebhookResponse::QueueUnavailable);
}

#[test]
fn a_request_that_is_no_webhook_is_told_to_no_admin() {
    assert_eq!((Rule::UnknownPath.reason(), Rule::NotPost.reason()), (None, None));
}
