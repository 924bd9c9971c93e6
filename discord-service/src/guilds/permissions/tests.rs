use super::*;

const EVERYONE: u64 = 1;
const MODERATOR: u64 = 2;
const MUTED: u64 = 3;
const ADMIN: u64 = 4;
const OWNER: u64 = 10;
const USER: u64 = 11;
const MANAGE: Permissions = Permissions::MANAGE_MESSAGES;
const VIEW: Permissions = Permissions::VIEW_CHANNEL;
const SEND: Permissions = Permissions::SEND_MESSAGES;

/// Everyone may see and write, moderators manage messages.
fn guild() -> Guild {
    let roles = [
        (EVERYONE, VIEW | SEND),
        (MODERATOR, MANAGE),
        (MUTED, Permissions::empty()),
        (ADMIN, Permissions::ADMINISTRATOR),
    ];
    let (id, owner) = (GuildId::new(EVERYONE), UserId::new(OWNER));
    Guild { id, owner, roles: roles.into(), mentionable: BTreeSet::new(), bots: BTreeMap::new() }
}

fn member(id: u64, roles: &[u64]) -> Member {
    Member { id: UserId::new(id), roles: roles.to_vec(), timed_out_until: None }
}

fn allow(allow: Permissions) -> Overwrite {
    Overwrite { allow, ..Overwrite::default() }
}

fn deny(deny: Permissions) -> Overwrite {
    Overwrite { deny, ..Overwrite::default() }
}

fn roles<const N: usize>(roles: [(u64, Overwrite); N]) -> Overwrites {
    Overwrites { roles: roles.into(), ..Overwrites::default() }
}

fn may_manage(member: &Member, overwrites: &Overwrites) -> bool {
    allows(granted(&guild(), member, overwrites, Utc::now()), MANAGE)
}

#[test]
fn a_role_grants_it() {
    assert!(!may_manage(&member(USER, &[]), &Overwrites::default()));
    assert!(may_manage(&member(USER, &[MODERATOR]), &Overwrites::default()));
    assert!(!may_manage(&member(USER, &[99]), &Overwrites::default()), "an unknown role grants nothing");
}

#[test]
fn the_owner_and_administrators_are_bound_by_nothing() {
    let denied = Overwrites {
        roles: [(EVERYONE, deny(Permissions::all()))].into(),
        members: [(OWNER, deny(Permissions::all())), (USER, deny(Permissions::all()))].into(),
    };
    let mut admin = member(USER, &[ADMIN]);
    admin.timed_out_until = Some(Utc::now() + chrono::TimeDelta::hours(1));
    assert!(may_manage(&member(OWNER, &[]), &denied));
    assert!(may_manage(&admin, &denied));
}

#[test]
fn an_overwrite_for_everyone_gives_and_takes() {
    assert!(may_manage(&member(USER, &[]), &roles([(EVERYONE, allow(MANAGE))])));
    assert!(!may_manage(&member(USER, &[MODERATOR]), &roles([(EVERYONE, deny(MANAGE))])));
}

#[test]
fn an_overwrite_for_a_role_comes_after_that_for_everyone() {
    let overwrites = roles([(EVERYONE, deny(MANAGE)), (MODERATOR, allow(MANAGE))]);
    assert!(may_manage(&member(USER, &[MODERATOR]), &overwrites));
    assert!(!may_manage(&member(USER, &[MUTED]), &overwrites));
}

#[test]
fn what_one_role_allows_no_other_role_denies() {
    let overwrites = roles([(MUTED, deny(MANAGE)), (MODERATOR, allow(MANAGE))]);
    assert!(may_manage(&member(USER, &[MUTED, MODERATOR]), &overwrites));
    assert!(!may_manage(&member(USER, &[MUTED, MODERATOR]), &roles([(MUTED, deny(MANAGE))])));
}

#[test]
fn an_overwrite_for_the_member_comes_last() {
    let of_member = |overwrite| Overwrites {
        roles: [(MODERATOR, deny(MANAGE)), (MUTED, allow(MANAGE))].into(),
        members: [(USER, overwrite)].into(),
    };
    assert!(may_manage(&member(USER, &[MODERATOR]), &of_member(allow(MANAGE))));
    assert!(!may_manage(&member(USER, &[MUTED]), &of_member(deny(MANAGE))));
    assert!(!may_manage(&member(12, &[]), &of_member(allow(MANAGE))), "another member's");
}

#[test]
fn nothing_counts_in_a_channel_that_one_cannot_see() {
    let hidden = roles([(EVERYONE, deny(VIEW))]);
    assert!(!may_manage(&member(USER, &[MODERATOR]), &hidden));
    let granted = granted(&guild(), &member(USER, &[MODERATOR]), &hidden, Utc::now());
    assert_eq!(granted, MANAGE | SEND, "but only seeing it is missing");
}

#[test]
fn a_time_out_leaves_seeing_until_it_ends() {
    let now = Utc::now();
    let mut moderator = member(USER, &[MODERATOR]);
    moderator.timed_out_until = Some(now + chrono::TimeDelta::seconds(1));
    assert_eq!(granted(&guild(), &moderator, &Overwrites::default(), now), VIEW);
    moderator.timed_out_until = Some(now);
    assert!(may_manage(&moderator, &Overwrites::default()));
}

#[test]
fn permissions_have_the_names_of_discords_client() {
    let missing = Permissions::VIEW_CHANNEL | Permissions::SEND_MESSAGES_IN_THREADS;
    assert_eq!(names(missing), ["View Channel", "Send Messages in Threads"]);
}
