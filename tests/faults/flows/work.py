"""What the campaign's schedules run: flows that keep a record of their own, outside of schedulerd, of what they do.

Each appends to a file of its attempt, and forces to the disk, before and after each thing that it does. What it does
follows from the seed, the schedule and the due time.
"""

import logging
import os
import random
import signal
import subprocess
from threading import Event

from schedulerd import flow
from schedulerd.clock import microseconds

log = logging.getLogger("work")

CHILDREN = (["sleep", "300"], ["setsid", "sleep", "300"], ["sh", "-c", "trap '' TERM; exec sleep 300"])


class Witness:
    """The record of this attempt. A line: microseconds, a word, and what belongs to it."""

    def __init__(self, records: str) -> None:
        name = f"{os.environ['SCHEDULERD_RUN_ID']}.{os.environ['SCHEDULERD_ATTEMPT']}"
        self._file = os.open(
            f"{records}/{name}", os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600
        )
        self._torn = {1: False, 2: False}
        self.note("begin", os.environ["SCHEDULERD_DUE_AT"], os.getpid(), start_time(os.getpid()))

    def note(self, *words: object) -> None:
        """Have this on the disk."""
        os.write(self._file, (" ".join(map(str, (microseconds(), *words))) + "\n").encode())
        os.fsync(self._file)

    def say(self, channel: str, number: int) -> None:
        """Log one numbered line, by one of the ways in which lines are logged."""
        self.note("about", channel, number)
        said = True
        match channel:
            case "print":
                print("print", number)
            case "logging":
                log.info("logging %d", number)
            case "raw1":
                said = self._write(1, f"raw1 {number}\n")
            case "raw2":
                said = self._write(2, f"raw2 {number}\n")
        self.note("done" if said else "lost", channel, number)

    def _write(self, descriptor: int, text: str) -> bool:
        data = ("\n" if self._torn[descriptor] else "").encode() + text.encode()
        try:
            written = os.write(descriptor, data)
        except OSError:
            return False
        self._torn[descriptor] = written != len(data)
        return not self._torn[descriptor]

    def talk(self, dice: random.Random, seconds: float) -> None:
        """Log some lines of each kind over so many seconds."""
        count = dice.randint(1, 8)
        said_before = 100 * (int(os.environ["SCHEDULERD_ATTEMPT"]) - 1)
        for number in range(1, count + 1):
            for channel in ("print", "logging", "raw1", "raw2"):
                self.say(channel, said_before + number)
            Event().wait(seconds / count)

    def leave_child(self, command: list[str]) -> None:
        """Start a process that nobody waits for."""
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        self.note("child", child.pid, start_time(child.pid))
        child.returncode = 0  # so that nothing is said about its being left


def start_time(pid: int) -> int:
    """When a process started, in clock ticks since the boot (proc_pid_stat(5))."""
    with open(f"/proc/{pid}/stat") as file:
        return int(file.read().rpartition(")")[2].split()[19])


def dice_of(seed: int, schedule: str) -> random.Random:
    """What happens by chance in this attempt: the same again for the same seed and due time."""
    attempt = os.environ["SCHEDULERD_ATTEMPT"]
    return random.Random(f"{seed} {schedule} {os.environ['SCHEDULERD_DUE_AT']} {attempt}")


def hang(dice: random.Random) -> None:
    """Never end by oneself; one in two does not heed SIGTERM either."""
    if dice.random() < 0.5:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        Event().wait(60)


def end(witness: Witness, dice: random.Random) -> None:
    """Come to an end: mostly a good one."""
    luck = dice.random()
    if luck < 0.1:
        witness.note("end", "failed")
        raise RuntimeError("meant to fail")
    if luck < 0.15:
        witness.note("end", "exited")
        os._exit(3)
    if luck < 0.2:
        witness.note("end", "died")
        os.kill(os.getpid(), signal.SIGKILL)
    witness.note("end", "completed")


@flow
def leaf(number: int) -> int:
    """The innermost of child runs."""
    return number


@flow
def branch(number: int) -> int:
    """A child run that has child runs."""
    first: int = leaf(number)
    second: int = leaf(number + 1)
    return first + second


@flow
def work(records: str, seed: int, schedule: str, longest: float, token: str = "") -> None:
    """Log lines for some time, with child runs before and after, and come to some end."""
    witness, dice = Witness(records), dice_of(seed, schedule)
    branch(1)
    witness.talk(dice, dice.random() * longest)
    branch(2)
    end(witness, dice)


@flow(timeout_seconds=2)
def limited(records: str, seed: int, schedule: str) -> None:
    """Hang as often as not, until the time limit."""
    witness, dice = Witness(records), dice_of(seed, schedule)
    witness.talk(dice, dice.random())
    if dice.random() < 0.5:
        hang(dice)
    end(witness, dice)


@flow
def endless(records: str, seed: int, schedule: str) -> None:
    """Hang until cancelled."""
    witness, dice = Witness(records), dice_of(seed, schedule)
    witness.talk(dice, dice.random())
    hang(dice)


@flow
def parent(records: str, seed: int, schedule: str) -> None:
    """Leave processes behind: in its group, in a session of their own, and deaf to SIGTERM."""
    witness, dice = Witness(records), dice_of(seed, schedule)
    for command in dice.sample(CHILDREN, dice.randint(1, len(CHILDREN))):
        witness.leave_child(command)
    witness.talk(dice, dice.random() * 2)
    end(witness, dice)


def tell(flow, flow_run, state) -> None:  # type: ignore[no-untyped-def]
    """Keep a record of being called, and log one line."""
    name = f"{os.environ['SCHEDULERD_RUN_ID']}.{os.environ['SCHEDULERD_ATTEMPT']}"
    process = f"{os.getpid()} {start_time(os.getpid())}"
    file = os.open(
        f"{flow_run.parameters['records']}-of-hooks/{name}", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600
    )
    os.write(file, f"{microseconds()} called {state.name} {process}\n".encode())
    os.fsync(file)
    print("of-hooks", os.environ["SCHEDULERD_ATTEMPT"])
    os.write(file, f"{microseconds()} done {process}\n".encode())
    os.fsync(file)
    os.close(file)


@flow(on_completion=[tell], on_failure=[tell], on_crashed=[tell], on_cancellation=[tell])
def hooked(records: str, seed: int, schedule: str, longest: float) -> None:
    """Come to some end, and have it told by hooks."""
    witness, dice = Witness(records), dice_of(seed, schedule)
    witness.talk(dice, dice.random() * longest)
    end(witness, dice)


@flow(
    retries=2,
    retry_delay_seconds=0.5,
    on_completion=[tell],
    on_failure=[tell],
    on_crashed=[tell],
    on_cancellation=[tell],
)
def retried(records: str, seed: int, schedule: str, longest: float) -> None:
    """Fail as often as not, and be tried again; child runs that completed are not made again."""
    witness, dice = Witness(records), dice_of(seed, schedule)
    branch(int(os.environ["SCHEDULERD_ATTEMPT"]))
    branch(0)
    witness.talk(dice, dice.random() * longest)
    if dice.random() < 0.5:
        witness.note("end", "failed")
        raise RuntimeError("meant to fail")
    end(witness, dice)
