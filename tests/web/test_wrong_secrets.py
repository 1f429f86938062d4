"""How many wrong secrets are listened to."""

from schedulerd.web.wrong_secrets import (
    BURST,
    BURST_OF_ALL,
    MOST_ADDRESSES,
    REFILL_SECONDS,
    WrongSecrets,
)


def test_an_address_may_be_wrong_some_times_and_then_now_and_then() -> None:
    wrong = WrongSecrets()
    for _ in range(BURST):
        assert wrong.wait("a", 0.0) == 0
        wrong.note("a", 0.0)

    assert wrong.wait("a", 0.0) == REFILL_SECONDS
    assert wrong.wait("b", 0.0) == 0
    assert wrong.wait("a", REFILL_SECONDS) == 0
    wrong.note("a", REFILL_SECONDS)
    assert wrong.wait("a", REFILL_SECONDS) > 0
    assert wrong.wait("a", REFILL_SECONDS * 1_000) == 0


def test_many_addresses_together_are_limited_and_one_that_was_right_is_not_kept_out_by_them() -> None:
    wrong = WrongSecrets()
    wrong.note_right("friend")

    for number in range(BURST_OF_ALL):
        wrong.note(f"a{number}", 0.0)

    assert wrong.wait("stranger", 0.0) > 0
    assert wrong.wait("friend", 0.0) == 0


def test_what_is_remembered_does_not_grow() -> None:
    wrong = WrongSecrets()

    for number in range(MOST_ADDRESSES * 3):
        wrong.note(f"a{number}", 0.0)
        wrong.note_right(f"b{number}")

    assert len(wrong._of) == MOST_ADDRESSES
    assert len(wrong._right) == MOST_ADDRESSES
