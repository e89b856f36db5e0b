with source as (

    select * from {{ source('gold', 'agg_movie_rating') }}

)

select
    tmdb_id,
    ratings,
    rating_sum,
    mean_rating
from source
where {{ is_this_run() }}
