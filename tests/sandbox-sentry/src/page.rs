//! The page behind an issue's permalink: what a person sees after "Open in Sentry". Sentry's own is far richer.

use actix_web::{HttpResponse, get, web};

use crate::{
    server::Hub,
    world::{World, issue::Issue, token::Actor},
};

pub(crate) fn routes(config: &mut web::ServiceConfig) {
    config.service(show);
}

#[get("/organizations/{organization}/issues/{issue}/")]
async fn show(hub: web::Data<Hub>, path: web::Path<(String, String)>) -> HttpResponse {
    let (organization, issue) = path.into_inner();
    let page = hub.lock(|world| {
        let own = world.organizations.values().find(|own| own.is_named(&organization))?;
        Some(page(world, &world.issues[&world.find_issue(own.id, &issue)?]))
    });
    match page {
        Some(page) => HttpResponse::Ok().content_type("text/html; charset=utf-8").body(page),
        None => HttpResponse::NotFound().body("There is no such issue."),
    }
}

fn page(world: &World, issue: &Issue) -> String {
    let (title, short_id) = (escape(&issue.title), escape(&world.short_id(issue)));
    let status = <&str>::from(issue.status);
    let substatus = issue.substatus.map(<&str>::from).unwrap_or_default().replace('_', " ");
    let entries: String = issue
        .activities
        .iter()
        .rev()
        .map(|entry| {
            let kind = entry.kind.replace('_', " ");
            let text = escape(entry.data["text"].as_str().unwrap_or_default());
            format!("<li>{}: {kind} {text}</li>\n", escape(&name(world, issue, entry.actor)))
        })
        .collect();
    format!(
        "<!doctype html>\n<meta charset=\"utf-8\">\n<title>{short_id}</title>\n<h1>{title}</h1>\n\
         <p>{short_id}: <b>{status}</b> {substatus}</p>\n<ul>\n{entries}</ul>\n"
    )
}

fn name(world: &World, issue: &Issue, actor: Actor) -> String {
    let user = world.owner(issue).map(|own| world.actor_json(own, actor));
    user.and_then(|user| Some(user["name"].as_str()?.to_owned())).unwrap_or_else(|| "Sentry".to_owned())
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
