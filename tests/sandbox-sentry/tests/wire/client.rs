//! A small client of the sandbox, and an organization to try it on.

use std::sync::LazyLock;

use reqwest::{Method, RequestBuilder, Response};
use sandbox_sentry::{
    Config, Event, Frame, Issue, Member, Organization, Project, RateLimits, SandboxSentry, Team, Token,
};
use serde_json::{Value, json};

pub(crate) const ALL: [&str; 6] =
    ["event:read", "event:write", "event:admin", "member:read", "org:read", "project:read"];

/// A sandbox with an organization, people, a project and an issue.
pub(crate) struct World {
    pub(crate) sandbox: SandboxSentry,
    pub(crate) acme: u64,
    pub(crate) team: u64,
    pub(crate) olivia: u64,
    pub(crate) project: u64,
    pub(crate) issue: u64,
    pub(crate) token: String,
}

/// An answer, read.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    pub(crate) fn detail(&self) -> &str {
        self.body["detail"].as_str().unwrap_or_default()
    }
}

/// One client for all tests: making one reads the system's certificates, which takes longer than most tests. It keeps
/// no connection, since each belongs to the runtime of one test.
pub(crate) fn http() -> &'static reqwest::Client {
    static CLIENT: LazyLock<reqwest::Client> = LazyLock::new(|| {
        let builder = reqwest::Client::builder().pool_max_idle_per_host(0);
        builder.redirect(reqwest::redirect::Policy::none()).build().unwrap()
    });
    &CLIENT
}

impl World {
    pub(crate) fn start() -> Self {
        Self::with(Config::default().limits(RateLimits::unlimited()))
    }

    pub(crate) fn with(config: Config) -> Self {
        let sandbox = SandboxSentry::start(config);
        let acme = sandbox.add_organization(Organization::new("acme").name("Acme"));
        let member = Member::new("Olivia", "olivia@example.com");
        let olivia = member.user().unwrap();
        sandbox.add_member(acme, member);
        let team = sandbox.add_team(acme, Team::new("backend").user(olivia));
        let project = Project::new("backend-api").name("Backend API").team(team);
        let project = sandbox.add_project(acme, project);
        let event = Event::new("KeyError: 'id'")
            .environment("production")
            .frame(Frame::new("django/handler.py", "inner", 55, "response = get_response(request)").library())
            .frame(Frame::new("orders/models.py", "lookup", 41, "return customers[id]"));
        let issue = sandbox.add_issue(project, Issue::new("KeyError: 'id'").culprit("/orders").event(event));
        let token = sandbox.add_token(Token::integration(acme).scopes(ALL));
        Self { sandbox, acme, team, olivia, project, issue, token }
    }

    /// A request below `/api/0` with this token.
    pub(crate) fn request(&self, token: &str, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}/api/0{path}", self.sandbox.url());
        http().request(method, url).header("authorization", format!("Bearer {token}"))
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        read(self.request(&self.token, Method::GET, path).send().await.unwrap()).await
    }

    /// The path of the issue, with what follows it.
    pub(crate) fn path(&self, rest: &str) -> String {
        format!("/organizations/acme/issues/{}/{rest}", self.issue)
    }

    pub(crate) async fn put(&self, body: Value) -> Answer {
        self.put_with(&self.token, body).await
    }

    pub(crate) async fn put_with(&self, token: &str, body: Value) -> Answer {
        read(self.request(token, Method::PUT, &self.path("")).json(&body).send().await.unwrap()).await
    }

    pub(crate) async fn comment(&self, text: &str) -> Answer {
        let request = self.request(&self.token, Method::POST, &self.path("comments/"));
        read(request.json(&json!({ "text": text })).send().await.unwrap()).await
    }

    /// Changes the issue, and returns its status, substatus and details.
    pub(crate) async fn change(&self, body: Value) -> (Value, Value, Value) {
        let answer = self.put(body).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let take = |name: &str| answer.body[name].clone();
        (take("status"), take("substatus"), take("statusDetails"))
    }

    /// The kinds of all that happened to the issue.
    pub(crate) fn kinds(&self) -> Vec<&'static str> {
        self.sandbox.activities(self.issue).iter().map(|activity| activity.kind).collect()
    }
}

pub(crate) async fn read(response: Response) -> Answer {
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let text = response.text().await.unwrap();
    // A body that is not JSON is kept as it came.
    let body = if text.is_empty() {
        Value::Null
    } else {
        serde_json::from_str(&text).unwrap_or(Value::String(text))
    };
    Answer { status, headers, body }
}
