"""The program: reads errands, runs those of each strand in a thread of its own, and answers each as it is done."""

import logging
import sys
import threading
from collections.abc import Iterable
from typing import Final

from schedulerd.courier.errands import Answer, Errand, answer_line, read_errands
from schedulerd.courier.pings import ping

WITHOUT_APPRISE: Final = "Apprise is not installed: pip install 'schedulerd[notify]'"


class Courier:
    """Runs errands, and writes the answers, one at a time."""

    def __init__(self) -> None:
        self._writing = threading.Lock()

    def run(self, errands: Iterable[Errand]) -> None:
        """Run them all; returns when the last is answered."""
        strands: dict[str, list[Errand]] = {}
        for errand in errands:
            strands.setdefault(errand.strand, []).append(errand)
        threads = [threading.Thread(target=self._strand, args=(strand,)) for strand in strands.values()]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _strand(self, errands: Iterable[Errand]) -> None:
        for errand in errands:
            answer = ping(errand) if errand.is_ping else _send(errand)
            with self._writing:
                sys.stdout.buffer.write(answer_line(answer))
                sys.stdout.buffer.flush()
            if not answer.is_done:
                return


def _send(errand: Errand) -> Answer:
    try:
        from schedulerd.courier.by_apprise import send  # half a second, which pings need not take
    except ModuleNotFoundError as error:
        words = WITHOUT_APPRISE if error.name == "apprise" else str(error)
        return Answer(key=errand.key, is_done=False, words=words)
    return send(errand)


def main() -> None:
    """Once, from stdin to stdout; what libraries log goes nowhere, because it may hold secrets."""
    logging.disable(logging.NOTSET)
    logging.getLogger().addHandler(logging.NullHandler())
    logging.getLogger("apprise").propagate = False
    Courier().run(read_errands(sys.stdin.buffer.readline()))


if __name__ == "__main__":
    main()
