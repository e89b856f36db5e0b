"""The Spark hops of a run: `run(run_id)` reads what the hop before names, writes, reports."""
