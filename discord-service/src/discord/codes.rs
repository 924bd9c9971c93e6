//! Discord's JSON error codes that the bot knows. `answer_meaning` says what each means
//! for a request. <https://docs.discord.com/developers/topics/opcodes-and-status-codes#json>

pub(crate) const UNKNOWN_CHANNEL: u32 = 10_003;
pub(crate) const UNKNOWN_GUILD: u32 = 10_004;
pub(crate) const UNKNOWN_MEMBER: u32 = 10_007;
pub(crate) const UNKNOWN_MESSAGE: u32 = 10_008;
pub(crate) const UNKNOWN_USER: u32 = 10_013;
pub(crate) const UNKNOWN_WEBHOOK: u32 = 10_015;
pub(crate) const UNKNOWN_INTERACTION: u32 = 10_062;
/// Too many edits of messages older than an hour.
pub(crate) const OLD_EDITS_LIMITED: u32 = 30_046;
/// A valid token is needed.
pub(crate) const UNAUTHORIZED: u32 = 40_001;
/// Sending messages has been temporarily disabled.
pub(crate) const SENDING_DISABLED: u32 = 40_004;
/// This feature has been temporarily disabled.
pub(crate) const FEATURE_DISABLED: u32 = 40_006;
/// The interaction has its first answer.
pub(crate) const ALREADY_ACKNOWLEDGED: u32 = 40_060;
/// A resource of Discord is being rate limited.
pub(crate) const RESOURCE_LIMITED: u32 = 40_062;
/// An internal network error, from Discord's edge.
pub(crate) const EDGE_ERROR: u32 = 40_333;
pub(crate) const MISSING_ACCESS: u32 = 50_001;
/// The message was written by another user.
pub(crate) const NOT_OUR_MESSAGE: u32 = 50_005;
/// The message is empty.
pub(crate) const EMPTY_MESSAGE: u32 = 50_006;
/// A channel of this type takes no messages.
pub(crate) const NO_MESSAGES_HERE: u32 = 50_008;
pub(crate) const MISSING_PERMISSIONS: u32 = 50_013;
pub(crate) const INVALID_WEBHOOK_TOKEN: u32 = 50_027;
pub(crate) const INVALID_FORM_BODY: u32 = 50_035;
pub(crate) const ARCHIVED_THREAD: u32 = 50_083;
/// Discord's API is overloaded.
pub(crate) const OVERLOADED: u32 = 130_000;
/// A reply needs the permission Read Message History.
pub(crate) const NO_MESSAGE_HISTORY: u32 = 160_002;
pub(crate) const LOCKED_THREAD: u32 = 160_005;
pub(crate) const BLOCKED_BY_AUTOMOD: u32 = 200_000;
/// Blocked by the filter of harmful links.
pub(crate) const HARMFUL_LINK: u32 = 240_000;
