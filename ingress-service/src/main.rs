//! The webhook receiver. See the library for what it does.

use std::process::ExitCode;

use ingress_service::{
    Application,
    metrics::METRICS,
    settings::{IngressCommand, IngressSettings},
};
use shared::{healthcheck, process, settings, shutdown, telemetry};

const SERVICE: &str = "ingress-service";

#[tokio::main]
async fn main() -> ExitCode {
    process::install_crypto();
    process::exit_code(SERVICE, serve().await)
}

async fn serve() -> anyhow::Result<()> {
    let settings: IngressSettings = settings::parse()?;
    if let Some(IngressCommand::Healthcheck) = settings.command {
        return healthcheck::run(settings.admin_addr);
    }
    let metrics = telemetry::init(SERVICE, settings.common.log_format, METRICS)?;
    let dsn = settings::secret("SENTRY_DSN", settings.common.sentry_dsn_file.as_ref())?;
    let _sentry = telemetry::start_sentry(SERVICE, dsn.as_ref(), &settings.common)?;
    let stop = shutdown::on_signal()?;
    let application = tokio::select! {
        built = Application::build(settings, metrics) => built?,
        () = stop.cancelled() => return Ok(()),
    };
    application.run(stop).await
}
