with rated_movies as (

    select * from {{ ref('rated_movie') }}

),

parameters as (

    select * from {{ ref('highest_rated_parameters') }}
    where {{ is_this_run() }}

),

weighted_movies as (

    select
        rated_movies.source,
        rated_movies.tmdb_id,
        rated_movies.title,
        rated_movies.release_year,
        rated_movies.votes,
        rated_movies.mean,
        (rated_movies.votes * rated_movies.mean + parameters.m * parameters.c)
        / (rated_movies.votes + parameters.m) as weighted
    from rated_movies
    inner join parameters on rated_movies.source = parameters.source
    where
        rated_movies.mean is not null
        and rated_movies.votes >= parameters.m
        and rated_movies.votes > 0

)

select
    {{ run_id_literal() }} as run_id,
    source,
    cast(
        row_number() over (partition by source order by weighted desc, votes desc, tmdb_id asc)
        as int
    ) as rank,
    tmdb_id,
    title,
    release_year as year,
    votes,
    mean,
    weighted
from weighted_movies
