"""What a mistyped name was probably meant to be."""

from schedulerd.domain.names import did_you_mean, near_names


def test_the_nearest_name_comes_first_and_case_does_not_count() -> None:
    assert near_names("TIMEZON", ["timer", "timezone", "cron"]) == ("timezone", "timer")
    assert near_names("etl-pipeline", ["ETL-pipeline"]) == ("ETL-pipeline",)
    assert near_names("xyz", ["cron"]) == ()


def test_without_a_near_name_all_are_listed() -> None:
    assert did_you_mean("corn", ["cron", "every"]) == "did you mean 'cron'?"
    assert did_you_mean("zzz", ["cron", "every"]) == "known are: cron, every"
