//! Schedules as people write them.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, MapAccess, Visitor, value::MapAccessDeserializer},
};

use super::{Schedule, ScheduleError, When, written_duration};

/// The word or the table. Read by hand, since an untagged enum would not name an unknown key.
#[derive(Clone, Debug)]
pub(super) enum WrittenOrManual {
    Manual,
    Written(Written),
}

const MANUAL: &str = "manual";

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Written {
    #[serde(skip_serializing_if = "Option::is_none")]
    every: Option<String>,
    #[cfg(feature = "cron")]
    #[serde(skip_serializing_if = "Option::is_none")]
    cron: Option<String>,
    #[cfg(feature = "cron")]
    #[serde(skip_serializing_if = "Option::is_none")]
    time_zone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jitter: Option<String>,
}

impl TryFrom<WrittenOrManual> for Schedule {
    type Error = ScheduleError;

    fn try_from(written: WrittenOrManual) -> Result<Self, ScheduleError> {
        match written {
            WrittenOrManual::Manual => Ok(Self::manual()),
            WrittenOrManual::Written(written) => {
                let jitter = written.jitter.as_deref().map(written_duration::parse).transpose()?;
                Ok(written.without_jitter()?.jitter(jitter.unwrap_or_default()))
            }
        }
    }
}

impl Written {
    #[cfg(feature = "cron")]
    fn without_jitter(&self) -> Result<Schedule, ScheduleError> {
        match (&self.every, &self.cron, &self.time_zone) {
            (Some(every), None, None) => Schedule::every(written_duration::parse(every)?),
            (None, Some(pattern), zone) => {
                Schedule::cron(pattern, zone.as_deref().unwrap_or("UTC"))
            }
            (Some(_), Some(_), _) => {
                Err(ScheduleError::Contradiction("a schedule has either every or cron"))
            }
            (_, None, Some(_)) => {
                Err(ScheduleError::Contradiction("time_zone belongs to a schedule with cron"))
            }
            (None, None, None) => Err(nothing()),
        }
    }

    #[cfg(not(feature = "cron"))]
    fn without_jitter(&self) -> Result<Schedule, ScheduleError> {
        let every = self.every.as_deref().ok_or_else(nothing)?;
        Schedule::every(written_duration::parse(every)?)
    }
}

fn nothing() -> ScheduleError {
    ScheduleError::Contradiction("a schedule is \"manual\", or has every or cron")
}

impl From<Schedule> for WrittenOrManual {
    fn from(Schedule { when, jitter }: Schedule) -> Self {
        let jitter = Some(jitter).filter(|jitter| !jitter.is_zero()).map(written_duration::format);
        let mut written = Written { jitter, ..Written::default() };
        match when {
            When::Manual => return Self::Manual,
            When::Every(period) => written.every = Some(written_duration::format(period)),
            #[cfg(feature = "cron")]
            When::Cron(cron) => {
                written.cron = Some(cron.pattern().to_owned());
                written.time_zone = Some(cron.time_zone().to_owned());
            }
        }
        Self::Written(written)
    }
}

impl Serialize for WrittenOrManual {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Manual => serializer.serialize_str(MANUAL),
            Self::Written(written) => written.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for WrittenOrManual {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = WrittenOrManual;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"manual\" or a table such as { every = \"15m\" }")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<WrittenOrManual, E> {
        match text {
            MANUAL => Ok(WrittenOrManual::Manual),
            _ => Err(E::invalid_value(de::Unexpected::Str(text), &self)),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<WrittenOrManual, A::Error> {
        Written::deserialize(MapAccessDeserializer::new(map)).map(WrittenOrManual::Written)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn read(json: &str) -> Result<Schedule, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    fn minutes(minutes: u64) -> Duration {
        Duration::from_secs(minutes * 60)
    }

    #[test]
    fn a_schedule_reads_as_people_write_it_and_writes_as_it_reads() {
        let every = Schedule::every(minutes(90)).unwrap();
        for (json, schedule) in [
            (r#""manual""#, Schedule::manual()),
            (r#"{"every":"1h 30m"}"#, every.clone()),
            (r#"{"every":"1h 30m","jitter":"2m"}"#, every.jitter(minutes(2))),
        ] {
            assert_eq!(read(json), Ok(schedule.clone()));
            assert_eq!(serde_json::to_string(&schedule).unwrap(), json);
        }
    }

    #[cfg(feature = "cron")]
    #[test]
    fn a_cron_schedule_too() {
        let schedule = Schedule::cron("30 6 * * MON-FRI", "Europe/Berlin").unwrap();
        let json = r#"{"cron":"30 6 * * MON-FRI","time_zone":"Europe/Berlin","jitter":"10m"}"#;
        assert_eq!(read(json), Ok(schedule.clone().jitter(minutes(10))));
        let json = r#"{"cron":"30 6 * * MON-FRI","time_zone":"Europe/Berlin"}"#;
        assert_eq!(serde_json::to_string(&schedule).unwrap(), json);
        let utc = Schedule::cron("0 0 * * *", "UTC").unwrap();
        assert_eq!(read(r#"{"cron":"0 0 * * *"}"#), Ok(utc));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let complaint = |json| read(json).unwrap_err();
        for (json, part) in [
            (r#""sometimes""#, "sometimes"),
            (r#"{"evry":"15m"}"#, "evry"),
            (r#"{"every":"often"}"#, "\"often\" is not a duration"),
            (r#"{"every":"0s"}"#, "a second or more"),
            (r#"{"jitter":"5m"}"#, "every or cron"),
            ("{}", "every or cron"),
        ] {
            assert!(complaint(json).contains(part), "{}", complaint(json));
        }
        #[cfg(feature = "cron")]
        for (json, part) in [
            (r#"{"every":"15m","cron":"* * * * *"}"#, "either every or cron"),
            (r#"{"every":"15m","time_zone":"UTC"}"#, "time_zone belongs to"),
            (r#"{"cron":"* * * *"}"#, "five fields"),
            (r#"{"cron":"* * * * *","time_zone":"Atlantis"}"#, "Atlantis"),
        ] {
            assert!(complaint(json).contains(part), "{}", complaint(json));
        }
    }
}
