use anyhow::anyhow;
use metrics_exporter_prometheus::PrometheusBuilder;

use super::*;

#[tokio::test]
async fn a_call_is_counted_with_its_outcome_and_its_time_and_named_in_the_error() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let _counting = metrics::set_default_local_recorder(&recorder);
    timed("nats", "channels", async { Ok(()) }).await.expect("it succeeds");
    let failing = async { Err::<(), _>(anyhow!("the reason")) };
    let error = timed("nats", "channels", failing).await.expect_err("it fails");
    assert_eq!(error.to_string(), "the store is unavailable: channels in nats: the reason");
    timed("nats", "revoke", std::future::pending::<anyhow::Result<()>>()).await.expect_err("it hangs");
    let page = recorder.handle().render();
    for line in [
        r#"sentry_bot_store_calls_total{store="nats",operation="channels",outcome="ok"} 1"#,
        r#"sentry_bot_store_calls_total{store="nats",operation="channels",outcome="error"} 1"#,
        r#"sentry_bot_store_calls_total{store="nats",operation="revoke",outcome="timeout"} 1"#,
        r#"sentry_bot_store_call_seconds_count{store="nats",operation="channels"} 2"#,
    ] {
        assert!(page.contains(line), "{line} is not in\n{page}");
    }
}
