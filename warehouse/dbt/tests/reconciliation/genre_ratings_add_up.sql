-- agg_genre_rating is what fact_rating says of the movies of each genre.
with genre_ratings as (

    select * from {{ ref('stg_agg_genre_rating') }}

),

ratings as (

    select * from {{ ref('stg_fact_rating') }}

),

movies as (

    select * from {{ ref('stg_dim_movie') }}

),

movie_genres as (

    select * from {{ ref('stg_bridge_movie_genre') }}

),

-- movie_ratings_add_up compares these with the ratings themselves.
movie_ratings as (

    select * from {{ ref('stg_agg_movie_rating') }}

),

genres as (

    select * from {{ ref('stg_dim_genre') }}

),

-- A movie's genres as bits, and a user's those of any movie: joined with the ratings themselves, genres would make
-- several rows of each. Two words of bits in one row, so that a movie's row is seen to be the only one; genres beyond
-- them have no bit, and so no users here.
numbered as (

    select
        genre_id,
        cast(row_number() over (order by genre_id) - 1 as int) as place
    from genres

),

bits as (

    select
        genre_id,
        case when place < 62 then cast(1 as bigint) << place else 0 end as low_bit,
        case when place between 62 and 123 then cast(1 as bigint) << (place - 62) else 0 end as high_bit
    from numbered

),

masks as (

    select
        movie_genres.tmdb_id,
        bit_or(bits.low_bit) as low_mask,
        bit_or(bits.high_bit) as high_mask
    from movie_genres
    inner join bits on movie_genres.genre_id = bits.genre_id
    group by movie_genres.tmdb_id

),

users as (

    select
        ratings.user_id,
        bit_or(masks.low_mask) as low_mask,
        bit_or(masks.high_mask) as high_mask
    from ratings
    inner join masks on ratings.tmdb_id = masks.tmdb_id
    group by ratings.user_id

),

counted as (

    select
        bits.genre_id,
        count(*) as users
    from users
    inner join bits on users.low_mask & bits.low_bit <> 0 or users.high_mask & bits.high_bit <> 0
    group by bits.genre_id

),

rated as (

    select
        movie_genres.genre_id,
        sum(movie_ratings.ratings) as ratings,
        sum(movie_ratings.rating_sum) as rating_sum
    from movie_ratings
    inner join movie_genres on movie_ratings.tmdb_id = movie_genres.tmdb_id
    group by movie_genres.genre_id

),

voted as (

    select
        movie_genres.genre_id,
        count(*) as movies,
        sum(movies.vote_count) as tmdb_votes
    from movie_genres
    inner join movies on movie_genres.tmdb_id = movies.tmdb_id
    group by movie_genres.genre_id

),

compared as (

    select
        coalesce(genre_ratings.genre_id, voted.genre_id) as genre_id,
        genre_ratings.ratings as stored_ratings,
        rated.ratings as recomputed_ratings,
        genre_ratings.users as stored_users,
        counted.users as recomputed_users,
        genre_ratings.rating_sum as stored_rating_sum,
        rated.rating_sum as recomputed_rating_sum,
        genre_ratings.movies as stored_movies,
        voted.movies as recomputed_movies,
        genre_ratings.tmdb_votes as stored_tmdb_votes,
        voted.tmdb_votes as recomputed_tmdb_votes,
        genre_ratings.mean_rating as stored_mean_rating,
        cast(rated.rating_sum as double precision) / rated.ratings as recomputed_mean_rating
    from genre_ratings
    full outer join voted on genre_ratings.genre_id = voted.genre_id
    left join rated on voted.genre_id = rated.genre_id
    left join counted on voted.genre_id = counted.genre_id

)

{{ disagreements(
    'compared',
    'genre_id',
    exact=['ratings', 'users', 'rating_sum', 'movies', 'tmdb_votes'],
    close=['mean_rating']
) }}
