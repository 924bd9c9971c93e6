//! A target with as many waiting alerts as may.

use shared::wire;

use super::{
    super::{all, event},
    *,
};

const WAITING: u64 = 40;

#[test]
fn a_full_targets_queue_is_not_asked_for_each_alert() {
    let accepted = alerts(&["web"]);
    let histories = all(1, async |world| {
        world.lock().rules.insert(CHANNEL, usual());
        world.lock().room_in_target = WAITING as usize;
        for number in 1..=WAITING {
            let waits = Alert { channel: TARGET, ..event(number, "waits") };
            world.lock().store(TARGET, None, waits.encode().into());
        }
        accepted.iter().for_each(|alert| world.accept(alert));
        let home = async || {
            tokio::select! {
                biased;
                () = world.crashed() => false,
                () = lane(services(&world), CHANNEL) => true,
            }
        };
        while !home().await {
            world.lock().copy_ids.clear();
            let asked = world.lock().asked.remove(&wire::alert_subject(TARGET)).unwrap_or_default();
            assert!(asked <= 1, "{asked}");
        }
        let asked = world.lock().asked.remove(&wire::alert_subject(TARGET)).unwrap_or_default();
        assert!(asked <= 1, "{asked}");
    });
    assert!(histories > 10, "{histories}");
}
