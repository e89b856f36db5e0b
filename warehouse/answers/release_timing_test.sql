select
    period_type,
    h,
    df,
    n,
    p,
    log10_p,
    epsilon_squared
from marts.release_timing_test
order by period_type
