-- agg_movie_rating counts every rating of fact_rating once.
with movie_ratings as (

    select * from {{ ref('stg_agg_movie_rating') }}

),

ratings as (

    select * from {{ ref('stg_fact_rating') }}

),

recomputed as (

    select
        tmdb_id,
        count(*) as ratings,
        sum(rating) as rating_sum
    from ratings
    group by tmdb_id

),

compared as (

    select
        coalesce(movie_ratings.tmdb_id, recomputed.tmdb_id) as tmdb_id,
        movie_ratings.ratings as stored_ratings,
        recomputed.ratings as recomputed_ratings,
        movie_ratings.rating_sum as stored_rating_sum,
        recomputed.rating_sum as recomputed_rating_sum,
        movie_ratings.mean_rating as stored_mean_rating,
        cast(recomputed.rating_sum as double precision) / recomputed.ratings as recomputed_mean_rating
    from movie_ratings
    full outer join recomputed on movie_ratings.tmdb_id = recomputed.tmdb_id

)

{{ disagreements('compared', 'tmdb_id', exact=['ratings', 'rating_sum'], close=['mean_rating']) }}
