with source as (

    select * from {{ source('gold', 'agg_release_period') }}

)

select
    period_type,
    period,
    movies,
    revenue,
    mean_revenue,
    median_revenue,
    adjustable,
    revenue_real,
    mean_revenue_real,
    median_revenue_real
from source
where {{ is_this_run() }}
