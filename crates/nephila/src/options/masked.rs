//! Values as they may be shown to anyone: without their secrets.

use super::table::{CrawlConfig, OptionSpec};

/// What stands for a secret.
const MASK: &str = "***";

/// The value of an option as [`OptionSpec::value`] gives it, with the secrets in it masked:
/// `serve-token`, passwords in `auth` and `proxy`, and the values of headers that carry credentials.
pub fn masked_value(option: &OptionSpec, config: &CrawlConfig) -> Vec<String> {
    let items = option.value(config);
    match option.name {
        "auth" => items
            .iter()
            .map(|item| without_password(item, "="))
            .collect(),
        "proxy" => items.iter().map(|item| without_user_info(item)).collect(),
        "serve-token" => items.iter().map(|item| masked_whole(item)).collect(),
        "header" => items.iter().map(|item| without_credentials(item)).collect(),
        _ => items,
    }
}

/// A secret, where there is one.
fn masked_whole(item: &str) -> String {
    match item {
        "none" => item.to_owned(),
        _ => MASK.to_owned(),
    }
}

/// `HOST=USER:PASSWORD` or `USER:PASSWORD`.
fn without_password(item: &str, before_user: &str) -> String {
    let start = item
        .find(before_user)
        .map_or(0, |at| at + before_user.len());
    let (head, credentials) = item.split_at_checked(start).unwrap_or(("", item));
    match credentials.split_once(':') {
        Some((user, _)) => format!("{head}{user}:{MASK}"),
        None => item.to_owned(),
    }
}

/// `[SCHEME://][USER:PASSWORD@]HOST:PORT`. A password may hold an `@`: the last one counts.
fn without_user_info(item: &str) -> String {
    let Some((before, host)) = item.rsplit_once('@') else {
        return item.to_owned();
    };
    let (scheme, credentials) = match before.split_once("://") {
        Some((scheme, credentials)) => (format!("{scheme}://"), credentials),
        None => (String::new(), before),
    };
    let user = credentials.split(':').next().unwrap_or_default();
    format!("{scheme}{user}:{MASK}@{host}")
}

/// `NAME: VALUE`.
fn without_credentials(item: &str) -> String {
    const SECRET: [&str; 4] = [
        "authorization",
        "proxy-authorization",
        "cookie",
        "x-api-key",
    ];
    let (name, _) = item.split_once(':').unwrap_or((item, ""));
    if SECRET
        .iter()
        .any(|secret| name.trim().eq_ignore_ascii_case(secret))
    {
        return format!("{name}: {MASK}");
    }
    item.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::{Settings, option};

    fn shown(name: &str, written: &str) -> Vec<String> {
        let config = Settings::new()
            .with(name, written)
            .unwrap()
            .check()
            .unwrap();
        masked_value(option(name).unwrap(), &config)
    }

    #[test]
    fn secrets_are_masked_and_the_rest_is_as_written() {
        assert_eq!(shown("auth", "a.test=me:se:cr=et"), ["a.test=me:***"]);
        assert_eq!(
            shown("proxy", "http://me:p@ss@proxy.test:3128"),
            ["http://me:***@proxy.test:3128"]
        );
        assert_eq!(
            shown("proxy", "http://proxy.test:3128"),
            ["http://proxy.test:3128"]
        );
        assert_eq!(
            shown("header", "Authorization: Bearer x"),
            ["authorization: ***"]
        );
        assert_eq!(shown("header", "X-Team: crawl"), ["x-team: crawl"]);
        assert_eq!(shown("delay", "2s"), ["2s"]);
    }
}
