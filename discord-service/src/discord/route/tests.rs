use super::*;

#[test]
fn ids_are_left_out_of_the_label_and_the_first_one_splits_the_limit() {
    let route = Route::new(&Method::PATCH, "/channels/1/messages/{message}");
    assert_eq!(
        (route.label().as_str(), route.major()),
        ("PATCH /channels/{id}/messages/{message}", Some("1"))
    );
    let route = Route::new(&Method::GET, "/guilds/1/members/2");
    assert_eq!((route.label().as_str(), route.major()), ("GET /guilds/{id}/members/{id}", Some("1")));
    let route = Route::new(&Method::GET, "/users/1");
    assert_eq!((route.label().as_str(), route.major()), ("GET /users/{id}", None));
    assert_eq!(Route::new(&Method::GET, "").label(), "GET /");
    assert_eq!(Route::new(&Method::GET, "/users/1?with=x").label(), "GET /users/{id}");
}

#[test]
fn interactions_do_not_count_globally() {
    assert!(!Route::new(&Method::POST, "/interactions/1/{token}/callback").counts_globally());
    assert!(Route::new(&Method::POST, "/channels/1/messages").counts_globally());
}
