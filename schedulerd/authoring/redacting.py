"""The secrets that this process has been given: what it records is told without them."""

from __future__ import annotations

from typing import Final

from schedulerd.domain.redaction import Redactor

given: Final = Redactor()
