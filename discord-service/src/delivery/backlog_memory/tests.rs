use super::*;

#[test]
fn a_lane_takes_what_is_free_and_always_a_little() {
    let memory = BacklogMemory::new(100, 5);
    let (mut one, mut other) = (memory.share(), memory.share());
    assert_eq!(one.grow(0, 90), 90);
    assert_eq!(other.grow(0, 20), 5, "that much in any case");
    assert_eq!(other.grow(5, 20), 0);
    one.shrink(50);
    assert_eq!(other.grow(5, 20), 20);
    drop((one, other));
    assert_eq!(memory.free.available_permits(), 100);
}
