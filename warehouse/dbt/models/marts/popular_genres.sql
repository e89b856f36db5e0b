with genres as (

    select * from {{ ref('stg_dim_genre') }}

),

genre_ratings as (

    select * from {{ ref('stg_agg_genre_rating') }}

)

select
    {{ run_id_literal() }} as run_id,
    cast(
        row_number() over (
            order by genre_ratings.ratings desc, genre_ratings.tmdb_votes desc, genres.name asc
        )
        as int
    ) as rank,
    genres.name as genre,
    genre_ratings.ratings,
    genre_ratings.users,
    genre_ratings.mean_rating,
    genre_ratings.movies,
    genre_ratings.tmdb_votes
from genre_ratings
inner join genres on genre_ratings.genre_id = genres.genre_id
