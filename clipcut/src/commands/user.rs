//! `clipcut user`: accounts, from the machine's own terminal, also while a server runs. Whoever may read the library's database
//! may do this, so nobody signs in.

use accounts::{Email, Person};
use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use store::{
    Accounts,
    accounts::{Change, Changed, Deletion, Role, User},
};

use super::password;
use crate::config::Config;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make an account; its password is the first line of standard input
    Add(Add),
    /// List all accounts
    List,
    /// End all sessions and the playback of an account, and let nobody sign in to it
    Disable(Named),
    /// Let an account sign in again
    Enable(Named),
    /// Set a password, the first line of standard input, and end all sessions
    ResetPassword(Named),
    /// Turn the second factor of an account off, for somebody who has lost their phone and their recovery codes
    ResetSecondFactor(Named),
    /// Delete an account
    Remove(Remove),
}

#[derive(Debug, Args)]
pub(crate) struct Add {
    /// The e-mail address
    email: String,
    /// The name, as others see it
    #[arg(long)]
    name: String,
    /// Make an administrator
    #[arg(long)]
    admin: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Named {
    /// The e-mail address
    email: String,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Fate {
    /// The e-mail address of the account that gets the videos
    #[arg(long, value_name = "EMAIL")]
    videos_to: Option<String>,
    /// Delete the videos too: a running server does so at once, or the next one at its start
    #[arg(long)]
    delete_videos: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Remove {
    /// The e-mail address
    email: String,
    #[command(flatten)]
    fate: Fate,
}

/// Does what the command says.
pub(crate) async fn run(config: &Config, command: &Command) -> Result<()> {
    let accounts = config.open_accounts().await?;
    match command {
        Command::Add(add) => self::add(&accounts, add).await,
        Command::List => list(&accounts).await,
        Command::Disable(named) => {
            let change = Change { disabled: Some(true), tickets: config.lost_tickets(), ..Change::default() };
            switch(&accounts, &named.email, change).await
        }
        Command::Enable(named) => {
            switch(&accounts, &named.email, Change { disabled: Some(false), ..Change::default() }).await
        }
        Command::ResetPassword(named) => {
            let user = find(&accounts, &named.email).await?;
            accounts::reset_password(&accounts, &user, &password::read()?).await?;
            println!("{} has a new password; all sessions ended", user.email);
            Ok(())
        }
        Command::ResetSecondFactor(named) => {
            let user = find(&accounts, &named.email).await?;
            let was_on = accounts.second_factors.remove(&user.id).await?;
            let outcome = if was_on { "signs in without a second factor" } else { "had no second factor" };
            println!("{} {outcome}", user.email);
            Ok(())
        }
        Command::Remove(remove) => self::remove(config, &accounts, remove).await,
    }
}

async fn add(accounts: &Accounts, add: &Add) -> Result<()> {
    let role = if add.admin { Role::Administrator } else { Role::User };
    let person = Person { name: &add.name, email: &add.email, password: &password::read()?, role };
    let user = accounts::add(accounts, person).await?;
    println!("{} ({}) can sign in", user.email, role.as_str());
    Ok(())
}

async fn list(accounts: &Accounts) -> Result<()> {
    for user in accounts.users.list().await? {
        let state = if user.disabled { "disabled" } else { "" };
        println!("{}\t{}\t{}\t{state}", user.email, user.name, user.role.as_str());
    }
    Ok(())
}

async fn switch(accounts: &Accounts, email: &str, change: Change) -> Result<()> {
    let user = find(accounts, email).await?;
    done(&user, accounts.users.change(&user.id, change).await?)?;
    let outcome =
        if change.disabled == Some(true) { "is disabled; all sessions ended" } else { "can sign in" };
    println!("{} {outcome}", user.email);
    Ok(())
}

async fn remove(config: &Config, accounts: &Accounts, remove: &Remove) -> Result<()> {
    let user = find(accounts, &remove.email).await?;
    let heir = match &remove.fate.videos_to {
        Some(email) => Some(find(accounts, email).await?),
        None => None,
    };
    if heir.as_ref().is_some_and(|heir| heir.id == user.id) {
        bail!("--videos-to names the account that is removed; name another one");
    }
    let deletion = Deletion { heir: heir.as_ref().map(|heir| &heir.id), tickets: config.lost_tickets() };
    done(&user, accounts.users.delete(&user.id, deletion).await?)?;
    println!("{} is removed", remove.email);
    Ok(())
}

fn done(user: &User, changed: Changed) -> Result<()> {
    match changed {
        Changed::Done => Ok(()),
        Changed::Unknown => bail!("{} is gone", user.email),
        Changed::UnknownHeir => bail!("the account that --videos-to names is gone; name another one"),
        Changed::LastAdministrator => {
            bail!(
                "{} is the last administrator; make another one first: clipcut user add --admin",
                user.email
            )
        }
    }
}

async fn find(accounts: &Accounts, email: &str) -> Result<User> {
    let found = accounts.users.by_email(&Email::read(email)?.key).await?;
    found.with_context(|| format!("no account has the address {email}; `clipcut user list` shows all"))
}
