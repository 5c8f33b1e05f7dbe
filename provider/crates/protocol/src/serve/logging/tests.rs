use std::time::Duration;

use super::*;

#[test]
fn the_most_specific_variable_decides() {
    let cases: [(&[(&str, &str)], LevelFilter); 7] = [
        (&[], LevelFilter::OFF),
        (&[("TF_LOG", "debug")], LevelFilter::DEBUG),
        (&[("TF_LOG", "JSON")], LevelFilter::TRACE),
        (&[("TF_LOG", "TRACE"), ("TF_LOG_PROVIDER", "WARN")], LevelFilter::WARN),
        (&[("TF_LOG_PROVIDER", "WARN"), ("TF_LOG_PROVIDER_MY_CLOUD", "OFF")], LevelFilter::OFF),
        (&[("TF_LOG", "INFO"), ("TF_LOG_PROVIDER", "")], LevelFilter::INFO),
        (&[("TF_LOG_CORE", "TRACE")], LevelFilter::OFF),
    ];
    for (variables, expected) in cases {
        let found = level("my-cloud", |name| {
            variables.iter().find(|(candidate, _)| *candidate == name).map(|(_, value)| (*value).to_owned())
        });
        assert_eq!(found, expected, "{variables:?}");
    }
}

#[test]
fn times_are_dates() {
    let cases = [
        (0, "1970-01-01T00:00:00.000000Z"),
        (951_782_400, "2000-02-29T00:00:00.000000Z"),
        (1_709_251_199, "2024-02-29T23:59:59.000000Z"),
        (1_798_761_600, "2027-01-01T00:00:00.000000Z"),
        (4_107_542_400, "2100-03-01T00:00:00.000000Z"),
    ];
    for (seconds, text) in cases {
        assert_eq!(timestamp(UNIX_EPOCH + Duration::from_secs(seconds)), text);
    }
    assert_eq!(timestamp(UNIX_EPOCH + Duration::from_micros(1_500_000)), "1970-01-01T00:00:01.500000Z");
}
