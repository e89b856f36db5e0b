with source as (

    select * from {{ source('gold', 'agg_genre_box_office') }}

)

select
    genre_id,
    movies,
    revenue,
    median_revenue,
    adjustable,
    not_adjustable,
    revenue_real,
    median_revenue_real
from source
where {{ is_this_run() }}
