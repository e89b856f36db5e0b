-- agg_movie_rating counts every rating of fact_rating once, each of half a star to five. A rating without a movie, or
-- of one that is not in agg_movie_rating, whose movies are tested to be TMDB's, is counted by nothing there.
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
        sum(rating) as rating_sum,
        sum(case when rating between 0.5 and 5.0 then 0 else 1 end) as out_of_range
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
        0 as stored_out_of_range,
        recomputed.out_of_range as recomputed_out_of_range,
        movie_ratings.mean_rating as stored_mean_rating,
        cast(recomputed.rating_sum as double precision) / recomputed.ratings as recomputed_mean_rating
    from movie_ratings
    full outer join recomputed on movie_ratings.tmdb_id = recomputed.tmdb_id

)

{{ disagreements('compared', 'tmdb_id', exact=['ratings', 'rating_sum', 'out_of_range'], close=['mean_rating']) }}
