//! The arguments of `pip install` that a component's bootstrap gives, as far as they are honoured.
use serde::Serialize;

use super::Error;

/// One `pip install`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Install {
    /// What to install. The order does not matter to pip.
    pub(super) requirements: Vec<String>,
    /// Options that change what is installed, each with its value if it takes one.
    pub(super) options: Vec<(&'static str, Option<String>)>,
    pub(super) index_url: Option<String>,
    pub(super) extra_index_urls: Vec<String>,
    pub(super) trusted_hosts: Vec<String>,
}

/// Options without a value that have a say in the result.
const FLAGS: [(&str, &str); 9] = [
    ("--no-deps", "--no-deps"),
    ("--upgrade", "--upgrade"),
    ("-U", "--upgrade"),
    ("--pre", "--pre"),
    ("--no-index", "--no-index"),
    ("--no-build-isolation", "--no-build-isolation"),
    ("--force-reinstall", "--force-reinstall"),
    ("--prefer-binary", "--prefer-binary"),
    ("--use-pep517", "--use-pep517"),
];

/// Options about the talk on the way, or about a place where an environment of our own is not.
const IGNORED: [&str; 13] = [
    "--quiet",
    "-q",
    "-qq",
    "-qqq",
    "--verbose",
    "-v",
    "--no-warn-script-location",
    "--disable-pip-version-check",
    "--no-input",
    "--no-cache-dir",
    "--no-color",
    "--break-system-packages",
    "--root-user-action=ignore",
];

/// Options with a value that have a say in the result.
const VALUES: [(&str, &str); 5] = [
    ("--only-binary", "--only-binary"),
    ("--no-binary", "--no-binary"),
    ("--upgrade-strategy", "--upgrade-strategy"),
    ("--find-links", "--find-links"),
    ("-f", "--find-links"),
];

impl Install {
    /// # Errors
    ///
    /// Names the argument that is an option, and not one of those above. Requirements may be names, URLs and paths:
    /// they are looked at inside the sandbox.
    pub(super) fn parse(arguments: &[String]) -> Result<Self, Error> {
        let mut install = Self::default();
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            if !argument.trim_start().starts_with('-') {
                install.requirements.extend(Some(argument.trim().to_owned()).filter(|text| !text.is_empty()));
                continue;
            }
            let refused = || Error::Argument(argument.clone());
            if IGNORED.contains(&argument.as_str()) {
                continue;
            }
            if let Some((_, name)) = FLAGS.iter().find(|(flag, _)| flag == argument) {
                install.options.push((name, None));
                continue;
            }
            let (name, inline) = match argument.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (argument.as_str(), None),
            };
            let mut value = || inline.clone().or_else(|| arguments.next().cloned()).ok_or_else(refused);
            match name {
                "--index-url" | "-i" => install.index_url = Some(value()?),
                "--extra-index-url" => install.extra_index_urls.push(value()?),
                "--trusted-host" => install.trusted_hosts.push(value()?),
                _ => {
                    let (_, name) = VALUES.iter().find(|(option, _)| *option == name).ok_or_else(refused)?;
                    install.options.push((name, Some(value()?)));
                }
            }
        }
        install.requirements.sort_unstable();
        install.requirements.dedup();
        install.options.sort_unstable();
        install.options.dedup();
        Ok(install)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &str) -> Result<Install, Error> {
        Install::parse(&arguments.split(' ').map(str::to_owned).collect::<Vec<_>>())
    }

    #[rstest::rstest]
    #[case::order("b==1 a --pre --no-deps", "--no-deps a b==1 --pre")]
    #[case::talk("--quiet --no-warn-script-location a", "a")]
    #[case::short("-U -i https://x a", "a --upgrade --index-url=https://x")]
    #[case::twice("a a", "a")]
    fn the_same(#[case] one: &str, #[case] other: &str) {
        assert_eq!(parse(one).unwrap(), parse(other).unwrap());
    }

    #[rstest::rstest]
    #[case::version("a==1", "a==2")]
    #[case::dependencies("a", "a --no-deps")]
    #[case::index("a --index-url https://x", "a --index-url https://y")]
    #[case::extra("a --extra-index-url https://x --extra-index-url https://y", "a --extra-index-url https://x")]
    fn different(#[case] one: &str, #[case] other: &str) {
        assert_ne!(parse(one).unwrap(), parse(other).unwrap());
    }

    #[rstest::rstest]
    #[case("--target /etc a", "--target")]
    #[case("a --python=/usr/bin/python3", "--python=/usr/bin/python3")]
    #[case("-r requirements.txt", "-r")]
    #[case("--config-settings=x=y a", "--config-settings=x=y")]
    #[case("a --index-url", "--index-url")]
    #[case("-e .", "-e")]
    #[case("-- a", "--")]
    fn refused(#[case] arguments: &str, #[case] named: &str) {
        let error = parse(arguments).unwrap_err();
        assert!(matches!(&error, Error::Argument(argument) if argument == named), "{error}");
    }

    #[test]
    fn an_option_behind_a_space_is_an_option() {
        assert!(Install::parse(&[" --target=/etc".to_owned()]).is_err());
    }
}
