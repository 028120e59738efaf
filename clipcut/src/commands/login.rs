//! `clipcut login`: makes a token at a server, for a person who signs in once, and keeps it for `clipcut upload`.

use std::time::Duration;

use anyhow::{Context, Result};
use reqwest::{
    Client, Url,
    header::{COOKIE, SET_COOKIE},
};
use serde::{Deserialize, Serialize};

use super::{
    password,
    refusal::{CodeRequired, refuse_errors},
    token,
};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The e-mail address of the account; the password is the first line of standard input, and the code of a second factor the
    /// second, where the account has one
    email: String,
    /// The server
    #[arg(long, value_name = "URL", env = "CLIPCUT_SERVER", default_value = "http://localhost:8080")]
    server: Url,
}

#[derive(Serialize)]
struct Credentials<'a> {
    email: &'a str,
    password: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
}

#[derive(Serialize)]
struct Wanted {
    name: &'static str,
    scopes: [&'static str; 2],
}

#[derive(Deserialize)]
struct Made {
    token: String,
}

/// Signs in, makes the token, signs out.
pub(crate) async fn run(args: &Args) -> Result<()> {
    // Fails only when one is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client =
        Client::builder().connect_timeout(Duration::from_secs(10)).timeout(Duration::from_mins(1)).build()?;
    let password = password::read()?;
    let session = args.server.join("/api/v1/session")?;
    let mut credentials = Credentials { email: &args.email, password: &password, code: None };
    let sign_in = async |credentials: &Credentials<'_>| {
        let answer = client.post(session.clone()).json(credentials).send().await;
        refuse_errors(answer.with_context(|| format!("cannot reach {}", args.server))?).await
    };
    let signed_in = match sign_in(&credentials).await {
        Err(error) if error.is::<CodeRequired>() => {
            credentials.code = Some(password::read_code()?);
            sign_in(&credentials).await?
        }
        answer => answer?,
    };
    let cookie = signed_in.headers().get(SET_COOKIE).and_then(|field| field.to_str().ok()?.split(';').next());
    let cookie = cookie.context("the server gave no session; does it have accounts?")?.to_owned();
    let wanted = Wanted { name: "clipcut login", scopes: ["read", "upload"] };
    let tokens = args.server.join("/api/v1/account/tokens")?;
    let made = client.post(tokens).header(COOKIE, &cookie).json(&wanted).send().await?;
    let made: Made = refuse_errors(made).await?.json().await?;
    let path = token::keep(&args.server, &made.token)?;
    // The session has served: the token is what stays.
    refuse_errors(client.delete(session).header(COOKIE, &cookie).send().await?).await?;
    println!("{} may upload to {}; the token is in {}", args.email, args.server, path.display());
    Ok(())
}
