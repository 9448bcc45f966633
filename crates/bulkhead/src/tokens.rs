//! `bulkhead token`: API tokens, made and revoked in the database beside a running server.
use crate::database::Place;
use access::{Authenticators, TokenScope};
use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use domain::{Clock, SystemClock, Timestamp};
use store::NewToken;

#[derive(Args, Debug)]
pub(crate) struct TokenArgs {
    #[command(subcommand)]
    command: TokenCommand,
}

#[derive(Debug, Subcommand)]
enum TokenCommand {
    /// Make a token. Its text is printed alone on the last line, and cannot be shown again.
    Create {
        /// Whose it is, as Profiles and RoleBindings name them.
        #[arg(long, value_name = "NAME")]
        user: String,
        /// A group that the user is in; repeat it for more.
        #[arg(long, value_name = "NAME")]
        group: Vec<String>,
        /// How long it holds: 30d, 12h, 90m, 45s. Without this it holds until it is revoked.
        #[arg(long, value_name = "TIME")]
        expires: Option<String>,
        /// A verb that it is good for, such as get or create; repeat it for more. Without this, all that the user may.
        #[arg(long, value_name = "VERB")]
        verb: Vec<String>,
        /// A namespace that it is good for; repeat it for more. Without this, all that are the user's.
        #[arg(long, value_name = "NAME")]
        namespace: Vec<String>,
        /// What it is for, to tell it from others.
        #[arg(long, value_name = "TEXT", default_value = "")]
        description: String,
        #[command(flatten)]
        place: Place,
    },
    /// List all tokens, without their texts.
    List {
        #[command(flatten)]
        place: Place,
    },
    /// Revoke a token by the id that `list` shows. Servers refuse it within `tokens.cache` seconds.
    Revoke {
        id: String,
        #[command(flatten)]
        place: Place,
    },
}

pub(crate) async fn run(args: TokenArgs) -> anyhow::Result<()> {
    match args.command {
        TokenCommand::Create { user, group, expires, verb, namespace, description, place } => {
            Authenticators::check(&user, &group)?;
            let scope = TokenScope::new(&verb, &namespace)?;
            let expires_at = expires.map(|text| expiry(&text)).transpose()?;
            let store = place.made().await?;
            let new = NewToken { user, groups: group, scope, description, expires_at, made_with: None };
            let (token, secret) = store.create_token(new).await?;
            let until =
                token.expires_at.map_or_else(|| "until it is revoked".to_owned(), |time| format!("until {time}"));
            let place = place.name();
            println!("token {} for {} holds {until} at the server {place}", token.id, token.user);
            println!("keep its text, which is not shown again:");
            println!("{secret}");
        }
        TokenCommand::List { place } => {
            let now = SystemClock.now();
            println!("{:<14} {:<22} {:<22} {:<9} USER (groups)", "ID", "CREATED", "EXPIRES", "STATE");
            for token in place.existing().await?.tokens().await? {
                let state = match (token.revoked_at, token.expires_at) {
                    (Some(_), _) => "revoked",
                    (None, Some(at)) if at <= now => "expired",
                    (None, _) => "valid",
                };
                let expires = token.expires_at.map_or_else(|| "never".to_owned(), |time| time.to_string());
                let groups = token.groups.join(", ");
                println!(
                    "{:<14} {:<22} {expires:<22} {state:<9} {} ({groups})",
                    token.id,
                    token.created_at.to_string(),
                    token.user
                );
            }
        }
        TokenCommand::Revoke { id, place } => {
            if !place.existing().await?.revoke_token(&id).await? {
                bail!("there is no valid token with id {id}; `bulkhead token list` shows them");
            }
            println!("token {id} is revoked");
        }
    }
    Ok(())
}

/// Now and a span such as `30d`.
fn expiry(text: &str) -> anyhow::Result<Timestamp> {
    let span = span(text).context("--expires")?;
    Ok(Timestamp::from_seconds(SystemClock.now().seconds().saturating_add(span)))
}

/// The seconds of a span such as `30d`.
pub(crate) fn span(text: &str) -> anyhow::Result<i64> {
    let wrong = || format!("{text:?} is not understood: write a number and d, h, m or s, such as 30d");
    let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).with_context(wrong)?;
    let seconds = match unit {
        "d" => 86_400,
        "h" => 3_600,
        "m" => 60,
        "s" => 1,
        _ => bail!(wrong()),
    };
    let number: i64 = number.parse().with_context(wrong)?;
    number.checked_mul(seconds).filter(|span| *span > 0).with_context(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans() {
        for (text, seconds) in [("30d", 2_592_000), ("12h", 43_200), ("90m", 5_400), ("45s", 45)] {
            let left = expiry(text).unwrap().seconds() - SystemClock.now().seconds();
            assert!((seconds - 2..=seconds).contains(&left), "{text}");
        }
        for bad in ["", "d", "30", "30w", "-1d", "0s", "1.5h", "é", "99999999999999999d"] {
            assert!(expiry(bad).is_err(), "{bad:?}");
        }
    }
}
