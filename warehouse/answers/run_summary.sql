select
    edition,
    run_id,
    to_char(base_month, 'YYYY-MM') as base_month
from marts.run_summary
