"""Small C libraries that change what the system says to a process that is started with them in LD_PRELOAD."""

import os
import shutil
import subprocess
from pathlib import Path

from tests.requirements import missing


def build(source: Path, folder: Path, *, part: str) -> Path:
    """Compile one into a folder; without a compiler the test is skipped, or fails where `part` is required."""
    compiler = shutil.which(os.environ.get("CC", "cc"))
    if compiler is None:
        missing(part, "there is no C compiler (Debian: apt-get install gcc libc6-dev)")
    library = folder / source.with_suffix(".so").name
    command = [compiler, "-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-o", str(library), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        missing(part, f"{compiler} could not compile it (Debian: libc6-dev): {done.stderr}")
    return library
