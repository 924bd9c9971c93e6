//! What discord-service counts and measures, beside [`Metric::COMMON`].

use shared::telemetry::Metric;
use strum::VariantNames as _;

use crate::dead_letters::DeadLetterReason;

/// All of it.
pub const METRICS: &[Metric] = &[
    // Delivery.
    Metric::gauge("sentry_bot_alerts_waiting", "Alerts that wait in the partitions that this pod serves"),
    Metric::gauge(
        "sentry_bot_channels_waiting",
        "Channels with waiting alerts, in the partitions that this pod serves",
    ),
    Metric::gauge(
        "sentry_bot_oldest_alert_age_seconds",
        "How long the oldest alert of the whole queue has been there; 0 when it is empty",
    ),
    Metric::gauge("sentry_bot_lanes", "Channels that this pod is at work on"),
    Metric::counter("sentry_bot_posts_total", "Messages that Discord confirmed").zero(),
    Metric::counter("sentry_bot_edits_total", "Messages that were edited because an issue in them changed")
        .zero(),
    Metric::counter("sentry_bot_embeds_total", "Embeds in those messages").zero(),
    Metric::counter("sentry_bot_alerts_posted_total", "Alerts in those messages").zero(),
    Metric::counter("sentry_bot_alerts_folded_total", "Alerts that share an embed with an earlier one")
        .zero(),
    Metric::counter(
        "sentry_bot_post_retries_total",
        "Posts that were repeated because Discord had not confirmed them",
    )
    .zero(),
    Metric::seconds(
        "sentry_bot_delivery_seconds",
        "From Sentry's request to Discord's answer, by the oldest alert of a post",
    ),
    Metric::counter("sentry_bot_dead_letters_total", "Alerts that became dead letters, by reason")
        .values("reason", DeadLetterReason::VARIANTS),
    Metric::counter(
        "sentry_bot_alerts_dropped_total",
        "Alerts that rules dropped, and those of strangers: for channels that nobody ever authorized",
    )
    .values("why", &["rule", "stranger"]),
    Metric::counter("sentry_bot_alerts_routed_total", "Alerts that rules sent on to another channel").zero(),
    Metric::counter("sentry_bot_alerts_muted_total", "Alerts that mutes kept quiet").zero(),
    Metric::counter(
        "sentry_bot_alerts_stranded_total",
        "Alerts that stayed where Sentry sent them because a rule's target could not take them, by reason",
    )
    .values("why", &["full", "gone", "secured"]),
    Metric::counter(
        "sentry_bot_lane_interruptions_total",
        "Lanes that started again because something was away",
    )
    .zero(),
    Metric::counter(
        "sentry_bot_records_unreadable_total",
        "Posts in flight that another version had recorded",
    )
    .zero(),
    Metric::counter(
        "sentry_bot_stack_traces_failed_total",
        "Stack traces that could not be kept for the button of their message",
    )
    .zero(),
    // Discord.
    Metric::counter("sentry_bot_discord_requests_total", "Requests to Discord, by route and outcome"),
    Metric::seconds("sentry_bot_discord_request_seconds", "Time of each request to Discord, by route"),
    Metric::counter("sentry_bot_discord_rate_limited_total", "Answers of 429, by scope"),
    // Verdicts and the store.
    Metric::counter("sentry_bot_verdicts_total", "Verdicts given to the ingress, by verdict"),
    Metric::counter("sentry_bot_store_calls_total", "Calls of the store, by operation and outcome"),
    Metric::seconds("sentry_bot_store_call_seconds", "Time of each call of the store, by operation"),
    Metric::counter("sentry_bot_trust_mirrored_total", "Channels whose trust was written for the ingress")
        .zero(),
    Metric::counter(
        "sentry_bot_trust_reconciliations_failed_total",
        "Failures to compare what the ingress knows of trust with the store",
    )
    .zero(),
    // Sentry's addresses.
    Metric::gauge(
        "sentry_bot_sentry_addresses",
        "Networks in the copy of Sentry's addresses, also those that vanished within 30 days",
    ),
    Metric::gauge(
        "sentry_bot_sentry_addresses_age_seconds",
        "Time since the addresses that Sentry publishes were last read",
    ),
    Metric::counter(
        "sentry_bot_sentry_addresses_failures_total",
        "Failures to read the addresses that Sentry publishes",
    )
    .zero(),
    // Commands and the gateway.
    Metric::counter("sentry_bot_commands_total", "Commands, by name and outcome"),
    Metric::counter("sentry_bot_replies_failed_total", "Replies that Discord did not take").zero(),
    Metric::counter("sentry_bot_slash_registrations_failed_total", "Failures to register the slash commands")
        .zero(),
    Metric::gauge("sentry_bot_gateway_shards_up", "Shards of the gateway that this pod has a session on"),
    Metric::gauge(
        "sentry_bot_gateway_identifies_left",
        "IDENTIFYs that Discord takes from the bot today, as it said last",
    ),
    Metric::counter("sentry_bot_gateway_reconnects_total", "Reconnects to the gateway").zero(),
    Metric::counter(
        "sentry_bot_gateway_messages_dropped_total",
        "Commands and interactions without room: too many came at once",
    )
    .zero(),
    Metric::seconds("sentry_bot_gateway_heartbeat_seconds", "From a heartbeat to Discord's answer"),
    // Sharing the work.
    Metric::gauge("sentry_bot_pods", "Pods that share the work, as this one sees it"),
    Metric::gauge("sentry_bot_leases_held", "Partitions and shards that this pod holds, by kind"),
    Metric::counter("sentry_bot_leases_lost_total", "Leases that this pod could not renew in time").zero(),
    Metric::counter("sentry_bot_lease_renew_failures_total", "Failed renewals").zero(),
    Metric::counter("sentry_bot_lease_takeovers_total", "Leases taken over from pods that are gone").zero(),
];
