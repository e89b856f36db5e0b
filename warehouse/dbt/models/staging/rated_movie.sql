-- A movie without a mean or without a vote count stays: it still counts for the other figure.
with movies as (

    select * from {{ ref('stg_dim_movie') }}

),

movielens_ratings as (

    select * from {{ ref('stg_agg_movie_rating') }}

)

select
    cast('tmdb' as {{ dbt.type_string() }}) as source,
    tmdb_id,
    title,
    release_year,
    vote_count as votes,
    cast(vote_average as double precision) as mean
from movies

union all

select
    cast('movielens' as {{ dbt.type_string() }}) as source,
    movies.tmdb_id,
    movies.title,
    movies.release_year,
    movielens_ratings.ratings as votes,
    movielens_ratings.mean_rating as mean
from movielens_ratings
inner join movies on movielens_ratings.tmdb_id = movies.tmdb_id
