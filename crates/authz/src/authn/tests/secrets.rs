//! No credentials in what is said of them.
use super::{issuers::with_issuers, *};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use proptest::prelude::*;

/// Something like a token, with a part that nothing else has in it.
fn token() -> impl Strategy<Value = String> {
    let word = "[A-Za-z0-9_=+/~-]{0,12}";
    let json = prop::sample::select(vec![
        r#"{"alg":"RS256"}"#,
        r#"{"alg":"none"}"#,
        r#"{"alg":"s3cr3ts3cr3t"}"#,
        r#"{"iss":"http://127.0.0.1:1","email":"s3cr3ts3cr3t"}"#,
        r#"{"iss":"http://127.0.0.1:1"}"#,
        r#"{"iss":"other","exp":1}"#,
        r#"{"exp":{}}"#,
        "[]",
        "s3cr3ts3cr3t",
    ]);
    let part = prop_oneof![word.prop_map(String::from), json.prop_map(|json| URL_SAFE_NO_PAD.encode(json))];
    let parts = prop::collection::vec(part, 0..5).prop_map(|parts| parts.join("."));
    let begin = prop::sample::select(vec!["", "bhk_", "bad", "s3cr3ts3cr3t"]);
    (begin, parts, any::<bool>()).prop_map(|(begin, parts, marked)| {
        let mark = if marked { "s3cr3ts3cr3t" } else { "" };
        format!("{begin}{parts}{mark}")
    })
}

/// How a client might send it, wrongly too.
fn sent() -> impl Strategy<Value = String> {
    let form = prop::sample::select(vec![
        "Bearer {}",
        "bearer  {} ",
        "Bearer {} x",
        "Bearer {},{}",
        "Basic {}",
        "{}",
        "{}\u{e4}",
    ]);
    (form, token()).prop_map(|(form, token)| form.replace("{}", &token))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn nothing_that_is_said_repeats_a_token(value in sent(), oidc: bool, review: bool, named: bool) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let said = runtime.block_on(async {
            let authn = with_issuers(oidc, review);
            let mut headers = vec![(TOKEN, value.as_str())];
            if named {
                headers.push((USER, "jane"));
            }
            match who(&authn, PROXY, &headers).await {
                Ok(said) => format!("{said} {authn:?}"),
                Err(error) => format!("{error} {error:?} {authn:?}"),
            }
        });
        for part in value.split(|c: char| !c.is_ascii_alphanumeric()).filter(|part| part.len() > 7) {
            prop_assert!(!said.contains(part), "{part} of {value:?} is in {said:?}");
        }
        prop_assert!(!said.contains("s3cr3t"), "{value:?}: {said:?}");
    }
}
