"""What a run asks people to give with their approval: a pydantic model, whose fields they give, or a type, as `value`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schedulerd.authoring.hints import Misfit, coerce, is_plain, schema_of_hint
from schedulerd.authoring.kinds import kind_of
from schedulerd.authoring.parameters import object_schema

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_VALUE = "value"


class Unfit(Exception):
    """What was given is not what is wanted: where, and why, without the values, which may be secret."""


class Wanted:
    """`hint` is what the flow asked for; None asks for nothing but a decision."""

    def __init__(self, hint: Any) -> None:
        self._hint = hint
        self._is_plain = hint is not None and is_plain(hint)
        self._said = {} if hint is None else self._schema_of_hint()
        is_object = not self._said or self._said.get("type") == "object"
        self._is_model = hasattr(hint, "model_validate") and is_object

    def schema(self) -> dict[str, Any] | None:
        """The JSON schema of all that may be given; None where nothing may."""
        if self._hint is None:
            return None
        if self._is_model:  # where nothing is known of it, the run alone can judge
            return self._said or object_schema({}, required=(), open_ended=True)
        return object_schema({_VALUE: self._said}, required=[_VALUE])

    def fitted(self, given: Mapping[str, Any] | None) -> Any:
        """What was given as what is wanted. Raises `Unfit`."""
        said = dict(given or {})
        if self._hint is None:
            return None
        if self._is_model:
            return self._rich(said, "")
        if _VALUE not in said:
            raise Unfit(f"{_VALUE} is required")
        return self._plain(said[_VALUE]) if self._is_plain else self._rich(said[_VALUE], _VALUE)

    def _schema_of_hint(self) -> dict[str, Any]:
        if self._is_plain:
            return schema_of_hint(self._hint)
        from schedulerd.authoring.rich_hints import rich_schema  # late: it loads pydantic

        return rich_schema(self._hint)

    def _plain(self, value: Any) -> Any:
        try:
            return coerce(self._hint, value)
        except Misfit as error:
            raised = Unfit(f"{_VALUE}{error.place}: {kind_of(error.value)} is not {error.wanted}")
        raise raised  # outside of the handler: its exception shows the value

    def _rich(self, value: Any, place: str) -> Any:
        from schedulerd.authoring.rich_hints import RichMisfit, fitting  # late: it loads pydantic

        try:
            return fitting(self._hint, value)
        except RichMisfit as error:
            raise Unfit("; ".join(f"{place}{fault}".lstrip(".: ") for fault in error.faults)) from error
