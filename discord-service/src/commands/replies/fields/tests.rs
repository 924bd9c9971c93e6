use super::list;

fn of(count: u64, item: &str) -> String {
    list((0..count).map(|_| item.to_owned()).collect::<Vec<_>>().into_iter())
}

#[test]
fn an_empty_list_reads_none() {
    assert_eq!(of(0, "x"), "None");
}

#[test]
fn a_list_that_fits_is_whole() {
    assert_eq!(of(3, "<#1>"), "<#1>, <#1>, <#1>");
    // 42 × 22 + 41 × 2 = 1006
    assert_eq!(of(42, "<#1234567890123456789>").chars().count(), 1006);
    assert_eq!(of(1, &"é".repeat(1024)).chars().count(), 1024);
}

#[test]
fn a_list_beyond_the_limit_says_how_many_more_there_are() {
    let text = of(500, "<#1234567890123456789>");
    assert!(text.chars().count() <= 1024, "{}", text.chars().count());
    let shown = text.matches("<#").count();
    assert!(text.ends_with(&format!("<#1234567890123456789> and {} more", 500 - shown)), "{text}");
    assert_eq!(shown, 42);
}

#[test]
fn no_count_of_items_breaks_the_limit() {
    for count in 0..200 {
        for item in ["<#1>", "<#123456789012345678>", "<#12345678901234567890>"] {
            let text = of(count, item);
            let shown = text.matches("<#").count() as u64;
            assert!(text.chars().count() <= 1024);
            assert!(count == shown || text.ends_with(&format!(" and {} more", count - shown)));
        }
    }
}
