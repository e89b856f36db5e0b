"""dbt as a process that is followed while it runs."""

import re
import subprocess
from collections.abc import Mapping, Sequence

from spark.progress import Progress

#: `20:28:23  3 of 76 PASS not_empty_stg_dim_genre ......... [PASS in 0.05s]`
#: Hooks are counted apart.
ENDED_NODE = re.compile(r"[\d:]+ +\d+ of (\d+) (?!START )[A-Z]+ (?!hook:)")


def run_dbt(command: Sequence[str], env: Mapping[str, str], progress: Progress) -> tuple[int, str]:
    """Runs dbt to its end, printing each line as it comes; its exit code and all it said."""
    said: list[str] = []
    with subprocess.Popen(
        command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as dbt:
        try:
            for line in dbt.stdout:
                print(line, end="", flush=True)
                said.append(line)
                if nodes := nodes_when_one_ended(line):
                    progress.one_done(of=nodes)
        except BaseException:  # a task that runs out of time raises no Exception
            dbt.kill()
            raise
    return dbt.returncode, "".join(said)


def nodes_when_one_ended(line: str) -> int | None:
    """How many nodes dbt builds, from a line that says that one of them has ended."""
    ended = ENDED_NODE.match(line)
    return int(ended[1]) if ended else None
