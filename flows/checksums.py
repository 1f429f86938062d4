"""Mapping over many items: a task run for each file of a folder, several at a time.

    python flows/checksums.py
    schedulerd run checksums -p folder=/etc --follow

Each item is a task run of its own: with its state, its log and its value, and one that fails takes no other with it.
"""

import hashlib
from pathlib import Path

from schedulerd import flow, get_run_logger, task, unmapped
from schedulerd.schedules import Cron
from schedulerd.task_runners import ThreadPoolTaskRunner


@task
def files_in(folder: str) -> list[str]:
    return sorted(str(path) for path in Path(folder).iterdir() if path.is_file())


@task(retries=1, retry_delay_seconds=0.1)
def checksum(file: str, algorithm: str) -> str:
    with open(file, "rb") as stream:
        return hashlib.file_digest(stream, algorithm).hexdigest()


# At most four at a time, in threads: the task waits for the disk, not for the processor.
@flow(task_runner=ThreadPoolTaskRunner(max_workers=4), schedule=Cron("17 * * * *"))
def checksums(
    folder: str = str(Path(__file__).parent), files: list[str] | None = None, algorithm: str = "sha256"
) -> dict[str, str]:
    """The checksum of each file of a folder, or of the files that are named."""
    paths = files if files is not None else files_in(folder)
    futures = checksum.map(paths, unmapped(algorithm))  # every item of `paths`, the same algorithm for all
    futures.wait()
    known = {
        path: future.result()
        for path, future in zip(paths, futures, strict=True)
        if future.state.is_completed()
    }
    if unread := [path for path in paths if path not in known]:
        get_run_logger().warning("%d of %d cannot be read: %s", len(unread), len(paths), ", ".join(unread))
    return known


if __name__ == "__main__":
    for name, digest in checksums().items():
        print(digest[:12], name)
