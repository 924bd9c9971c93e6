//! A page of another site must not steer the sandbox through the browser of the
//! person who has both open.

use actix_web::{
    Error, ResponseError,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::{Method, header},
    middleware::Next,
};
use anyhow::anyhow;
use sandbox_server::Refused;
use url::{Host, Url};

/// Lets a request pass that changes nothing, that no page sent, or that the
/// sandbox's own page sent.
pub(super) async fn guard(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    if request.method() == Method::GET || is_own(&request) {
        return Ok(next.call(request).await?.map_into_boxed_body());
    }
    let refusal = Refused::from(anyhow!("this request comes from a page of another site"));
    Ok(request.into_response(refusal.error_response()))
}

/// Browsers name the page's origin; scripts do not. A name in place of an
/// address could be made to lead here from any site.
fn is_own(request: &ServiceRequest) -> bool {
    let Some(origin) = request.headers().get(header::ORIGIN) else { return true };
    let origin = origin.to_str().unwrap_or_default();
    let address = match Url::parse(origin).ok().as_ref().and_then(Url::host) {
        Some(Host::Domain(name)) => name == "localhost",
        Some(_) => true,
        None => false,
    };
    address && origin.split_once("://").is_some_and(|(_, host)| host == request.connection_info().host())
}
