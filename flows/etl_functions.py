"""ETL in the function style: extract, transform and load are plain Python functions.

    python flows/etl_functions.py                    here and now; needs no daemon
    schedulerd run etl-orders -p region=jp --follow  a recorded run under the daemon

Compare `etl.py`, which draws the same shape as a graph before anything runs. Here the flow runs as it goes: it may use
`if`, `for` and `try` around its tasks, and they return values, not nodes.
"""

import csv
import io

from schedulerd import flow, get_run_logger, task
from schedulerd.schedules import Interval

# What a shop would export; a flow of yours reads a file, a database or an API here.
ORDERS = """\
order,region,amount
1001,kr,120.50
1002,jp,80
1003,kr,19.90
1004,de,
1005,kr,7
"""


@task
def extract(region: str) -> list[dict[str, str]]:
    return [row for row in csv.DictReader(io.StringIO(ORDERS)) if row["region"] == region]


@task
def transform(rows: list[dict[str, str]]) -> list[float]:
    amounts = [float(row["amount"]) for row in rows if row["amount"]]
    if left_out := len(rows) - len(amounts):
        get_run_logger().warning("%d order(s) without an amount are left out", left_out)
    return amounts


@task
def load(amounts: list[float]) -> dict[str, float]:
    return {"orders": len(amounts), "total": round(sum(amounts), 2)}


# The type hint of a parameter is checked before a run begins, and is what `schedulerd run -p` reads a text by.
@flow(name="etl-orders", schedule=Interval("5m", parameters={"region": "kr"}))
def etl_orders(region: str = "kr") -> dict[str, float]:
    """Sum up a region's orders."""
    summary = load(transform(extract(region)))
    get_run_logger().info("%s: %s", region, summary)
    return summary


if __name__ == "__main__":
    print(etl_orders())
