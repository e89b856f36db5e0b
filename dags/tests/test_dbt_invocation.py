"""dbt is followed while it runs, by its own events."""

from boxoffice_tasks.dbt_invocation import counting_in
from dbt.events import types
from dbt_common.events.base_types import msg_from_base_event


class Counted:
    """Takes the place of the progress that is told in the lake."""

    def __init__(self) -> None:
        self.totals: list[int] = []

    def one_done(self, *, of: int) -> None:
        self.totals.append(of)


def test_nodes_count_when_they_end_and_not_when_they_start_and_hooks_never() -> None:
    progress = Counted()
    for event in (
        types.LogHookStartLine(index=1, total=1),
        types.LogHookEndLine(index=1, total=1),
        types.LogStartLine(index=1, total=3),
        types.LogModelResult(index=1, total=3),
        types.LogTestResult(index=2, num_models=3),
        types.SkippingDetails(index=3, total=3),
    ):
        counting_in(progress)(msg_from_base_event(event))
    assert progress.totals == [3, 3, 3]
