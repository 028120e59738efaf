//! `/api/v1/account/second-factor`: codes of an app on a person's phone (TOTP, RFC 6238) beside the password, and recovery codes
//! for when it is lost.

use std::time::{SystemTime, UNIX_EPOCH};

use axum::{
    Extension,
    extract::{Request, State},
};
use http::StatusCode;
use qrcodegen::{QrCode, QrCodeEcc};
use serde::{Deserialize, Serialize};
use server::{Problem, Response};
use sha2::{Digest, Sha256};
use store::accounts::{FirstCode, User};
use totp_rs::{Builder, Secret, Totp};
use utoipa::ToSchema;

use crate::{
    Accounts, Error, Result,
    account::Confirmation,
    asker::Asker,
    document::{self, json, no_content},
    error::unprocessable,
    secret::hex,
};

const ISSUER: &str = "Clip Cut";
// RFC 4226 §4 asks for 160 bits; more would make the picture larger and no code safer.
const SECRET_BYTES: usize = 20;
const RECOVERY_CODES: usize = 10;
// Crockford's base 32: nothing that is mistaken for something else when it is copied from paper.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
// 80 random bits: too many to be found out from a fast hash.
const RECOVERY_LENGTH: usize = 16;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SecondFactorCode)]
pub(crate) struct Code {
    /// Six digits of the app.
    code: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = SecondFactor)]
pub(crate) struct Shown {
    on: bool,
    recovery_codes_left: u64,
}

/// The secret of an app, shown until it is turned on.
#[derive(Serialize, ToSchema)]
#[schema(as = SecondFactorSecret)]
pub(crate) struct Begun {
    /// In base 32, to be typed.
    secret: String,
    /// The same as a URI that apps open.
    uri: String,
    qr: Picture,
}

/// A QR code.
#[derive(Serialize, ToSchema)]
#[schema(as = QrCode)]
struct Picture {
    /// The number of its modules a side.
    size: i32,
    /// The path of the dark ones, for an SVG of that size.
    path: String,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct RecoveryCodes {
    recovery_codes: Vec<String>,
}

/// Shows whether a second factor is on.
#[utoipa::path(
    get, path = "/api/v1/account/second-factor", tag = "account", operation_id = "getSecondFactor",
    responses((status = 200, body = Shown)),
)]
pub(crate) async fn show(
    State(accounts): State<Accounts>,
    Extension(asker): Extension<Asker>,
) -> Result<Response> {
    let factors = &accounts.store.accounts.second_factors;
    let on = factors.of(&asker.user.id).await?.is_some_and(|factor| factor.is_on);
    let recovery_codes_left = factors.recovery_codes_left(&asker.user.id).await?;
    Ok(json(StatusCode::OK, &Shown { on, recovery_codes_left }))
}

/// Begins to turn a second factor on: shows a new secret, also as a picture for the app's camera.
#[utoipa::path(
    post, path = "/api/v1/account/second-factor", tag = "account", operation_id = "beginSecondFactor",
    request_body = Confirmation,
    responses(
        (status = 200, body = Begun),
        (status = 400, description = "`invalid_document`, `body_too_large`"),
        (status = 403, description = "`wrong_password`"),
        (status = 422, description = "`second_factor_on`"),
        (status = 429, description = "`too_many_attempts`"),
        (status = 503, description = "`busy`"),
    ),
)]
pub(crate) async fn begin(
    State(accounts): State<Accounts>,
    Extension(asker): Extension<Asker>,
    request: Request,
) -> Result<Response> {
    accounts.read_confirmation(&asker, request).await?;
    let secret = Secret::from(rand::random::<[u8; SECRET_BYTES]>());
    let totp = totp(secret, &asker.user.email)?;
    let text = totp.secret().to_base32();
    if !accounts.store.accounts.second_factors.begin(&asker.user.id, &text).await? {
        let detail = "The second factor is on already; turn it off to begin anew.";
        return Err(unprocessable("second_factor_on", detail));
    }
    let uri = totp.to_url().map_err(|e| Error::Code(e.to_string()))?;
    let qr = picture(&uri)?;
    Ok(json(StatusCode::OK, &Begun { secret: text, uri, qr }))
}

/// Turns the second factor on by a first code, and shows the recovery codes, this once.
#[utoipa::path(
    put, path = "/api/v1/account/second-factor", tag = "account", operation_id = "turnOnSecondFactor",
    request_body = Code,
    responses(
        (status = 200, body = RecoveryCodes),
        (status = 400, description = "`invalid_document`, `body_too_large`"),
        (status = 403, description = "`wrong_code`"),
        (status = 422, description = "`no_second_factor`"),
        (status = 429, description = "`too_many_attempts`"),
    ),
)]
pub(crate) async fn turn_on(
    State(accounts): State<Accounts>,
    Extension(asker): Extension<Asker>,
    request: Request,
) -> Result<Response> {
    let given: Code = document::read(request).await?;
    accounts.count_code(asker.user.id.as_str()).await?;
    let factors = &accounts.store.accounts.second_factors;
    let begun = factors.of(&asker.user.id).await?.filter(|factor| !factor.is_on);
    let begun = begun.ok_or_else(|| {
        unprocessable("no_second_factor", "No second factor is being set up; begin with your password.")
    })?;
    let step = step_of(&begun.secret, &given.code)?.ok_or_else(wrong_code)?;
    let codes: Vec<String> = (0..RECOVERY_CODES).map(|_| recovery_code()).collect();
    let hashed: Vec<String> = codes.iter().filter_map(|code| recovery_hash(code)).collect();
    let first = FirstCode { secret: &begun.secret, step, recovery_codes: &hashed };
    if !factors.turn_on(&asker.user.id, &first).await? {
        return Err(wrong_code());
    }
    tracing::info!(user = %asker.user.id, "a second factor was turned on");
    Ok(json(StatusCode::OK, &RecoveryCodes { recovery_codes: codes }))
}

/// Turns the second factor off.
#[utoipa::path(
    delete, path = "/api/v1/account/second-factor", tag = "account", operation_id = "turnOffSecondFactor",
    request_body = Confirmation,
    responses(
        (status = 204),
        (status = 400, description = "`invalid_document`, `body_too_large`"),
        (status = 403, description = "`wrong_password`"),
        (status = 429, description = "`too_many_attempts`"),
        (status = 503, description = "`busy`"),
    ),
)]
pub(crate) async fn turn_off(
    State(accounts): State<Accounts>,
    Extension(asker): Extension<Asker>,
    request: Request,
) -> Result<Response> {
    accounts.read_confirmation(&asker, request).await?;
    accounts.store.accounts.second_factors.remove(&asker.user.id).await?;
    tracing::info!(user = %asker.user.id, "a second factor was turned off");
    Ok(no_content())
}

impl Accounts {
    /// Takes the code of somebody whose password was right, where their account asks for one: the app's, or a recovery code.
    pub(crate) async fn take_code(&self, user: &User, code: Option<&str>) -> Result<()> {
        let factors = &self.store.accounts.second_factors;
        let Some(factor) = factors.of(&user.id).await?.filter(|factor| factor.is_on) else { return Ok(()) };
        let Some(code) = code.map(str::trim).filter(|code| !code.is_empty()) else {
            let detail = "Enter the code that your authenticator app shows, or a recovery code.";
            return Err(Problem::new(StatusCode::UNAUTHORIZED, "second_factor_required", detail).into());
        };
        // Counted once a code is there: a page that asks without one, to learn whether it needs one, has tried none.
        self.count_code(user.id.as_str()).await?;
        let taken = match (step_of(&factor.secret, code)?, recovery_hash(code)) {
            (Some(step), _) => factors.take_step(&user.id, step).await?,
            (None, Some(hash)) => factors.take_recovery_code(&user.id, &hash).await?,
            (None, None) => false,
        };
        if taken { Ok(()) } else { Err(wrong_code()) }
    }
}

fn totp(secret: Secret, account: &str) -> Result<Totp> {
    let builder = Builder::new().with_secret(secret).with_issuer(Some(ISSUER));
    // The colon parts the issuer from the account (Google's key URI format).
    builder.with_account_name(account.replace(':', " ")).build().map_err(|e| Error::Code(e.to_string()))
}

/// Returns the step that a code is of; `None` where it is of none that counts now: this one, and its neighbours, for clocks
/// that are half a minute wrong.
fn step_of(secret: &str, code: &str) -> Result<Option<u64>> {
    let secret = Secret::try_from_base32(secret).map_err(|e| Error::Code(e.to_string()))?;
    let digits: String = code.chars().filter(|c| !c.is_whitespace()).collect();
    if digits.len() != 6 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Ok(None);
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    Ok(totp(secret, "")?.check(&digits, now))
}

/// Makes a recovery code, in groups that a person can copy.
fn recovery_code() -> String {
    let letters = (0..RECOVERY_LENGTH).map(|_| char::from(ALPHABET[rand::random_range(0..ALPHABET.len())]));
    letters.collect::<Vec<_>>().chunks(4).map(String::from_iter).collect::<Vec<_>>().join("-")
}

/// Returns the form in which a recovery code is kept; `None` for what can be none.
fn recovery_hash(code: &str) -> Option<String> {
    // Hyphens and blanks are for the eye.
    let code: String = code.chars().filter(char::is_ascii_alphanumeric).collect();
    let code = code.to_ascii_lowercase();
    (code.len() == RECOVERY_LENGTH).then(|| hex(&Sha256::digest(code.as_bytes())))
}

/// Draws a text as a QR code.
fn picture(text: &str) -> Result<Picture> {
    let code = QrCode::encode_text(text, QrCodeEcc::Medium).map_err(|e| Error::Code(e.to_string()))?;
    let mut path = String::new();
    for y in 0..code.size() {
        for x in (0..code.size()).filter(|x| code.get_module(*x, y)) {
            path += &format!("M{x} {y}h1v1h-1z");
        }
    }
    Ok(Picture { size: code.size(), path })
}

fn wrong_code() -> Error {
    let detail = "The code is wrong, has ended or was used already; wait for the next one.";
    Problem::new(StatusCode::FORBIDDEN, "wrong_code", detail).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recovery_code_is_taken_however_it_is_typed() {
        let code = recovery_code();
        assert_eq!(code.len(), RECOVERY_LENGTH + 3, "{code}");
        let hash = recovery_hash(&code);
        assert!(hash.is_some());
        assert_eq!(recovery_hash(&code.replace('-', " ").to_uppercase()), hash);
        assert_ne!(recovery_hash(&recovery_code()), hash);
        assert!(recovery_hash(&code[1..]).is_none() && recovery_hash("123456").is_none());
    }

    #[test]
    fn a_code_counts_in_its_half_minute_and_the_two_beside_it() {
        // RFC 6238, appendix B: SHA-1 at 59 s, of which an app shows the last six digits.
        let totp = totp(Secret::from(*b"12345678901234567890"), "a:b").unwrap();
        assert_eq!(totp.generate(59).to_string(), "287082");
        assert_eq!([0, 30, 89].map(|time| totp.check("287082", time)), [Some(1); 3]);
        assert_eq!(totp.check("287082", 90), None);
        let uri = totp.to_url().unwrap();
        assert!(uri.starts_with("otpauth://totp/Clip%20Cut:a%20b?secret="), "{uri}");
    }

    #[test]
    fn a_picture_is_a_square_of_dark_modules() {
        let drawn = picture("otpauth://totp/x?secret=y").unwrap();
        // The corner of a finder pattern is dark, and the ring within it is light (ISO/IEC 18004 §6.3.3).
        let path = drawn.path;
        assert!(path.starts_with("M0 0h1v1h-1z") && !path.contains("M1 1h"), "{path}");
        assert!(drawn.size >= 21);
    }
}
