use secrecy::ExposeSecret as _;

use super::*;

fn form(id: &str, input: &str) -> FilledIn {
    FilledIn { id: id.to_owned(), inputs: [(input.to_owned(), "typed".into())].into() }
}

#[test]
fn what_comes_back_names_the_channel_that_was_asked_for() {
    let form = form("secret:42", "client-secret");
    let (channel, typed) = read(&form).expect("this modal");
    assert_eq!((channel, typed.expose_secret()), (ChannelId::new(42), "typed"));
}

#[test]
fn another_versions_modal_is_none_of_ours() {
    for (id, input) in [("secret:", "client-secret"), ("token:42", "client-secret"), ("secret:42", "x")] {
        assert!(read(&form(id, input)).is_none(), "{id} {input}");
    }
}
