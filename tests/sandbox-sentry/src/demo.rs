//! The organization that the program shows.

use crate::{Event, Frame, Issue, Member, Organization, Project, SandboxSentry, Team, Token};

/// The organization's slug.
pub const ORGANIZATION: &str = "acme";
/// The project's slug.
pub const PROJECT: &str = "backend-api";

/// The scopes that an integration needs for the buttons, and for a list of people and teams.
pub const SCOPES: [&str; 4] = ["event:write", "member:read", "org:read", "project:read"];

/// What was filled in.
#[derive(Debug)]
pub struct Demo {
    /// The issues with their titles.
    pub issues: Vec<(u64, &'static str)>,
}

/// Fills a sandbox with an organization, a project, people and issues. The token is the integration's.
pub fn fill(sandbox: &SandboxSentry, token: &str) -> Demo {
    let acme = sandbox.add_organization(Organization::new(ORGANIZATION).name("Acme"));
    let olivia = Member::new("Olivia", "olivia@example.com");
    let team = Team::new("backend").user(olivia.user().unwrap_or_default());
    let team = sandbox.add_team(acme, team);
    sandbox.add_member(acme, olivia);
    sandbox.add_member(acme, Member::new("Kenji", "kenji@example.com"));
    sandbox.add_member(acme, Member::invited("new@example.com"));
    let project = Project::new(PROJECT).name("Backend API").release("backend-api@1.4.0").team(team);
    let project = sandbox.add_project(acme, project);
    sandbox.add_token(Token::integration(acme).scopes(SCOPES).secret(token));
    let titles = [
        "KeyError: 'customer_id'",
        "TypeError: Cannot read properties of undefined",
        "TimeoutError: the payment took 30 s",
    ];
    let add = |title: &'static str| (sandbox.add_issue(project, issue(title)), title);
    Demo { issues: titles.map(add).to_vec() }
}

/// A new issue with one event, which has frames.
pub(crate) fn issue(title: &str) -> Issue {
    let event = Event::new(title)
        .environment("production")
        .frame(
            Frame::new("django/core/handlers/exception.py", "inner", 55, "response = get_response(request)")
                .library(),
        )
        .frame(Frame::new("orders/views.py", "checkout", 88, "customer = lookup(payload)"))
        .frame(Frame::new("orders/models.py", "lookup", 41, "return customers[payload['customer_id']]"));
    Issue::new(title).culprit("/api/v2/orders/{order_id}").event(event)
}
