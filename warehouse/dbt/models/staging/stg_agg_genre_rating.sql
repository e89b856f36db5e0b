with source as (

    select * from {{ source('gold', 'agg_genre_rating') }}

)

select
    genre_id,
    ratings,
    users,
    rating_sum,
    mean_rating,
    movies,
    tmdb_votes
from source
where {{ is_this_run() }}
