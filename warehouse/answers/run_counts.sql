-- dropped is a JSON object of rows by reason.
select
    dataset,
    source_rows,
    dead_letters,
    bronze,
    silver,
    dropped,
    repaired
from marts.run_counts
order by dataset
