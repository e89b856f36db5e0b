with source as (

    select * from {{ source('gold', 'bridge_movielens_movie') }}

)

select
    movie_id,
    tmdb_id
from source
where {{ is_this_run() }}
