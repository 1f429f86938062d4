"""The reference page of the filters of runs, from the code that reads them."""

from schedulerd.domain.run_filters import KEYS
from schedulerd.domain.states import GROUPS
from schedulerd.store.history import COUNTED, LOOKED_AT, LOOKED_UP


def run_filters_page() -> str:
    """How a filter is written, its keys and groups, and what a search is bounded by."""
    keys = "\n".join(f"| `{key}:` | {meaning} |" for key, meaning in KEYS.items())
    groups = "\n".join(
        f"| `{name}` | {', '.join(f'`{state}`' for state in sorted(states))} |"
        for name, states in GROUPS.items()
    )
    return f"""# Filters of runs

    state:bad flow:etl* tag:prod since:24h dur:>5m error:"KeyError" param.region:kr nightly

A filter is made of terms with spaces between them; a run has to fulfil all. A term is a key with a value, or a word, which
is looked for in names of flows, parameters, reasons and errors, whatever its letter case. A value with spaces or commas stands in quotes, and
`\\"` in them is a quote. `state:failed,crashed` means either; `tag:`, `error:`, `param.` and words may stand several times, and
then all of them have to be true.

| key | value |
| --- | --- |
{keys}

What is not understood is an error that points at the term.

## Groups of states

| group | states |
| --- | --- |
{groups}

## How far a search goes

Runs come newest first, a page at a time, and a cursor leads to the next page, however many runs there are. States other than
`completed`, flows, tags, schedules, kinds of errors, `since:`, `until:` and what asked for a run are found by indexes. For everything else at most {LOOKED_AT:,} runs are looked
at for a page, or {LOOKED_UP:,} of those that an index gives (an error that is told by numbers alone, or by letters that may belong to an address like `dead`, is looked for among the runs that ended badly; of type and first line the first 300 characters are searched, a number there counting as one); the page then says at which moment the search ended, and its cursor goes on from there. Runs are counted up
to {COUNTED:,}.
"""
