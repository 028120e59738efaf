//! Times as caption formats write them: hours, minutes, seconds, thousandths.

use std::time::Duration;

/// The formats' finest unit.
pub(crate) fn whole_millis(time: Duration) -> Duration {
    Duration::from_millis(time.as_millis() as u64)
}

/// Returns `HH:MM:SS` and the thousandths behind `point`.
pub(crate) fn render(time: Duration, point: char) -> String {
    let ms = time.as_millis();
    format!("{:02}:{:02}:{:02}{point}{:03}", ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60, ms % 1000)
}

/// Reads `[HH:]MM:SS.mmm`. A comma for the point, fewer or more decimals and short fields are read too, as
/// players and other programs do.
pub(crate) fn parse(text: &str) -> Option<Duration> {
    let (clock, decimals) =
        text.split_once(['.', ',']).or_else(|| behind_a_colon(text)).unwrap_or((text, "0"));
    let fields: Vec<&str> = clock.split(':').collect();
    // W3C WebVTT: the hours may be left out.
    let ([_, _] | [_, _, _]) = fields.as_slice() else { return None };
    let mut seconds: u64 = 0;
    for (n, field) in fields.iter().enumerate() {
        let value = number(field)?;
        // W3C WebVTT: minutes and seconds end at 59; a larger number is most likely a field too few.
        if n > 0 && value > 59 {
            return None;
        }
        seconds = seconds * 60 + value;
    }
    let first_three: String = decimals.chars().chain("000".chars()).take(3).collect();
    let all_digits = !decimals.is_empty() && decimals.bytes().all(|b| b.is_ascii_digit());
    let ms = if all_digits { number(&first_three)? } else { return None };
    Some(Duration::from_millis(seconds * 1000 + ms))
}

/// Splits `HH:MM:SS:mmm`, as some editors write it. Two digits behind the third colon would be frames.
fn behind_a_colon(text: &str) -> Option<(&str, &str)> {
    text.rsplit_once(':').filter(|(clock, last)| clock.matches(':').count() == 2 && last.len() == 3)
}

// Up to six digits: a hundred years of hours.
fn number(digits: &str) -> Option<u64> {
    let plain = (1..=6).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    if plain { digits.parse().ok() } else { None }
}

/// Durations in JSON: seconds as a number, with thousandths.
pub(crate) mod seconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(crate) fn serialize<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(time.as_millis() as f64 / 1000.0)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        let seconds = f64::deserialize(deserializer)?;
        // A century; beyond it the number is a mistake.
        if !(0.0..3.2e9).contains(&seconds) {
            return Err(D::Error::custom(format!("{seconds} is not a time in seconds")));
        }
        Ok(Duration::from_millis((seconds * 1000.0).round() as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_players_read_them() {
        let check =
            |text: &str, ms: Option<u64>| assert_eq!(parse(text), ms.map(Duration::from_millis), "{text}");
        check("00:01.000", Some(1000));
        check("01:02:03.004", Some(3_723_004));
        check("100:00:00.000", Some(360_000_000));
        check("00:00:01,5", Some(1500));
        check("0:00:01", Some(1000));
        check("00:00:01:250", Some(1250));
        check("00:00:01:25", None);
        check("00:01:250", None);
        check("00:61.000", None);
        check("00:01.", None);
        check("00:0x.000", None);
        check("1.000", None);
        check("-00:01.000", None);
        check("", None);
    }
}
