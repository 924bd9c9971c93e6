use super::*;

#[test]
fn a_nats_that_is_back_is_found_while_a_modern_webhook_is_held() {
    let ms = |random| reconnect_delay(random).as_millis();
    assert_eq!((ms(0.0), ms(0.5), ms(1.0)), (100, 150, 200));
}
