with source as (

    select * from {{ source('gold', 'dim_movie') }}

)

select
    tmdb_id,
    imdb_id,
    title,
    original_title,
    original_language,
    status,
    release_date,
    release_year,
    runtime_minutes,
    popularity,
    budget,
    vote_average,
    vote_count
from source
where {{ is_this_run() }}
