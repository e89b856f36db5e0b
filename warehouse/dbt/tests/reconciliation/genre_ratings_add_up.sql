-- agg_genre_rating is what fact_rating says of the movies of each genre; genre_users_add_up looks at the users.
with genre_ratings as (

    select * from {{ ref('stg_agg_genre_rating') }}

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

)

{{ disagreements(
    'compared',
    'genre_id',
    exact=['ratings', 'rating_sum', 'movies', 'tmdb_votes'],
    close=['mean_rating']
) }}
