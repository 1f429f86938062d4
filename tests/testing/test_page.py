"""The examples of the page on testing are tests, and pass."""

import subprocess
import sys
from pathlib import Path

from tests.rules.pages import REPOSITORY, Page


def test_the_tests_that_the_page_shows_pass(tmp_path: Path) -> None:
    page = REPOSITORY / "docs" / "howto" / "test-a-flow.md"
    blocks = Page(path=page, text=page.read_text("utf-8")).blocks("python")
    for number, block in enumerate(blocks):
        (tmp_path / f"test_block_{number}.py").write_text(block)

    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:randomly", "-p", "no:cacheprovider", str(tmp_path)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode == 0, ran.stdout
    assert "6 passed" in ran.stdout
