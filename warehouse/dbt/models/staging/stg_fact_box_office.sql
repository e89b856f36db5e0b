with source as (

    select * from {{ source('gold', 'fact_box_office') }}

)

select
    tmdb_id,
    release_date,
    release_year,
    release_quarter,
    release_month,
    budget,
    revenue,
    cpi_value,
    revenue_real,
    is_adjustable,
    is_scale_suspect
from source
where {{ is_this_run() }}
