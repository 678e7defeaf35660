//! Durations as people write them: `15m`, `1h 30m`, `2days`.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serializer, de::Error};

use super::ScheduleError;

pub(crate) fn parse(text: &str) -> Result<Duration, ScheduleError> {
    humantime::parse_duration(text).map_err(|_| ScheduleError::NotADuration(text.to_owned()))
}

pub(crate) fn format(duration: Duration) -> String {
    humantime::format_duration(duration).to_string()
}

pub(crate) fn serialize<S: Serializer>(
    duration: &Duration,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&format(*duration))
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Duration, D::Error> {
    parse(&String::deserialize(deserializer)?).map_err(Error::custom)
}
