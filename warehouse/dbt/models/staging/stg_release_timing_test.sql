with source as (

    select * from {{ source('gold', 'release_timing_test') }}

)

select
    period_type,
    h,
    df,
    n,
    p,
    log10_p,
    epsilon_squared
from source
where {{ is_this_run() }}
