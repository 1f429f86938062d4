"""The schedules of a campaign, and what they run: every policy, and every way in which a run can go."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.service import Service

FLOWS: Final = Path(__file__).parent / "flows" / "work.py"

# What a flow in Python does with its `Witness`, in the shell.
COMMAND: Final = r"""
record={records}/$SCHEDULERD_RUN_ID.$SCHEDULERD_ATTEMPT
note() {{ echo "$(date +%s%6N) $*" >> "$record"; sync "$record"; }}
note begin "$SCHEDULERD_DUE_AT" $$ $(cut -d' ' -f22 /proc/$$/stat)
for n in 1 2 3; do
  note about raw1 $n; if echo "raw1 $n"; then note done raw1 $n; else note lost raw1 $n; fi
  note about raw2 $n; if echo "raw2 $n" >&2; then note done raw2 $n; else note lost raw2 $n; fi
  sleep 0.2
done
case $SCHEDULERD_RUN_NUMBER in *7) note end failed; exit 3;; esac
note end completed
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One schedule: its name, when it is due, what it runs with which of its own parameters, and its policies."""

    name: str
    when: str
    flow: str | None = None
    longest: float | None = None
    policies: str = ""


SCHEDULES: Final = (
    Entry(name="each-second", when='every = "1s"', flow="work", longest=1, policies='overlap = "allow"'),
    Entry(name="skipping", when='every = "2s"', flow="work", longest=5, policies='overlap = "skip"'),
    Entry(
        name="queueing",
        when='every = "2s"',
        flow="work",
        longest=3,
        policies='overlap = "queue"\nqueue_limit = 2',
    ),
    Entry(name="replacing", when='every = "5s"', flow="work", longest=5, policies='overlap = "replace"'),
    Entry(
        name="catching-up",
        when='every = "2s"',
        flow="work",
        longest=0.5,
        policies='overlap = "allow"\nmisfire_grace = "2s"\ncatchup = "all"\ncatchup_limit = 3',
    ),
    Entry(
        name="latest",
        when='every = "3s"',
        flow="limited",
        policies='overlap = "allow"\nmisfire_grace = "2s"\ncatchup = "latest"',
    ),
    Entry(
        name="command",
        when='every = "3s"',
        policies='overlap = "allow"\nmisfire_grace = "1s"\ncatchup = "none"',
    ),
    Entry(name="parents", when='every = "5s"', flow="parent", policies='overlap = "allow"'),
    Entry(name="hanging", when='every = "15s"', flow="endless", policies='overlap = "skip"'),
    Entry(name="hooked", when='every = "4s"', flow="hooked", longest=1, policies='overlap = "allow"'),
    Entry(name="retried", when='every = "6s"', flow="retried", longest=0.5, policies='overlap = "allow"'),
    Entry(name="each-minute", when='cron = "* * * * *"', flow="work", longest=2),
)

LIMITS_SECONDS: Final = {"limited": 2.0}
ENDLESS: Final = "endless"
HOOKED: Final = frozenset({"hooked", "retried"})
RETRIES: Final = {"retried": 2}


def records_of_hooks(records: Path) -> Path:
    """Where hooks keep their own record, beside that of runs."""
    return records.with_name(f"{records.name}-of-hooks")


def lay_out(service: Service, records: Path, *, seed: int) -> None:
    """Put the flows and schedules into a service's folders."""
    records.mkdir(exist_ok=True)
    records_of_hooks(records).mkdir(exist_ok=True)
    service.drop("work.py", FLOWS.read_text())
    service.schedule("all.toml", "\n".join(_entry(one, records, seed=seed) for one in SCHEDULES))


def _entry(entry: Entry, records: Path, *, seed: int) -> str:
    head = f'[[schedule]]\nname = "{entry.name}"\n{entry.when}\n{entry.policies}\n'
    if entry.flow is None:
        return f"{head}command = '''{COMMAND.format(records=records)}'''\n"
    longest = "" if entry.longest is None else f", longest = {float(entry.longest)}"
    given = f'records = "{records}", seed = {seed}, schedule = "{entry.name}"{longest}'
    return f'{head}flow = "{entry.flow}"\nparameters = {{ {given} }}\n'
