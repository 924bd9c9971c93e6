use super::*;

const ASKED: [Asked; 5] = [Asked::Post, Asked::Edit, Asked::LookUp, Asked::Interaction, Asked::Write];
const JSON: Option<&str> = Some("application/json");
/// What something in front of Discord answers with.
const FOREIGN: [Option<&str>; 3] = [Some("text/html; charset=UTF-8"), Some("text/plain"), Some("")];
const STATUSES: [u16; 12] = [400, 401, 403, 404, 405, 408, 409, 413, 418, 422, 451, 499];
const UNTOLD: Meaning = Meaning::Passing { answered_4xx: true };

fn of(asked: Asked, status: u16, code: u32) -> Meaning {
    Meaning::of(asked, status, JSON, Some(code))
}

fn refused(refusal: DiscordRefusal) -> Meaning {
    Meaning::Refused(refusal)
}

/// One row of the table: these codes, under these statuses, mean this.
fn row(asked: Asked, codes: &[u32], statuses: &[u16], refusal: DiscordRefusal) {
    for (code, status) in codes.iter().flat_map(|code| statuses.iter().map(move |status| (*code, *status))) {
        assert_eq!(of(asked, status, code), refused(refusal), "{asked:?} {status} {code}");
    }
}

#[test]
fn the_channel_refuses() {
    let any = [400, 403, 404, 407, 409, 499];
    row(Asked::Post, &[10_003, 10_004, 50_001, 50_013, 50_008, 160_005], &any, DiscordRefusal::Channel);
    row(Asked::Edit, &[10_003, 10_004, 50_001, 50_013, 160_005], &any, DiscordRefusal::Channel);
    row(Asked::LookUp, &[10_003, 10_004, 50_001, 50_013], &any, DiscordRefusal::Channel);
    row(Asked::Write, &[10_003, 10_004, 50_001, 50_013], &any, DiscordRefusal::Channel);
}

#[test]
fn the_message_to_be_edited_is_out_of_reach() {
    row(Asked::Edit, &[10_008, 50_005, 50_083], &[400, 403, 404], DiscordRefusal::MessageGone);
    row(Asked::Edit, &[0, 10_001, 40_009], &[404], DiscordRefusal::MessageGone);
    for content_type in FOREIGN.into_iter().chain([JSON, None]) {
        assert_eq!(Meaning::of(Asked::Edit, 404, content_type, None), refused(DiscordRefusal::MessageGone));
        assert_eq!(Meaning::of(Asked::Edit, 403, content_type, None), UNTOLD, "{content_type:?}");
    }
    assert_eq!(of(Asked::Edit, 403, 0), UNTOLD);
}

#[test]
fn it_was_posted_and_deleted_since() {
    row(Asked::Post, &[10_008], &[400, 404], DiscordRefusal::AlreadyPosted);
}

#[test]
fn the_message_is_refused() {
    for asked in [Asked::Post, Asked::Edit, Asked::Interaction, Asked::Write] {
        row(asked, &[50_035, 50_006, 200_000, 240_000], &[400, 403, 413], DiscordRefusal::Message);
        row(asked, &[1, 40_005, 50_109, 999_999], &[400], DiscordRefusal::Message);
    }
    // A post un-archives a thread: where it does not, this post is at fault.
    row(Asked::Post, &[50_083], &[400], DiscordRefusal::Message);
    row(Asked::Edit, &[50_008], &[400], DiscordRefusal::Message);
}

#[test]
fn what_was_looked_up_does_not_exist() {
    row(Asked::LookUp, &[10_007, 10_013], &[404], DiscordRefusal::Unknown);
    row(Asked::LookUp, &[50_035], &[400], DiscordRefusal::Unknown);
    for (status, code) in [(400, 1), (400, 10_013), (403, 50_035), (404, 50_035), (403, 10_007)] {
        assert_eq!(of(Asked::LookUp, status, code), UNTOLD, "{status} {code}");
    }
}

#[test]
fn the_interaction_is_over() {
    row(
        Asked::Interaction,
        &[10_062, 10_015, 40_060, 50_027],
        &[400, 401, 403, 404],
        DiscordRefusal::InteractionOver,
    );
    row(Asked::Interaction, &[0, 40_001], &[401], DiscordRefusal::InteractionOver);
    row(Asked::Interaction, &[10_008], &[404], DiscordRefusal::MessageGone);
    assert_eq!(of(Asked::Interaction, 403, 40_001), UNTOLD, "it is not the bot's token");
}

#[test]
fn only_discord_itself_raises_doubt_about_the_token() {
    for asked in ASKED.into_iter().filter(|asked| *asked != Asked::Interaction) {
        for (status, code) in [(401, 0), (401, 40_001), (400, 40_001), (403, 40_001), (404, 40_001)] {
            assert_eq!(of(asked, status, code), Meaning::PerhapsBadToken, "{asked:?} {status} {code}");
        }
        for content_type in FOREIGN.into_iter().chain([JSON, None]) {
            assert_eq!(Meaning::of(asked, 401, content_type, None), UNTOLD, "{asked:?} {content_type:?}");
        }
        assert_eq!(of(asked, 401, 50_027), UNTOLD);
    }
}

#[test]
fn an_unknown_refusal_passes() {
    for (asked, status) in ASKED.into_iter().flat_map(|asked| [403, 404].map(|status| (asked, status))) {
        for code in [0, 1, 1_015, 1_020, 10_001, 20_001, 40_004, 40_062, 40_333, 50_000, 999_999] {
            let gone = asked == Asked::Edit && status == 404 && !is_passing(code);
            let expected = if gone { refused(DiscordRefusal::MessageGone) } else { UNTOLD };
            assert_eq!(of(asked, status, code), expected, "{asked:?} {status} {code}");
        }
    }
}

#[test]
fn what_is_about_discords_own_state_passes_under_every_status() {
    for (asked, status) in ASKED.into_iter().flat_map(|asked| STATUSES.map(|status| (asked, status))) {
        for code in [40_004, 40_006, 40_062, 40_333, 130_000] {
            let expected = Meaning::Passing { answered_4xx: status != 408 };
            assert_eq!(of(asked, status, code), expected, "{asked:?} {status} {code}");
        }
    }
}

#[test]
fn a_400_without_a_code_passes() {
    for asked in ASKED {
        assert_eq!(of(asked, 400, 0), UNTOLD, "{asked:?}");
        assert_eq!(Meaning::of(asked, 400, JSON, None), UNTOLD, "{asked:?}");
    }
}

#[test]
fn no_code_counts_in_a_page_or_in_text() {
    for (asked, status) in ASKED.into_iter().flat_map(|asked| STATUSES.map(|status| (asked, status))) {
        for (code, content_type) in [10_003, 50_013, 50_035, 10_062, 40_001, 0]
            .into_iter()
            .flat_map(|code| FOREIGN.map(|t| (code, t)))
        {
            let gone = asked == Asked::Edit && status == 404;
            let passing = Meaning::Passing { answered_4xx: status != 408 };
            let expected = if gone { refused(DiscordRefusal::MessageGone) } else { passing };
            let meaning = Meaning::of(asked, status, content_type, Some(code));
            assert_eq!(meaning, expected, "{asked:?} {status} {code} {content_type:?}");
        }
    }
    for content_type in [Some("Application/JSON; charset=utf-8"), Some("application/problem+json"), None] {
        let meaning = Meaning::of(Asked::Post, 403, content_type, Some(50_013));
        assert_eq!(meaning, refused(DiscordRefusal::Channel), "{content_type:?}");
    }
}

#[test]
fn what_is_no_4xx_never_refuses() {
    for (asked, code) in ASKED.into_iter().flat_map(|asked| [0, 10_003, 50_035, 40_001].map(|c| (asked, c))) {
        for status in [200, 201, 204, 299] {
            assert_eq!(of(asked, status, code), Meaning::Done);
        }
        for status in [100, 199, 300, 302, 308, 399, 408, 500, 502, 503, 504, 520, 530, 599] {
            assert_eq!(of(asked, status, code), Meaning::Passing { answered_4xx: false }, "{status}");
        }
        assert_eq!(of(asked, 429, code), Meaning::Limited);
    }
}

#[test]
fn what_was_asked_follows_from_the_route() {
    for (method, path, asked) in [
        (Method::POST, "/channels/1/messages", Asked::Post),
        (Method::PATCH, "/channels/1/messages/{message}", Asked::Edit),
        (Method::PATCH, "/channels/1/messages/2", Asked::Edit),
        (Method::GET, "/channels/1/messages", Asked::LookUp),
        (Method::GET, "/channels/1", Asked::LookUp),
        (Method::GET, "/users/@me", Asked::LookUp),
        (Method::PUT, "/applications/1/commands", Asked::Write),
        (Method::POST, "/channels/1/messages/2/threads", Asked::Write),
        (Method::PATCH, "/channels/1", Asked::Write),
        (Method::POST, "/interactions/1/{token}/callback", Asked::Interaction),
        (Method::GET, "/webhooks/1/{token}/messages/@original", Asked::Interaction),
    ] {
        assert_eq!(Asked::by(&Route::new(&method, path)), asked, "{method} {path}");
    }
}
