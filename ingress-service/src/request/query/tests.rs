use super::*;

#[test]
fn takes_the_parameters_of_the_contract_in_any_order() {
    let query = Query::parse("mention=2&id=1&token=s").expect("valid");
    assert_eq!(query.channel(), Ok(ChannelId::new(1)));
    assert_eq!(query.mention(), Ok(Some(UserId::new(2))));
    assert_eq!(query.token(), Some("s"));
    assert_eq!(Query::parse("%69d=%31").expect("valid").channel(), Ok(ChannelId::new(1)));
}

#[test]
fn an_empty_parameter_counts_as_absent() {
    let query = Query::parse("id=1&mention=&token=&&").expect("valid");
    assert_eq!(query.mention(), Ok(None));
    assert_eq!(query.token(), None);
    assert_eq!(Query::parse("id="), Err(QueryError::NoId));
    assert_eq!(Query::parse("id"), Err(QueryError::NoId));
    assert_eq!(Query::parse(""), Err(QueryError::NoId));
}

#[test]
fn refuses_unknown_repeated_and_broken_parameters() {
    for (query, error) in [
        ("id=1&x=2", QueryError::Unknown),
        ("id=1&x=", QueryError::Unknown),
        ("ID=1", QueryError::Unknown),
        ("id=1&=2", QueryError::Unknown),
        ("id=1&id=1", QueryError::Repeated),
        ("id=1&mention=&mention=2", QueryError::Repeated),
        ("id=1&%69d=2", QueryError::Repeated),
        ("id=%", QueryError::Encoding),
        ("id=%3", QueryError::Encoding),
        ("id=%+1", QueryError::Encoding),
        ("id=%zz", QueryError::Encoding),
        ("id=1&mention=%ff", QueryError::Encoding),
        ("%ff=1", QueryError::Encoding),
    ] {
        assert_eq!(Query::parse(query), Err(error), "{query}");
    }
}

#[test]
fn the_channel_of_a_refused_query_is_known_where_it_names_one() {
    for query in ["id=42&x=1", "x=%&id=42", "id=42&id=43", "%69d=%342&mention=%ff"] {
        assert_eq!(Query::names(query), Some(ChannelId::new(42)), "{query}");
    }
    for query in ["", "id", "id=", "id=x", "ID=42", "mention=42"] {
        assert_eq!(Query::names(query), None, "{query}");
    }
}

#[test]
fn whether_an_id_is_a_number_is_asked_later() {
    let query = Query::parse("id=abc&mention=%20").expect("the parameters are known");
    assert_eq!(query.channel(), Err(InvalidId));
    assert_eq!(query.mention(), Err(InvalidId));
}

#[test]
fn a_token_is_not_printed() {
    let query = Query::parse("id=1&token=hunter2").expect("valid");
    assert!(!format!("{query:?}").contains("hunter2"));
}
