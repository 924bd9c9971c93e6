//! Routes: what Discord counts its rate limits by, and what our metrics are
//! labelled with.

use reqwest::Method;

/// The resources whose id splits a rate limit ("major parameters").
const MAJOR: [&str; 4] = ["channels", "guilds", "webhooks", "interactions"];

/// A method and a path without its ids, and the id that splits the limit.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Route {
    method: Method,
    template: String,
    major: Option<String>,
}

impl Route {
    /// `path` may have its minor ids replaced by names in braces; those that
    /// still are numbers are replaced here.
    pub(super) fn new(method: &Method, path: &str) -> Self {
        let path = path.split_once('?').map_or(path, |(path, _)| path);
        let mut segments = path.split('/').filter(|segment| !segment.is_empty());
        let resource = segments.next().unwrap_or_default();
        let mut template = format!("/{resource}");
        let mut major = None;
        for (index, segment) in segments.enumerate() {
            let is_id = segment.bytes().all(|byte| byte.is_ascii_digit());
            if index == 0 && MAJOR.contains(&resource) {
                major = Some(segment.to_owned());
            }
            template.push('/');
            template.push_str(if is_id { "{id}" } else { segment });
        }
        Self { method: method.clone(), template, major }
    }

    pub(super) const fn method(&self) -> &Method {
        &self.method
    }

    /// The path without any id.
    pub(super) fn template(&self) -> &str {
        &self.template
    }

    /// The id that splits the limit, such as the channel's.
    pub(super) fn major(&self) -> Option<&str> {
        self.major.as_deref()
    }

    /// The method and the path without any id: one of a few values.
    pub(super) fn label(&self) -> String {
        format!("{} {}", self.method, self.template)
    }

    /// Whether Discord counts requests to it towards the bot's global limit.
    pub(super) fn counts_globally(&self) -> bool {
        !self.has_own_token()
    }

    /// Whether the path carries a token that stands in for the bot's. Then a
    /// 401 says nothing about the bot's.
    pub(super) fn has_own_token(&self) -> bool {
        self.template.starts_with("/interactions/") || self.template.starts_with("/webhooks/")
    }
}

#[cfg(test)]
mod tests;
