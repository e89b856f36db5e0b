select
    period_type,
    period,
    movies,
    mean_revenue,
    median_revenue,
    adjustable,
    mean_revenue_real,
    median_revenue_real
from marts.release_timing
where period_type in ('month', 'quarter')
order by period_type, period
