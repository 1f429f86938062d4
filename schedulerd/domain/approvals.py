"""Whether what is given with an approval fits what the run asks to be told, by the JSON schema of its question. Pure."""

from collections.abc import Mapping
from typing import Any

from schedulerd.domain.parameters import LOAD_IT, Schema, misfits, secret_among, wanted
from schedulerd.errors import BadParameters
from schedulerd.sentences import joined, said


def check_given(run: str, schema: Schema | None, given: Mapping[str, Any]) -> None:
    """Raise `BadParameters`, with all that is wrong, unless the run may be given this. Without a schema it takes nothing."""
    asked = closed(schema)
    if wrong := misfits(asked, given):
        raise BadParameters(joined(": ", (run, joined("; ", wrong))), mend=_asked_for(asked))
    if secret := secret_among(asked, given):
        names = ", ".join(map(repr, secret))
        raise BadParameters(
            said(
                "{run}: a secret is not given with an approval ({names}): what is given is kept with the run",
                run=run,
                names=names,
            ),
            mend=LOAD_IT,
        )


def closed(schema: Schema | None) -> Schema:
    """The schema, which names all that may be given unless it says otherwise: what a model ignores would be lost unseen."""
    return {"additionalProperties": False, **(schema or {})}


def _asked_for(schema: Schema) -> str:
    """What to do about it."""
    properties: Mapping[str, Schema] = schema.get("properties", {})
    if not properties:
        return said("it waits for a decision only: approve it without parameters")
    required = schema.get("required", ())
    listed = [
        said("{name} ({wanted})", name=name, wanted=wanted(one))
        if name in required
        else said("{name} ({wanted}, may be left out)", name=name, wanted=wanted(one))
        for name, one in properties.items()
    ]
    return said("it asks for {listed}", listed=joined("; ", listed))
