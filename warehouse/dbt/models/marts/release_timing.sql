with periods as (

    select * from {{ ref('stg_agg_release_period') }}

)

select
    {{ run_id_literal() }} as run_id,
    period_type,
    period,
    movies,
    mean_revenue,
    median_revenue,
    adjustable,
    mean_revenue_real,
    median_revenue_real
from periods
