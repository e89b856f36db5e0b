with tests as (

    select * from {{ ref('stg_release_timing_test') }}

)

select
    {{ run_id_literal() }} as run_id,
    period_type,
    h,
    df,
    n,
    p,
    log10_p,
    epsilon_squared
from tests
