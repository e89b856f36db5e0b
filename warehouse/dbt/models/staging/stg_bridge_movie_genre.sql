with source as (

    select * from {{ source('gold', 'bridge_movie_genre') }}

)

select
    tmdb_id,
    genre_id
from source
where {{ is_this_run() }}
