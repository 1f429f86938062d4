"""A spawner that does not answer is found out, and only such a one."""

from schedulerd.scheduler.pulse import ASK_SECONDS, PATIENCE_SECONDS, Pulse


class Patient:
    """Somebody to be asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.pulse = Pulse(self._hear)
        self.now = 0.0
        self.wants_answer = False

    def _hear(self) -> bool:
        self.asked += 1
        self.wants_answer = True
        return True

    def live(self, seconds: float, *, answering: bool, step: float = 0.5) -> bool:
        """Look for so long; was it found to have stopped?"""
        end = self.now + seconds
        while self.now < end:
            self.now += step
            if self.pulse.has_stopped(self.now):
                return True
            if answering and self.wants_answer:
                self.pulse.answered()
                self.wants_answer = False
        return False


def test_one_that_answers_is_asked_now_and_then_and_is_well() -> None:
    patient = Patient()

    assert not patient.live(3_600, answering=True)
    assert 3_600 / ASK_SECONDS / 2 < patient.asked <= 3_600 / ASK_SECONDS


def test_one_that_does_not_answer_is_found_out() -> None:
    patient = Patient()

    assert not patient.live(ASK_SECONDS + PATIENCE_SECONDS - 2, answering=False)
    assert patient.live(4, answering=False)
    assert patient.asked == 1


def test_one_that_answers_late_is_well() -> None:
    patient = Patient()
    assert not patient.live(PATIENCE_SECONDS - 2, answering=False)
    patient.pulse.answered()

    assert not patient.live(PATIENCE_SECONDS - 2, answering=False)


def test_time_in_which_nobody_looked_does_not_count() -> None:
    patient = Patient()
    assert not patient.live(ASK_SECONDS + 1, answering=False)

    patient.now += 3_600  # a laptop that slept

    assert not patient.live(5, answering=False)
