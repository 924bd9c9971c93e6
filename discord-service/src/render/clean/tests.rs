use super::*;

#[test]
fn ordinary_text_stays_as_it_is() {
    for text in [
        "KeyError: 'order_id'",
        "orders/views.py in <lambda>",
        r"C:\app\main.rs \` [x](y) **b** ~~s~~ ||z|| <@1> @everyone".replace('`', "").as_str(),
        "顧客IDが見つかりません",
        "مرحبا بالعالم",
        "naïve café — ﷽",
        "Tiếng Việt",
        "שָׁלוֹם",
        "ก็ที่น้ำ",
        "हिन्दी",
        "🧑🏽",
        "�",
    ] {
        assert_eq!(clean(text), text);
    }
}

#[test]
fn a_joiner_stays_only_between_two_emoji() {
    for whole in ["🧑🏽\u{200D}🚀", "👩\u{200D}👩\u{200D}👧", "🏳\u{200D}🌈"] {
        assert_eq!(clean(whole), whole);
    }
    assert_eq!(clean("\u{200D}🚀\u{200D}"), "🚀");
    assert_eq!(
        clean("🚀\u{200D}\u{2800}x \u{FFFC}\u{200D}\u{1D159}"),
        "🚀 x \u{FFFD}",
        "a blank is no picture"
    );
    assert_eq!(clean("a\u{200D}b🚀\u{200D} 🚀 \u{200D} \u{200D}"), "ab🚀 🚀");
    assert_eq!(clean("🚀\u{200D}\u{2800}🚀\u{200D}\u{1D159}"), "🚀 🚀");
}

#[test]
fn no_backtick_stays_nor_what_normalises_to_one() {
    assert_eq!(clean("`a` ```b``` \u{1FEF} \u{FF40}"), "ˋaˋ ˋˋˋbˋˋˋ ˋ ˋ");
}

#[test]
fn the_sign_of_a_count_cannot_be_forged() {
    assert_eq!(clean("×9 1920×1080"), "x9 1920x1080");
}

#[test]
fn lines_and_blanks_become_one_space_and_the_ends_are_trimmed() {
    let blanks = "\r\n\t \u{B}\u{C}\u{85}\u{A0}\u{1680}\u{2000}\u{2001}\u{2002}\u{2003}\u{2004}\u{2005}\u{2006}\
                  \u{2007}\u{2008}\u{2009}\u{200A}\u{2028}\u{2029}\u{202F}\u{205F}\u{3000}\u{3164}\u{115F}\u{1160}\
                  \u{FFA0}\u{2800}\u{1D159}";
    assert_eq!(clean(&format!("{blanks}a{blanks}b{blanks}")), "a b");
    for blank in blanks.chars() {
        assert_eq!(clean(&format!("{blank}a{blank}{blank}b{blank}")), "a b", "{:04X}", u32::from(blank));
        assert_eq!(clean(&blank.to_string()), "", "{:04X}", u32::from(blank));
    }
}

#[test]
fn what_cannot_be_seen_is_removed() {
    let ranges = [
        0x00..=0x08,
        0x0E..=0x1F,
        0x7F..=0x84,
        0x86..=0x9F,
        0xAD..=0xAD,
        0x34F..=0x34F,
        0x61C..=0x61C,
        0x180B..=0x180F,
        0x200B..=0x200F,
        0x202A..=0x202E,
        0x2060..=0x206F,
        0xFE00..=0xFE0F,
        0xFEFF..=0xFEFF,
        0xFFF0..=0xFFFB,
        0x1BCA0..=0x1BCA3,
        0x1D173..=0x1D17A,
        0xE0000..=0xE0FFF,
    ];
    for c in ranges.into_iter().flatten().filter_map(char::from_u32) {
        assert_eq!(clean(&c.to_string()), "", "{:04X}", u32::from(c));
        assert_eq!(clean(&format!("{c}a{c}b{c}")), "ab", "{:04X}", u32::from(c));
    }
}

#[test]
fn a_right_to_left_override_does_not_disguise_a_file_name() {
    assert_eq!(clean("\u{202E}gnp.exe\u{202C}"), "gnp.exe");
}

#[test]
fn unassigned_and_private_characters_are_made_visible() {
    assert_eq!(clean("a\u{E000}b\u{F8FF}\u{FFFE}\u{10FFFF}\u{378}\u{FFFC}"), "a�b�����");
}

#[test]
fn combining_marks_are_bounded_and_need_something_to_stand_on() {
    let tower = "\u{300}".repeat(50);
    assert_eq!(clean(&format!("Z{tower}a")), "Z\u{300}\u{300}\u{300}a");
    assert_eq!(clean(&format!("{tower}a")), "a");
    assert_eq!(clean(&format!("a {tower}b")), "a b");
    assert_eq!(clean(&format!("a\u{200D}{tower}\u{200D}{tower}")), "a\u{300}\u{300}\u{300}");
    assert_eq!(clean(&tower), "");
}

#[test]
fn cleaning_twice_changes_nothing_more() {
    let all: String = ('\0'..=char::MAX).collect();
    let once = clean(&all);
    assert!(!once.contains('`'));
    assert_eq!(clean(&once), once);
}

#[test]
fn text_outside_code_neither_pings_nor_links() {
    assert_eq!(
        clean_outside_code("@everyone <@1> `x` [a](https://evil.example)"),
        "＠everyone <＠1> ˋxˋ [a] (https:/ /evil.example)"
    );
    assert_eq!(clean_outside_code("[prod] high priority"), "[prod] high priority");
}
